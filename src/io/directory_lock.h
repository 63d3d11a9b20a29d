#pragma once

#include <filesystem>
#include <string>

#include "core/result.h"

namespace tillcast::io {

/// Makes one process the owner of a data directory: flock on `<directory>/tillcast.lock`, which holds the
/// owner's pid. The kernel drops it when the process dies, however it dies.
class DirectoryLock {
 public:
  /// kUnavailable when another process holds it; the message names its pid.
  static Result<DirectoryLock> acquire(const std::filesystem::path& directory);
  /// The pid that holds the directory now, or 0.
  static int owner(const std::filesystem::path& directory);

  DirectoryLock(DirectoryLock&& other) noexcept;
  DirectoryLock& operator=(DirectoryLock&& other) noexcept;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace tillcast::io
