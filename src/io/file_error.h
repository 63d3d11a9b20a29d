#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/result.h"

namespace tillcast::io {

/// Turns an errno of a file operation into an Error that says what to do about it: disk full, read-only file
/// system, no permission, no such file, too many open files, I/O error.
/// @param doing  "write", "create", "flush" ...
Error file_error(std::string_view doing, const std::filesystem::path& path, int error_number);

/// Error for a file operation that failed just now (uses errno).
Error last_file_error(std::string_view doing, const std::filesystem::path& path);

}  // namespace tillcast::io
