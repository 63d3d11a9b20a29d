#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/column_batch.h"
#include "core/time_zone.h"
#include "retail/column_mapping.h"
#include "retail/date_format.h"
#include "retail/record_batch.h"

namespace tillcast::retail {

/// Why a row is refused.
struct Fault {
  std::uint32_t row = 0;     ///< in the record batch
  std::int32_t column = -1;  ///< header index; -1 = the whole row
  std::string_view reason;   ///< stable word
  std::string message;
};

/// The refused rows of a batch; the first fault of a row counts.
class Faults {
 public:
  void reset(std::size_t rows) {
    failed_.assign(rows, 0);
    list_.clear();
  }
  void add(std::size_t row, int column, std::string_view reason, std::string message) {
    if (failed_[row] != 0) return;
    failed_[row] = 1;
    list_.push_back({static_cast<std::uint32_t>(row), column, reason, std::move(message)});
  }
  void sort_by_row() { std::ranges::sort(list_, {}, &Fault::row); }
  bool failed(std::size_t row) const { return failed_[row] != 0; }
  const std::vector<std::uint8_t>& flags() const { return failed_; }
  const std::vector<Fault>& list() const { return list_; }

 private:
  std::vector<std::uint8_t> failed_;
  std::vector<Fault> list_;
};

/// Makes `column` hold `rows` values, none null. Keeps its buffers.
void prepare_column(Column& column, std::size_t rows);

/// Marks a value as null.
void set_null(Column& column, std::size_t row);

/// One source column on its way to a field: text in, typed values and faults out. One object per column and
/// file; it remembers the last date read, because neighbouring rows share it. Not thread-safe.
class ValueColumn {
 public:
  ValueColumn(const FieldSpec& field, const ColumnSource& source, std::string header_name, int header_index,
              char decimal_separator, std::string fallback);

  /// The zone of written times; outlives this object.
  void set_zone(const TimeZone* zone) { zone_ = zone; }

  /// Converts the column of `records` into `out` (and the local calendar day into `dates` for instants).
  /// Changed text goes to `arena`.
  void convert(const RecordBatch& records, Column& out, Column* dates, TextArena& arena, Faults& faults);

  const FieldSpec& field() const { return *field_; }
  int header_index() const { return header_index_; }

  /// Reads a number of 10^-scale. @return false with the reason.
  static bool read_number(std::string_view text, char decimal_separator, int scale, std::int64_t& units,
                          std::string_view& reason);

 private:
  void convert_text(std::span<const std::string_view> in, Column& out, TextArena& arena, Faults& faults);
  void convert_numbers(std::span<const std::string_view> in, int scale, Column& out, Faults& faults);
  void convert_bools(std::span<const std::string_view> in, Column& out, Faults& faults);
  void convert_kinds(std::span<const std::string_view> in, Column& out, Faults& faults);
  void convert_dates(const RecordBatch& records, Column& out, Column* dates, Faults& faults);
  void no_value(std::size_t row, Column& out, Faults& faults);
  bool is_null_word(std::string_view text) const;

  const FieldSpec* field_;
  const ColumnSource* source_;
  std::string header_name_;
  int header_index_;
  char decimal_separator_;
  std::string fallback_;  ///< text for empty values; empty = null
  const TimeZone* zone_ = nullptr;
  std::vector<DateFormat> formats_;
  std::string expected_formats_;
};

/// Trims ASCII white space.
std::string_view trim(std::string_view text);

}  // namespace tillcast::retail
