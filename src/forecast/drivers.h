#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/civil_time.h"
#include "forecast/series.h"

namespace tillcast::forecast {

/// A driver's value where nobody knows it.
constexpr float kUnknownDriver = std::numeric_limits<float>::quiet_NaN();

/// Values by day, dates ascending and each there once; NaN = unknown. Both spans have the same length.
struct DatedValues {
  std::span<const Date> date;
  std::span<const float> value;
};

/// Gives a series one more driver, or fills the unknown periods of the one it has under that name. A value of
/// a week or month is made of its days as DriverKind says. Periods before the series and more than `ahead`
/// periods after its last value are left out; days without a value stay unknown. Pure.
void add_driver(Series& series, std::string_view name, DriverKind kind, DatedValues days, std::size_t ahead);

/// Promotion (0, 1), price or opening (0 = closed, 1 = open) of days that the series knows nothing about;
/// what it knows stays. A longer period is on promotion when half of its known days are, has the mean price,
/// and is closed when all its known days are.
void fill_promotion(Series& series, DatedValues days, std::size_t ahead);
void fill_price(Series& series, DatedValues days, std::size_t ahead);
void fill_open(Series& series, DatedValues days, std::size_t ahead);

/// The same where the series has them from sale lines, which tell of sold days alone: from its first day on
/// the given plan takes their place, so that no day's flag or price says whether it sold. Days before it that
/// had no sale count as not on promotion, and keep the last price. Without a plan nothing changes.
void replace_promotion(Series& series, DatedValues days, std::size_t ahead);
void replace_price(Series& series, DatedValues days, std::size_t ahead);

/// Masks the periods in which goods were out of stock, whatever was sold in them: a stock-out must not be
/// learnt as low demand, and its first day sells a part. `in_stock` is 1 or 0, or the share of the shops of a
/// total that had the goods. A period is masked when more than a quarter of it was out of stock.
/// @return how many periods were masked by it
std::size_t mask_stock_outs(Series& series, DatedValues in_stock);

/// The driver of that name, or nullptr.
const Driver* find_driver(const Series& series, std::string_view name);

/// "2015-08-03", "2015-08-03 … 2015-09-13", "2015-08-03 … 2015-08-07 and 2015-08-10": the first days of
/// periods as people read them, at most `runs_max` runs.
std::string period_list(const Series& series, std::span<const std::size_t> ahead, std::size_t runs_max = 3);

}  // namespace tillcast::forecast
