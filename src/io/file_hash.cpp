#include "io/file_hash.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <memory>

#include "core/check.h"
#include "io/descriptor_internal.h"
#include "io/file_error.h"

namespace tillcast::io {
namespace {

constexpr std::size_t kBlockBytes = 256 * 1024;

std::string to_hex(const unsigned char* bytes, std::size_t count) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new()) {
    TILLCAST_CHECK(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1,
                   "OpenSSL has no SHA-256");
  }
  void add(const char* data, std::size_t bytes) {
    TILLCAST_CHECK(EVP_DigestUpdate(context_.get(), data, bytes) == 1, "SHA-256 failed");
  }
  std::string hex() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int bytes = 0;
    TILLCAST_CHECK(EVP_DigestFinal_ex(context_.get(), digest, &bytes) == 1, "SHA-256 failed");
    return to_hex(digest, bytes);
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

class Xxh3 {
 public:
  Xxh3() : state_(XXH3_createState()) {
    TILLCAST_CHECK(state_ && XXH3_64bits_reset(state_.get()) == XXH_OK, "out of memory");
  }
  void add(const char* data, std::size_t bytes) { XXH3_64bits_update(state_.get(), data, bytes); }
  std::string hex() const {
    XXH64_canonical_t canonical;
    XXH64_canonicalFromHash(&canonical, XXH3_64bits_digest(state_.get()));
    return to_hex(canonical.digest, sizeof canonical.digest);
  }

 private:
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, Free> state_;
};

template <class Hash>
Result<std::string> hash_file(const std::filesystem::path& path, Progress* progress) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return last_file_error("open", path);
  struct stat status{};
  if (::fstat(file.raw(), &status) != 0) return last_file_error("look at", path);
  if (S_ISDIR(status.st_mode)) return file_error("read", path, EISDIR);
  const auto total = static_cast<std::uint64_t>(status.st_size);
  Hash hash;
  const auto block = std::make_unique_for_overwrite<char[]>(kBlockBytes);
  std::uint64_t done = 0;
  for (;;) {
    const ssize_t got = ::read(file.raw(), block.get(), kBlockBytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return last_file_error("read", path);
    if (got == 0) return hash.hex();
    hash.add(block.get(), static_cast<std::size_t>(got));
    done += static_cast<std::uint64_t>(got);
    if (progress != nullptr) {
      if (progress->cancelled()) return cancelled("stopped while reading " + path.string());
      if (done % (64 * kBlockBytes) < kBlockBytes) progress->update(done, total);
    }
  }
}

}  // namespace

Result<std::string> sha256_file(const std::filesystem::path& path, Progress* progress) {
  return hash_file<Sha256>(path, progress);
}

std::string sha256_text(std::string_view text) {
  Sha256 hash;
  hash.add(text.data(), text.size());
  return hash.hex();
}

struct RunningSha256::State {
  Sha256 hash;
};
RunningSha256::RunningSha256() : state_(std::make_unique<State>()) {}
RunningSha256::~RunningSha256() = default;
void RunningSha256::add(std::string_view bytes) { state_->hash.add(bytes.data(), bytes.size()); }
std::string RunningSha256::hex() { return state_->hash.hex(); }

Result<std::string> xxh3_file(const std::filesystem::path& path) { return hash_file<Xxh3>(path, nullptr); }

std::string xxh3_text(std::string_view text) {
  Xxh3 hash;
  hash.add(text.data(), text.size());
  return hash.hex();
}

}  // namespace tillcast::io
