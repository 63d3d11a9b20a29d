#include "io/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "io/descriptor_internal.h"
#include "io/file_error.h"

namespace tillcast::io {
namespace {

std::filesystem::path lock_path(const std::filesystem::path& directory) {
  return directory / "tillcast.lock";
}

int written_pid(int descriptor) {
  char text[32] = {};
  const ssize_t got = ::pread(descriptor, text, sizeof text - 1, 0);
  return got > 0 ? std::atoi(text) : 0;
}

}  // namespace

Result<DirectoryLock> DirectoryLock::acquire(const std::filesystem::path& directory) {
  const auto path = lock_path(directory);
  const int raw = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (raw < 0) return last_file_error("create", path);
  DirectoryLock lock(raw);
  if (::flock(raw, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return last_file_error("lock", path);
    const int pid = written_pid(raw);
    return unavailable(directory.string() + " is in use by another tillcast process" +
                       (pid > 0 ? " (pid " + std::to_string(pid) + ")" : "") +
                       "; stop it or wait until it is done");
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(raw, 0) != 0 ||
      ::pwrite(raw, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return last_file_error("write", path);
  }
  return lock;
}

int DirectoryLock::owner(const std::filesystem::path& directory) {
  const Descriptor file(::open(lock_path(directory).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return 0;
  // A shared lock that succeeds means that nobody owns it; the pid inside is then a dead process's.
  if (::flock(file.raw(), LOCK_SH | LOCK_NB) == 0) return 0;
  return written_pid(file.raw());
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

DirectoryLock& DirectoryLock::operator=(DirectoryLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

DirectoryLock::~DirectoryLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace tillcast::io
