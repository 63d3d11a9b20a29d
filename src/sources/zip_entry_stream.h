#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "sources/input_file.h"
#include "sources/record_reader.h"

namespace tillcast::sources {

/// Where an entry's bytes lie in the archive.
struct ZipEntry {
  std::string name;
  std::uint64_t data_offset = 0;
  std::uint64_t compressed_bytes = 0;
  std::uint64_t inflated_bytes = 0;  ///< as the directory claims; checked while reading
  std::uint32_t crc32 = 0;
  bool deflated = true;
};

/// Inflates one entry as a stream, in constant memory. Checks the claimed size and CRC-32 at the end, and the
/// limits all the time. One thread.
class ZipEntryStream {
 public:
  ZipEntryStream(const InputFile& file, ZipEntry entry, const ReaderLimits& limits);
  ZipEntryStream(ZipEntryStream&&) noexcept;
  ZipEntryStream& operator=(ZipEntryStream&&) noexcept;
  ~ZipEntryStream();

  /// Fills up to `bytes`; 0 = the end, reached without a fault.
  Result<std::size_t> read(char* to, std::size_t bytes);
  std::uint64_t compressed_done() const { return consumed_; }
  const ZipEntry& entry() const { return entry_; }

 private:
  struct Inflater;
  Error fault(const std::string& what) const;

  const InputFile* file_;
  ZipEntry entry_;
  const ReaderLimits* limits_;
  std::unique_ptr<Inflater> inflater_;
  std::vector<char> input_;
  std::uint64_t consumed_ = 0;  ///< compressed bytes read
  std::uint64_t produced_ = 0;
  std::uint32_t crc_ = 0;
  bool finished_ = false;
};

/// The directory of a ZIP file (minizip), with its limits. The file and limits outlive the archive.
/// Thread-safe.
class ZipArchive {
 public:
  static Result<ZipArchive> open(const InputFile& file, const ReaderLimits& limits);

  /// An entry by name, without regard to case; nullptr when there is none.
  const ZipEntry* find(std::string_view name) const;

  /// A stream of an entry; kInvalidInput when its claimed size breaks a limit.
  Result<ZipEntryStream> stream(const ZipEntry& entry) const;

  /// A whole entry of at most 16 MiB.
  Result<std::string> read(const ZipEntry& entry) const;

 private:
  ZipArchive(const InputFile& file, const ReaderLimits& limits) : file_(&file), limits_(&limits) {}
  const InputFile* file_;
  const ReaderLimits* limits_;
  std::map<std::string, ZipEntry, std::less<>> entries_;  ///< by lower-case name
};

}  // namespace tillcast::sources
