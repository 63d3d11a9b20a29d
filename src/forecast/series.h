#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/civil_time.h"
#include "core/result.h"

namespace tillcast::forecast {

/// Length of one period. Weeks start on Monday, months on the first.
enum class Grain : std::uint8_t { kDaily, kWeekly, kMonthly };

/// "day", "week", "month".
std::string_view grain_name(Grain grain);
/// Periods in the season that matters first: 7 days, 52 weeks, 12 months.
int season_length(Grain grain);
/// First day of the period that holds `date`.
Date period_start(Date date, Grain grain);
/// First day of the period `periods` after (or, negative, before) the one that holds `date`.
Date advance_period(Date date, Grain grain, std::int64_t periods);
/// Number of periods from the one that holds `from` to the one that holds `to`; negative when `to` is
/// earlier.
std::int64_t periods_between(Date from, Date to, Grain grain);

/// What a date without a row means.
enum class GapRule : std::uint8_t {
  kAuto,    ///< kMasked when the table has an open column (the shop reports every open day), else kZero
  kZero,    ///< nothing was sold
  kMasked,  ///< unknown: never learnt, never scored
};

struct SeriesOptions {
  Grain grain = Grain::kDaily;
  /// Last day whose values may be seen. Default: the last day in the table. Rows after it give drivers only.
  std::optional<Date> cut;
  /// Last day whose drivers (promotion, open, price) are known ahead. Default: the last day in the table.
  std::optional<Date> drivers_until;
  GapRule gaps = GapRule::kAuto;
  bool trim_leading_zeros = true;  ///< a series starts with its first sale
  /// Leaves out the week or month that the cut divides, and the one in which the table begins when it begins
  /// in its middle: half a week is not a week of low demand.
  bool drop_partial_periods = true;
};

/// How the rows of a period become one value of a driver.
enum class DriverKind : std::uint8_t {
  kNumber,    ///< mean of the known values: temperature, price index
  kFlag,      ///< 0 or 1; in longer periods the share of days: school holiday
  kCategory,  ///< 0 = none, 1.. = kinds; in longer periods the share of days that are not 0: state holiday
};

/// A named column of numbers beside the sales, one per row of a LongTable; NaN = unknown.
struct DriverColumn {
  std::string name;
  DriverKind kind = DriverKind::kNumber;
  std::span<const float> value;
};

/// A driver of one series: one value per period and known future period; NaN = unknown.
struct Driver {
  std::string name;
  DriverKind kind = DriverKind::kNumber;
  std::vector<float> value;
};

/// A day with a name that comes back every year, such as Christmas Day.
struct NamedDay {
  Date date;
  std::int32_t name = 0;  ///< number of the name, the same in all calendars of a run
  bool operator==(const NamedDay&) const = default;
};

/// The named days of a place, and what the series of the run did on those that are over.
struct NamedDays {
  std::vector<NamedDay> days;       ///< by date, beyond the data as far as forecasts may reach
  std::vector<std::int8_t> traded;  ///< by day: 1 = a series was open, 0 = all that tell were closed, -1 =
                                    ///< none tells; see share_named_days()
};

/// What is known of series and does not change: the type of a store, the category of a product.
struct AttributeColumn {
  std::string name;
  bool is_category = false;          ///< values are codes 0.. without order
  std::vector<float> value;          ///< one per series; NaN = unknown
  std::vector<std::string> words{};  ///< of a category, by code, where they are known: for people
};

/// Sales in long form, one row per series and day (several are added up). All columns have the same length,
/// optional ones may be empty. Rows in any order.
struct LongTable {
  std::span<const std::int32_t> series;  ///< 0 .. series_count-1
  std::span<const Date> date;
  std::span<const double> value;           ///< units or revenue of the day; ignored after the cut
  std::span<const std::int8_t> promotion;  ///< optional: 0, 1, or -1 = unknown
  std::span<const std::int8_t> open;       ///< optional: 0 = closed, 1 = open, -1 = unknown
  std::span<const double> price;           ///< optional: NaN = unknown
  std::size_t series_count = 0;
  std::vector<DriverColumn> drivers{};  ///< more drivers, known as far ahead as they have rows
};

/// One aligned series: a value per period from `start` to the cut, no gaps. Drivers may reach beyond the cut.
struct Series {
  std::size_t index = 0;  ///< the number of the series in the table
  Grain grain = Grain::kDaily;
  Date start;                          ///< first day of the first period
  std::vector<double> value;           ///< one per period; 0 where masked
  std::vector<std::uint8_t> masked;    ///< 1 = closed or unknown: never learnt as low demand, never scored
  std::vector<std::int8_t> promotion;  ///< empty, or one per period and known future period: 0, 1, -1
  std::vector<std::int8_t> open;       ///< likewise; 0 only when the whole period is closed
  std::vector<double> price;           ///< likewise; NaN = unknown
  std::vector<Driver> drivers;         ///< more drivers, in the order of the table
  std::shared_ptr<const NamedDays> named_days;  ///< of its place; nullptr = none are known
  std::string refused;                          ///< not empty: why the series cannot be used (NaN, infinity)

  std::size_t size() const { return value.size(); }
  Date date_at(std::size_t period) const {
    return advance_period(start, grain, static_cast<std::int64_t>(period));
  }
};

/// Builds one series per number of the table, in order; series without any sale have size 0. Values that are
/// not finite refuse their series, not the run. Pure, thread-safe; memory is one value per series and period.
/// @return kInvalidInput when columns differ in length or a series number is out of range.
Result<std::vector<Series>> build_series(const LongTable& table, const SeriesOptions& options);

}  // namespace tillcast::forecast
