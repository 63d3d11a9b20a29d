#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "retail/record_batch.h"

namespace tillcast::sources {

enum class FileFormat : std::uint8_t { kAuto, kCsv, kXlsx };
enum class TextEncoding : std::uint8_t { kAuto, kUtf8, kCp1252 };

/// Bounds that keep a hostile or damaged file from filling memory.
struct ReaderLimits {
  std::uint64_t field_bytes_max = 1 << 20;   ///< longer csv fields reject their row
  std::uint64_t record_bytes_max = 4 << 20;  ///< one csv record or one sheet row
  std::uint64_t columns_max = 20'000;
  std::uint64_t zip_entries_max = 10'000;
  std::uint64_t inflated_bytes_max = 64ULL << 30;  ///< of one workbook, all parts together
  std::uint64_t inflated_bytes_free = 64 << 20;    ///< below this the ratio is not looked at
  std::uint64_t inflate_ratio_max = 200;           ///< inflated : compressed; real sheets stay under 50
  std::uint64_t shared_strings_bytes_max = 512 << 20;
};

struct ReaderOptions {
  FileFormat format = FileFormat::kAuto;  ///< decided by content, never by the file's extension
  char delimiter = 0;                     ///< csv: , ; tab or |; 0 = find out
  TextEncoding encoding = TextEncoding::kAuto;
  std::string sheet = {};               ///< xlsx: by name; empty = the first with data
  std::size_t block_bytes = 512 << 10;  ///< how much is read at a time
  ReaderLimits limits = {};
};

/// Streams the records of a file in batches, in constant memory. One thread at a time.
class RecordReader {
 public:
  virtual ~RecordReader() = default;

  /// Column names as in the file, made unique without regard to case (name, name_2; column_3 where empty).
  const std::vector<std::string>& header() const { return header_; }

  /// Fills `batch` with the next records (a batch may hold bad records only); false at the end of the file.
  /// Errors end the file: kIo, or kInvalidInput when it is damaged or passes a limit.
  virtual Result<bool> next(retail::RecordBatch& batch) = 0;

  /// Progress in bytes of the file (xlsx: compressed bytes of the sheet).
  virtual std::uint64_t bytes_done() const = 0;
  virtual std::uint64_t bytes_total() const = 0;

  /// What was found, for people: "csv, UTF-8, comma" or "xlsx, sheet 'Online Retail'".
  virtual std::string description() const = 0;

 protected:
  std::vector<std::string> header_;
};

/// Opens a csv or xlsx file by its content and reads its header.
/// @return kNotFound, kIo, or kInvalidInput in one line: the file, what was expected and found, what to do.
Result<std::unique_ptr<RecordReader>> open_record_reader(const std::filesystem::path& path,
                                                         const ReaderOptions& options = {});

}  // namespace tillcast::sources
