#include "io/file_error.h"

#include <cerrno>
#include <system_error>

namespace tillcast::io {
namespace {

struct Advice {
  ErrorCode code;
  const char* what;
};

Advice advice_for(int error_number) {
  switch (error_number) {
    case ENOENT:
      return {ErrorCode::kNotFound, "no such file or directory; check the path"};
    case EEXIST:
      return {ErrorCode::kConflict, "it exists already"};
    case ENOSPC:
      return {ErrorCode::kDiskFull, "the disk is full; free some space (or inodes) and repeat"};
    case EDQUOT:
      return {ErrorCode::kDiskFull, "the disk quota is used up; free some space and repeat"};
    case EFBIG:
      return {ErrorCode::kIo, "the file would be larger than the file size limit (ulimit -f) allows"};
    case EROFS:
      return {ErrorCode::kIo, "the file system is read-only; choose a writable directory"};
    case EACCES:
    case EPERM:
      return {ErrorCode::kIo, "permission denied; change the permissions or choose another directory"};
    case EIO:
      return {ErrorCode::kIo,
              "the disk reported an I/O error; what was written last may be lost, check the disk"};
    case EMFILE:
    case ENFILE:
      return {ErrorCode::kUnavailable, "too many open files; raise ulimit -n and repeat"};
    case EISDIR:
      return {ErrorCode::kInvalidInput, "it is a directory, a file was expected"};
    case ENOTDIR:
      return {ErrorCode::kInvalidInput, "a part of the path is a file, a directory was expected"};
    case ENAMETOOLONG:
      return {ErrorCode::kInvalidInput, "the name is too long"};
    default:
      return {ErrorCode::kIo, nullptr};
  }
}

}  // namespace

Error file_error(std::string_view doing, const std::filesystem::path& path, int error_number) {
  const Advice advice = advice_for(error_number);
  std::string message = "cannot " + std::string(doing) + " " + path.string() + ": ";
  message +=
      advice.what != nullptr ? std::string(advice.what) : std::generic_category().message(error_number);
  return {advice.code, std::move(message)};
}

Error last_file_error(std::string_view doing, const std::filesystem::path& path) {
  return file_error(doing, path, errno);
}

}  // namespace tillcast::io
