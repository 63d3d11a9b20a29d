#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

namespace tillcast::io {

/// File steps that survive a power cut. All are thread-safe. A failed flush (EIO) fails the write for good:
/// the kernel may have dropped the dirty pages, so it is never retried on the same file.

/// The whole content. kNotFound when missing, kInvalidInput when longer than `bytes_max`.
Result<std::string> read_file(const std::filesystem::path& path,
                              std::uint64_t bytes_max = std::uint64_t{1} << 30);

/// Writes a new file and flushes it (not its directory). The path must not exist: kConflict.
Result<> write_new_file(const std::filesystem::path& path, std::string_view content);

/// fsync of a file that somebody else wrote.
Result<> sync_file(const std::filesystem::path& path);
/// fsync of a directory: makes creations, renames and removals in it durable.
Result<> sync_directory(const std::filesystem::path& path);
/// mkdir -p; every directory made is flushed into its parent.
Result<> make_directories(const std::filesystem::path& path);

/// rename(2) over whatever is at `to`. Flush the directory afterwards.
Result<> rename_file(const std::filesystem::path& from, const std::filesystem::path& to);
/// Moves `from` to `to`, which must not exist yet (kConflict). Atomic: of two racers one wins.
Result<> rename_exclusively(const std::filesystem::path& from, const std::filesystem::path& to);
/// Removes a file; one that is gone already is fine.
Result<> remove_file(const std::filesystem::path& path);

/// Replaces `path` by `content` through a temporary file: readers see the old or the new content, whole.
Result<> write_file_atomically(const std::filesystem::path& path, std::string_view content);
/// Creates `path` with `content`, durable when it returns. Appears whole or not at all; kConflict when it
/// exists.
Result<> create_file_exclusively(const std::filesystem::path& path, std::string_view content);

/// A new file that grows piece by piece, for contents too large for memory. Until keep() it is removed again
/// when the object goes. Not thread-safe.
class GrowingFile {
 public:
  /// Creates `path`, which must not exist: kConflict.
  static Result<std::unique_ptr<GrowingFile>> create(const std::filesystem::path& path);
  virtual ~GrowingFile() = default;
  virtual Result<> append(std::string_view bytes) = 0;
  /// fsync. The file is complete afterwards, but not yet kept.
  virtual Result<> flush() = 0;
  /// The destructor leaves the file (or where it was moved to) alone from here on.
  virtual void keep() = 0;
  virtual std::uint64_t size() const = 0;
};

/// Bytes that may still be written beside `path` by this user.
Result<std::uint64_t> free_bytes(const std::filesystem::path& path);

}  // namespace tillcast::io
