#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/column_batch.h"
#include "core/result.h"
#include "retail/record_batch.h"
#include "sources/shared_strings.h"

namespace tillcast::sources {

/// Where the cells of scanned rows go: per column an array indexed by row.
struct SheetTarget {
  std::vector<std::string_view*> columns;
  std::vector<std::vector<retail::CellFlag>>* flags = nullptr;  ///< per column, made when first needed
  std::size_t rows_max = 0;
  TextArena* arena = nullptr;  ///< for text with entities
};

/// What became of one row.
struct SheetRow {
  std::int64_t number = 0;  ///< 1-based row of the sheet
  bool has_value = false;
  std::size_t beyond = 0;  ///< column index of a value right of the target's columns; 0 = none
  const char* begin = nullptr;
  const char* end = nullptr;
};

/// Scans the rows and cells of sheet XML in place (ECMA-376 part 1, 18.3): values are views into the XML
/// where they need no decoding. Knows missing and unordered cells, rows and cells without references, shared
/// and inline strings, booleans, errors, formula results and date styles; other elements are passed over.
/// Element names may carry a namespace prefix. 64 readable bytes must follow every chunk. One thread.
class SheetScanner {
 public:
  SheetScanner(std::shared_ptr<const SharedStrings> strings, std::vector<std::uint8_t> date_styles,
               bool epoch_1904)
      : strings_(std::move(strings)),
        date_styles_(std::move(date_styles)),
        date_flag_(epoch_1904 ? retail::CellFlag::kSerial1904 : retail::CellFlag::kSerial1900) {}

  /// Takes the namespace prefix from the root element, at the start of the sheet.
  void read_prefix(std::string_view start);

  /// Bytes of `chunk` that hold whole rows; the rest is to be scanned with what follows it.
  std::size_t whole_rows(std::string_view chunk) const;

  /// Scans from `at` to the end of the next row with its cells at index `row_index` of the target.
  /// @return false when the chunk has no further row; kInvalidInput for XML that cannot be understood.
  Result<bool> next_row(std::string_view chunk, std::size_t& at, const SheetTarget& target,
                        std::size_t row_index, SheetRow& row);

  bool finished() const { return finished_; }  ///< the end of the sheet's data was seen
  std::int64_t last_row() const { return last_row_; }

 private:
  const char* scan_row(const char* at, const char* end, const SheetTarget& target, std::size_t row_index,
                       SheetRow& row);
  const char* scan_cell(const char* at, const char* end, const SheetTarget& target, std::size_t row_index,
                        std::size_t& column, SheetRow& row);
  const char* scan_content(const char* at, const char* end, std::string_view& value, bool& inline_string,
                           TextArena& arena);
  bool starts_element(const char* at, const char* end, std::string_view name) const;
  bool ends_element(const char* at, const char* end, std::string_view name) const;

  std::shared_ptr<const SharedStrings> strings_;
  std::vector<std::uint8_t> date_styles_;
  retail::CellFlag date_flag_;
  std::string prefix_;  ///< "x:" or empty
  std::string row_tag_ = "<row";
  std::int64_t last_row_ = 0;
  bool finished_ = false;
  std::string fault_;
};

}  // namespace tillcast::sources
