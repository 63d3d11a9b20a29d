#include "forecast/drivers.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace tillcast::forecast {
namespace {

constexpr double kStockOutShareMax = 0.25;

/// Calls each(period, value) for the known days of the series' history and `ahead` periods after it.
template <class Each>
void for_each_day(const Series& series, DatedValues days, std::size_t ahead, Each each) {
  const auto periods = static_cast<std::int64_t>(series.size() + ahead);
  const auto from = std::ranges::lower_bound(days.date, series.start);
  for (auto at = static_cast<std::size_t>(from - days.date.begin()); at < days.date.size(); ++at) {
    const std::int64_t period = periods_between(series.start, days.date[at], series.grain);
    if (period >= periods) break;
    if (std::isfinite(days.value[at])) each(static_cast<std::size_t>(period), days.value[at]);
  }
}

/// Mean and number of the known days of each period; `map` turns a day's value into what is averaged.
struct PeriodMeans {
  std::vector<float> mean;
  std::vector<std::uint16_t> known;
};

template <class Map>
PeriodMeans period_means(const Series& series, DatedValues days, std::size_t ahead, Map map) {
  PeriodMeans means{std::vector<float>(series.size() + ahead, 0.0F),
                    std::vector<std::uint16_t>(series.size() + ahead, 0)};
  for_each_day(series, days, ahead, [&](std::size_t period, float value) {
    means.mean[period] += map(value);
    ++means.known[period];
  });
  for (std::size_t i = 0; i < means.mean.size(); ++i)
    means.mean[i] = means.known[i] == 0 ? kUnknownDriver : means.mean[i] / static_cast<float>(means.known[i]);
  return means;
}

/// The period of the first known day, or none.
std::optional<std::size_t> first_known(const Series& series, DatedValues days, std::size_t ahead) {
  std::optional<std::size_t> first;
  for_each_day(series, days, ahead, [&first](std::size_t period, float) {
    if (!first) first = period;
  });
  return first;
}

float as_it_is(float value) { return value; }
float as_flag(float value) { return value != 0 ? 1.0F : 0.0F; }

/// Fills the flags of the periods that are unknown (-1).
template <class Decide>
void fill_flags(std::vector<std::int8_t>& flags, const PeriodMeans& means, Decide decide) {
  const bool any = std::ranges::any_of(means.known, [](std::uint16_t known) { return known > 0; });
  if (!any) return;
  if (flags.size() < means.mean.size()) flags.resize(means.mean.size(), -1);
  for (std::size_t i = 0; i < means.mean.size(); ++i)
    if (flags[i] < 0 && means.known[i] > 0)
      flags[i] = decide(means.mean[i]) ? std::int8_t{1} : std::int8_t{0};
}

}  // namespace

void add_driver(Series& series, std::string_view name, DriverKind kind, DatedValues days, std::size_t ahead) {
  const bool share = kind == DriverKind::kCategory && series.grain != Grain::kDaily;
  PeriodMeans means = period_means(series, days, ahead, share ? as_flag : as_it_is);
  const auto at = std::ranges::find(series.drivers, name, &Driver::name);
  if (at == series.drivers.end()) {
    series.drivers.push_back({std::string(name), kind, std::move(means.mean)});
    return;
  }
  if (at->value.size() < means.mean.size()) at->value.resize(means.mean.size(), kUnknownDriver);
  for (std::size_t i = 0; i < means.mean.size(); ++i)
    if (std::isnan(at->value[i])) at->value[i] = means.mean[i];
}

void fill_promotion(Series& series, DatedValues days, std::size_t ahead) {
  fill_flags(series.promotion, period_means(series, days, ahead, as_flag),
             [](float share) { return share >= 0.5F; });
}

void fill_open(Series& series, DatedValues days, std::size_t ahead) {
  fill_flags(series.open, period_means(series, days, ahead, as_flag), [](float share) { return share > 0; });
  for (std::size_t i = 0; i < series.size() && i < series.open.size(); ++i)
    if (series.open[i] == 0 && series.value[i] == 0) series.masked[i] = 1;
}

void fill_price(Series& series, DatedValues days, std::size_t ahead) {
  const PeriodMeans means = period_means(series, days, ahead, as_it_is);
  if (std::ranges::all_of(means.known, [](std::uint16_t known) { return known == 0; })) return;
  if (series.price.size() < means.mean.size())
    series.price.resize(means.mean.size(), std::numeric_limits<double>::quiet_NaN());
  for (std::size_t i = 0; i < means.mean.size(); ++i)
    if (std::isnan(series.price[i])) series.price[i] = static_cast<double>(means.mean[i]);
}

void replace_promotion(Series& series, DatedValues days, std::size_t ahead) {
  const auto first = first_known(series, days, ahead);
  if (!first) return;
  series.promotion.resize(std::min(series.promotion.size(), *first));
  const bool any = std::ranges::any_of(series.promotion, [](std::int8_t flag) { return flag >= 0; });
  if (any) std::ranges::replace(series.promotion, std::int8_t{-1}, std::int8_t{0});
  fill_promotion(series, days, ahead);
}

void replace_price(Series& series, DatedValues days, std::size_t ahead) {
  const auto first = first_known(series, days, ahead);
  if (!first) return;
  series.price.resize(std::min(series.price.size(), *first));
  for (std::size_t i = 1; i < series.price.size(); ++i)
    if (std::isnan(series.price[i])) series.price[i] = series.price[i - 1];
  fill_price(series, days, ahead);
}

std::size_t mask_stock_outs(Series& series, DatedValues in_stock) {
  std::vector<double> out(series.size(), 0.0);
  for_each_day(series, in_stock, 0, [&](std::size_t period, float value) {
    out[period] += 1.0 - std::clamp(static_cast<double>(value), 0.0, 1.0);
  });
  std::size_t masked = 0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    const auto days = static_cast<double>(series.date_at(i + 1).days - series.date_at(i).days);
    if (out[i] <= kStockOutShareMax * days || series.masked[i] != 0) continue;
    series.masked[i] = 1;
    series.value[i] = 0;
    ++masked;
  }
  return masked;
}

const Driver* find_driver(const Series& series, std::string_view name) {
  const auto at = std::ranges::find(series.drivers, name, &Driver::name);
  return at == series.drivers.end() ? nullptr : &*at;
}

std::string period_list(const Series& series, std::span<const std::size_t> ahead, std::size_t runs_max) {
  std::string text;
  std::size_t runs = 0;
  for (std::size_t from = 0; from < ahead.size();) {
    std::size_t to = from;
    while (to + 1 < ahead.size() && ahead[to + 1] == ahead[to] + 1) ++to;
    if (runs == runs_max) return text + " and more";
    text += (runs == 0 ? "" : " and ") + format_date(series.date_at(series.size() + ahead[from]));
    if (to > from) text += " … " + format_date(series.date_at(series.size() + ahead[to]));
    ++runs;
    from = to + 1;
  }
  return text;
}

}  // namespace tillcast::forecast
