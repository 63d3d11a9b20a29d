#include "forecast/series.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tillcast::forecast {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

/// Number of the period that holds `date`, counted from some fixed day.
std::int64_t period_number(Date date, Grain grain) {
  switch (grain) {
    case Grain::kDaily:
      return date.days;
    case Grain::kWeekly:
      return floor_divide(date.days + 3, 7);  // 1970-01-01 was a Thursday
    case Grain::kMonthly: {
      const CivilDate civil = civil_from_date(date);
      return static_cast<std::int64_t>(civil.year) * 12 + civil.month - 1;
    }
  }
  return 0;
}

Date period_date(std::int64_t number, Grain grain) {
  switch (grain) {
    case Grain::kDaily:
      return {static_cast<std::int32_t>(number)};
    case Grain::kWeekly:
      return {static_cast<std::int32_t>(number * 7 - 3)};
    case Grain::kMonthly: {
      const std::int64_t year = floor_divide(number, 12);
      return date_from_civil(static_cast<int>(year), static_cast<int>(number - year * 12) + 1, 1);
    }
  }
  return {};
}

/// Rows of one series, found by counting sort so that any table order costs two passes.
struct RowIndex {
  std::vector<std::size_t> begin;
  std::vector<std::uint32_t> rows;
};

RowIndex index_rows(const LongTable& table) {
  RowIndex index;
  index.begin.assign(table.series_count + 1, 0);
  for (const std::int32_t id : table.series) ++index.begin[static_cast<std::size_t>(id) + 1];
  for (std::size_t i = 1; i < index.begin.size(); ++i) index.begin[i] += index.begin[i - 1];
  index.rows.resize(table.series.size());
  std::vector<std::size_t> next(index.begin.begin(), index.begin.end() - 1);
  for (std::size_t row = 0; row < table.series.size(); ++row)
    index.rows[next[static_cast<std::size_t>(table.series[row])]++] = static_cast<std::uint32_t>(row);
  return index;
}

/// Sums over the days of one period.
struct PeriodDays {
  double value = 0;
  double price = 0;
  int prices = 0;
  int promoted = 0;
  int promotion_known = 0;
  int closed = 0;
  int open = 0;
  bool any_row = false;
};

/// One driver's rows summed over the days of each period.
Driver build_driver(const LongTable& table, const DriverColumn& column, const SeriesOptions& options,
                    std::span<const std::uint32_t> rows, std::int64_t first, std::size_t periods, Date cut) {
  Driver driver{column.name, column.kind, std::vector<float>(periods, 0.0F)};
  std::vector<std::uint16_t> known(periods, 0);
  const bool share = options.grain != Grain::kDaily && column.kind == DriverKind::kCategory;
  for (const std::uint32_t row : rows) {
    const std::int64_t period = period_number(table.date[row], options.grain) - first;
    if (period < 0 || period >= static_cast<std::int64_t>(periods)) continue;
    if (options.drivers_until && table.date[row] > std::max(*options.drivers_until, cut)) continue;
    const float value = column.value[row];
    if (!std::isfinite(value)) continue;
    const auto at = static_cast<std::size_t>(period);
    driver.value[at] += share ? (value != 0 ? 1.0F : 0.0F) : value;
    ++known[at];
  }
  for (std::size_t at = 0; at < periods; ++at)
    driver.value[at] = known[at] == 0 ? std::numeric_limits<float>::quiet_NaN()
                                      : driver.value[at] / static_cast<float>(known[at]);
  return driver;
}

struct Bounds {
  std::int64_t first = 0;    ///< first period that may be used
  std::int64_t last = 0;     ///< last period with values
  std::int64_t drivers = 0;  ///< last period with drivers
};

Series build_one(const LongTable& table, const SeriesOptions& options, std::span<const std::uint32_t> rows,
                 std::size_t number, Date cut, const Bounds& bounds, GapRule gaps,
                 std::vector<PeriodDays>& days) {
  const Grain grain = options.grain;
  Series series;
  series.index = number;
  series.grain = grain;
  std::int64_t first = bounds.last + 1;
  for (const std::uint32_t row : rows) {
    if (table.date[row] > cut) continue;
    const std::int64_t period = period_number(table.date[row], grain);
    const double value = table.value[row];
    if (!std::isfinite(value)) {
      series.refused = "value of " + format_date(table.date[row]) + " is " +
                       (std::isnan(value) ? "NaN" : "infinite") +
                       ", expected a number; correct or remove the row";
      return series;
    }
    if (period < bounds.first || (options.trim_leading_zeros && value == 0)) continue;
    first = std::min(first, period);
  }
  if (first > bounds.last) {
    series.start = period_date(bounds.last + 1, grain);
    return series;
  }
  series.start = period_date(first, grain);
  const auto observed = static_cast<std::size_t>(bounds.last - first + 1);
  const auto with_drivers = static_cast<std::size_t>(std::max(bounds.drivers, bounds.last) - first + 1);
  days.assign(with_drivers, {});
  for (const std::uint32_t row : rows) {
    const std::int64_t period = period_number(table.date[row], grain);
    if (period < first || period - first >= static_cast<std::int64_t>(with_drivers)) continue;
    if (options.drivers_until && table.date[row] > std::max(*options.drivers_until, cut)) continue;
    PeriodDays& at = days[static_cast<std::size_t>(period - first)];
    at.any_row = true;
    if (table.date[row] <= cut) at.value += table.value[row];
    if (!table.open.empty() && table.open[row] >= 0) ++(table.open[row] == 0 ? at.closed : at.open);
    if (!table.promotion.empty() && table.promotion[row] >= 0) {
      ++at.promotion_known;
      at.promoted += table.promotion[row] > 0 ? 1 : 0;
    }
    if (!table.price.empty() && std::isfinite(table.price[row])) {
      at.price += table.price[row];
      ++at.prices;
    }
  }
  series.value.resize(observed);
  series.masked.resize(observed);
  for (std::size_t i = 0; i < observed; ++i) {
    const PeriodDays& at = days[i];
    const bool closed = at.closed > 0 && at.open == 0;
    series.masked[i] = (closed && at.value == 0) || (!at.any_row && gaps == GapRule::kMasked) ? 1 : 0;
    series.value[i] = series.masked[i] != 0 ? 0 : at.value;
  }
  if (!table.promotion.empty()) {
    series.promotion.resize(with_drivers);
    for (std::size_t i = 0; i < with_drivers; ++i)
      series.promotion[i] = days[i].promotion_known == 0 ? std::int8_t{-1}
                            : 2 * days[i].promoted >= days[i].promotion_known && days[i].promoted > 0
                                ? std::int8_t{1}
                                : std::int8_t{0};
  }
  if (!table.open.empty()) {
    series.open.resize(with_drivers);
    for (std::size_t i = 0; i < with_drivers; ++i)
      series.open[i] = days[i].open > 0     ? std::int8_t{1}
                       : days[i].closed > 0 ? std::int8_t{0}
                                            : std::int8_t{-1};
  }
  if (!table.price.empty()) {
    series.price.resize(with_drivers);
    for (std::size_t i = 0; i < with_drivers; ++i)
      series.price[i] = days[i].prices > 0 ? days[i].price / days[i].prices : kUnknown;
  }
  for (const DriverColumn& column : table.drivers)
    series.drivers.push_back(build_driver(table, column, options, rows, first, with_drivers, cut));
  return series;
}

}  // namespace

std::string_view grain_name(Grain grain) {
  switch (grain) {
    case Grain::kDaily:
      return "day";
    case Grain::kWeekly:
      return "week";
    case Grain::kMonthly:
      return "month";
  }
  return "day";
}

int season_length(Grain grain) {
  switch (grain) {
    case Grain::kDaily:
      return 7;
    case Grain::kWeekly:
      return 52;
    case Grain::kMonthly:
      return 12;
  }
  return 1;
}

Date period_start(Date date, Grain grain) { return period_date(period_number(date, grain), grain); }

Date advance_period(Date date, Grain grain, std::int64_t periods) {
  return period_date(period_number(date, grain) + periods, grain);
}

std::int64_t periods_between(Date from, Date to, Grain grain) {
  return period_number(to, grain) - period_number(from, grain);
}

Result<std::vector<Series>> build_series(const LongTable& table, const SeriesOptions& options) {
  const std::size_t rows = table.series.size();
  const auto length_differs = [rows](std::size_t size, bool optional) {
    return size != rows && !(optional && size == 0);
  };
  if (length_differs(table.date.size(), false) || length_differs(table.value.size(), false) ||
      length_differs(table.promotion.size(), true) || length_differs(table.open.size(), true) ||
      length_differs(table.price.size(), true))
    return invalid_input(
        "series table: the column series has " + std::to_string(rows) +
        " rows; date and value must have as many, promotion, open and price as many or none");
  for (const DriverColumn& column : table.drivers)
    if (column.value.size() != rows)
      return invalid_input("series table: the driver " + column.name + " has " +
                           std::to_string(column.value.size()) + " rows, expected " + std::to_string(rows));
  if (rows > std::numeric_limits<std::uint32_t>::max())
    return invalid_input("series table: more than 4,294,967,295 rows; split it by series");
  for (std::size_t row = 0; row < rows; ++row)
    if (table.series[row] < 0 || static_cast<std::size_t>(table.series[row]) >= table.series_count)
      return invalid_input("series table: row " + std::to_string(row) + " has series " +
                           std::to_string(table.series[row]) + ", expected 0 to " +
                           std::to_string(table.series_count) + " - 1");
  std::vector<Series> result(table.series_count);
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i].index = i;
    result[i].grain = options.grain;
  }
  if (rows == 0) return result;

  const auto [earliest, latest] = std::ranges::minmax(table.date);
  const Date cut = options.cut.value_or(latest);
  const Date drivers_until = std::min(options.drivers_until.value_or(latest), latest);
  Bounds bounds;
  bounds.first = period_number(earliest, options.grain);
  bounds.last = period_number(cut, options.grain);
  bounds.drivers = std::max(period_number(drivers_until, options.grain), bounds.last);
  if (options.drop_partial_periods) {
    if (period_date(bounds.first, options.grain) < earliest) ++bounds.first;
    if (period_date(bounds.last + 1, options.grain) > Date{cut.days + 1}) --bounds.last;
  }
  const GapRule gaps = options.gaps != GapRule::kAuto ? options.gaps
                       : table.open.empty()           ? GapRule::kZero
                                                      : GapRule::kMasked;
  const RowIndex index = index_rows(table);
  std::vector<PeriodDays> days;
  for (std::size_t i = 0; i < result.size(); ++i) {
    const auto mine = std::span(index.rows).subspan(index.begin[i], index.begin[i + 1] - index.begin[i]);
    result[i] = build_one(table, options, mine, i, cut, bounds, gaps, days);
  }
  return result;
}

}  // namespace tillcast::forecast
