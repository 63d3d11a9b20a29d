#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tillcast::retail {

/// What a reader knows about a cell besides its text. Files of text have kPlain cells only.
enum class CellFlag : std::uint8_t {
  kPlain,       ///< the text says it all
  kSerial1900,  ///< a number with a date style: days since 1899-12-30
  kSerial1904,  ///< the same in a workbook with the 1904 date system
  kError,       ///< a spreadsheet error such as #N/A
};

/// A record that could not be split into its columns.
struct BadRecord {
  std::int64_t row = 0;     ///< 1 = first data row
  std::string_view reason;  ///< stable word, e.g. "wrong_field_count"; points to static storage
  std::string message;      ///< for people
  std::string raw;          ///< as received, cut at 4 KiB, undecodable bytes written as \xHH
};

/// Raw records in columns, aligned with the reader's header. All text is UTF-8.
/// Views point into `owners`; copying a batch shares them. Not thread-safe while it is filled.
struct RecordBatch {
  std::vector<std::vector<std::string_view>> columns;  ///< [header index][row]
  std::vector<std::vector<CellFlag>> flags;  ///< [header index][row]; empty per column without flagged cells
  std::vector<std::int64_t> row_numbers;     ///< 1 = first data row; blank lines do not count
  std::size_t rows = 0;
  std::vector<BadRecord> bad_records;
  std::vector<std::shared_ptr<const void>> owners;

  CellFlag flag(std::size_t column, std::size_t row) const {
    return column >= flags.size() || flags[column].empty() ? CellFlag::kPlain : flags[column][row];
  }
  /// Forgets the rows, keeps the capacity, sets the number of columns.
  void reset(std::size_t column_count) {
    columns.resize(column_count);
    flags.resize(column_count);
    for (auto& column : columns) column.clear();
    for (auto& column : flags) column.clear();
    row_numbers.clear();
    rows = 0;
    bad_records.clear();
    owners.clear();
  }
};

}  // namespace tillcast::retail
