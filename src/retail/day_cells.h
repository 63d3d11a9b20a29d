#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/civil_time.h"
#include "core/column_batch.h"
#include "core/time_zone.h"
#include "retail/column_mapping.h"
#include "retail/order_lines.h"
#include "retail/record_batch.h"
#include "retail/sale_columns.h"
#include "retail/value_columns.h"

namespace tillcast::retail {

/// Older days are refused as date_too_early: a slip of the year, which would stretch every calendar.
constexpr Date kFirstDay = date_from_civil(1900, 1, 1);

/// What is wrong with a day before kFirstDay or after `sales_until`, for people.
std::string misdated(std::int64_t day, std::optional<Date> sales_until);

/// The day columns of a wide file (one record a series, one column a day), and the sale lines in their cells.
/// Not thread-safe.
class DayCells {
 public:
  /// What a row's days share, and where it goes.
  struct Series {
    std::span<const std::size_t> shared;  ///< typed columns with one value for all days of a row
    std::span<const std::size_t> nulls;   ///< typed columns nobody fills
    std::uint64_t source_key = 1;
  };
  /// Refuses the cell of a day: row of the batch, header index of the day, the column at fault (or -1), why.
  using RefuseCell = std::function<void(std::size_t row, std::size_t day, int column, std::string_view reason,
                                        std::string_view message)>;

  DayCells() = default;
  /// Finds the day columns of `header`; none when the mapping is not wide.
  DayCells(const ColumnMapping& mapping, std::span<const std::string> header, const TimeZone& zone,
           const SaleColumns& sale, std::optional<Date> sales_until);

  bool empty() const { return days_.empty(); }
  bool is_day(std::size_t header_index) const;

  /// One sale line per filled cell, in the order of rows and days. An empty cell is no line, and a row with a
  /// fault refuses all its cells. Identity has no order: event_id covers source, product, store, customer,
  /// instant, quantity, and the number of the series' row when it is not the first.
  /// @param base   the columns that are no days, a row per record
  /// @return the number of filled cells: the lines in `typed` and the refused ones
  std::size_t expand(const RecordBatch& records, const ColumnBatch& base, const Series& series,
                     Faults& faults, OrderLines& lines, ColumnBatch& typed, TextArena& arena,
                     const RefuseCell& refuse) const;

 private:
  struct Day {
    std::size_t index;     ///< in the header
    std::int64_t instant;  ///< UTC micros of its midnight
    std::int64_t date;     ///< days since 1970-01-01
    bool too_late;         ///< for sales
  };

  std::vector<Day> days_;
  std::vector<std::string> names_;  ///< of days_, for messages
  SaleColumns sale_{};
  char decimal_separator_ = '.';
  std::string negative_kind_;
  std::optional<Date> sales_until_;
};

}  // namespace tillcast::retail
