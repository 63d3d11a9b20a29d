#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "core/result.h"

namespace tillcast::sources {

/// A regular file opened for reading. Reads are positioned, so the object has no cursor. Thread-safe.
class InputFile {
 public:
  /// @return kNotFound, or kIo/kInvalidInput for a directory or an unreadable file.
  static Result<InputFile> open(const std::filesystem::path& path);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;
  ~InputFile();

  /// Up to `bytes` from `offset`; fewer only at the end of the file.
  Result<std::size_t> read(std::uint64_t offset, char* to, std::size_t bytes) const;
  std::uint64_t size() const { return size_; }
  const std::string& path() const { return path_; }

 private:
  InputFile(int descriptor, std::uint64_t size, std::string path)
      : descriptor_(descriptor), size_(size), path_(std::move(path)) {}
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  std::string path_;
};

}  // namespace tillcast::sources
