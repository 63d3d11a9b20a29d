#include "io/durable_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>

#include "io/descriptor_internal.h"
#include "io/file_error.h"

namespace tillcast::io {
namespace {

constexpr mode_t kFileMode = 0644;
constexpr mode_t kDirectoryMode = 0755;

int open_retrying(const char* path, int flags, mode_t mode = 0) {
  int raw = -1;
  do {
    raw = ::open(path, flags | O_CLOEXEC, mode);
  } while (raw < 0 && errno == EINTR);
  return raw;
}

Result<> write_all(int descriptor, std::string_view content, const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return last_file_error("write", path);
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

// Never retried: after a failed fsync the kernel may mark the lost pages clean, and a second call would
// succeed.
Result<> flush(int descriptor, const std::filesystem::path& path) {
  if (::fsync(descriptor) != 0) return last_file_error("flush", path);
  return {};
}

std::filesystem::path directory_of(const std::filesystem::path& path) {
  const auto parent = path.parent_path();
  return parent.empty() ? std::filesystem::path(".") : parent;
}

std::filesystem::path temporary_beside(const std::filesystem::path& path) {
  static std::atomic<unsigned> counter{0};
  return directory_of(path) / ("." + path.filename().string() + "." + std::to_string(::getpid()) + "-" +
                               std::to_string(++counter) + ".tmp");
}

Result<> write_temporary(const std::filesystem::path& temporary, std::string_view content,
                         const std::filesystem::path& wanted) {
  auto written = write_new_file(temporary, content);
  if (written) return {};
  ::unlink(temporary.c_str());
  return std::move(written.error()).with_context("while writing " + wanted.string());
}

class DescriptorFile final : public GrowingFile {
 public:
  DescriptorFile(Descriptor file, std::filesystem::path path)
      : file_(std::move(file)), path_(std::move(path)) {}
  ~DescriptorFile() override {
    if (!kept_) ::unlink(path_.c_str());
  }
  Result<> append(std::string_view bytes) override {
    if (auto written = write_all(file_.raw(), bytes, path_); !written) return written;
    size_ += bytes.size();
    return {};
  }
  Result<> flush() override { return io::flush(file_.raw(), path_); }
  void keep() override { kept_ = true; }
  std::uint64_t size() const override { return size_; }

 private:
  Descriptor file_;
  std::filesystem::path path_;
  std::uint64_t size_ = 0;
  bool kept_ = false;
};

}  // namespace

Result<std::unique_ptr<GrowingFile>> GrowingFile::create(const std::filesystem::path& path) {
  Descriptor file(open_retrying(path.c_str(), O_WRONLY | O_CREAT | O_EXCL, kFileMode));
  if (!file.valid()) return last_file_error("create", path);
  return std::unique_ptr<GrowingFile>(std::make_unique<DescriptorFile>(std::move(file), path));
}

Result<std::string> read_file(const std::filesystem::path& path, std::uint64_t bytes_max) {
  const Descriptor file(open_retrying(path.c_str(), O_RDONLY));
  if (!file.valid()) return last_file_error("open", path);
  std::string content;
  struct stat status{};
  if (::fstat(file.raw(), &status) == 0 && status.st_size > 0 &&
      static_cast<std::uint64_t>(status.st_size) <= bytes_max) {
    content.reserve(static_cast<std::size_t>(status.st_size));
  }
  constexpr std::size_t kBlock = 256 * 1024;
  for (;;) {
    const std::size_t before = content.size();
    if (before > bytes_max) {
      return invalid_input(path.string() + " is longer than the " + std::to_string(bytes_max) +
                           " bytes expected here");
    }
    content.resize(before + kBlock);
    const ssize_t got = ::read(file.raw(), content.data() + before, kBlock);
    if (got < 0 && errno == EINTR) {
      content.resize(before);
      continue;
    }
    if (got < 0) return last_file_error("read", path);
    content.resize(before + static_cast<std::size_t>(got));
    if (got == 0) return content;
  }
}

Result<> write_new_file(const std::filesystem::path& path, std::string_view content) {
  const Descriptor file(open_retrying(path.c_str(), O_WRONLY | O_CREAT | O_EXCL, kFileMode));
  if (!file.valid()) return last_file_error("create", path);
  TILLCAST_TRY_PLAIN(write_all(file.raw(), content, path));
  return flush(file.raw(), path);
}

Result<> sync_file(const std::filesystem::path& path) {
  const Descriptor file(open_retrying(path.c_str(), O_RDONLY));
  if (!file.valid()) return last_file_error("open", path);
  return flush(file.raw(), path);
}

Result<> sync_directory(const std::filesystem::path& path) {
  const Descriptor directory(open_retrying(path.c_str(), O_RDONLY | O_DIRECTORY));
  if (!directory.valid()) return last_file_error("open", path);
  return flush(directory.raw(), path);
}

Result<> make_directories(const std::filesystem::path& path) {
  if (path.empty() || path == "/") return {};
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) return {};
    return file_error("create directory", path, ENOTDIR);
  }
  if (errno != ENOENT) return last_file_error("create directory", path);
  const auto parent = directory_of(path);
  if (!path.filename().empty()) TILLCAST_TRY_PLAIN(make_directories(parent));
  if (::mkdir(path.c_str(), kDirectoryMode) != 0) {
    if (errno == EEXIST) return {};
    return last_file_error("create directory", path);
  }
  return sync_directory(parent);
}

Result<> rename_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return last_file_error("rename " + from.string() + " to", to);
  return {};
}

Result<> rename_exclusively(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  if (errno != EINVAL && errno != ENOSYS) return last_file_error("create", to);
  // Network file systems without RENAME_NOREPLACE: a hard link is exclusive as well.
  if (::link(from.c_str(), to.c_str()) != 0) return last_file_error("create", to);
  ::unlink(from.c_str());
  return {};
}

Result<> remove_file(const std::filesystem::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return last_file_error("remove", path);
  return {};
}

Result<> write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  const auto temporary = temporary_beside(path);
  TILLCAST_TRY_PLAIN(write_temporary(temporary, content, path));
  if (auto renamed = rename_file(temporary, path); !renamed) {
    ::unlink(temporary.c_str());
    return renamed;
  }
  return sync_directory(directory_of(path));
}

Result<> create_file_exclusively(const std::filesystem::path& path, std::string_view content) {
  const auto temporary = temporary_beside(path);
  TILLCAST_TRY_PLAIN(write_temporary(temporary, content, path));
  if (auto renamed = rename_exclusively(temporary, path); !renamed) {
    ::unlink(temporary.c_str());
    return renamed;
  }
  return sync_directory(directory_of(path));
}

Result<std::uint64_t> free_bytes(const std::filesystem::path& path) {
  struct statvfs status{};
  if (::statvfs(path.c_str(), &status) != 0) return last_file_error("look at", path);
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

}  // namespace tillcast::io
