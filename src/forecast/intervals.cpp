#include "forecast/intervals.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "forecast/driver_median.h"

namespace tillcast::forecast {
namespace {

constexpr std::size_t kPartMin = 200;  // residuals for quantiles of one part of the horizon
constexpr std::size_t kClassMin = 39;  // the 95 % conformal quantile exists from 39 residuals on
constexpr double kSpreadPrior = 20;    // own residuals that weigh as much as the class

/// How the error grows with the forecast: in proportion for regular demand, with the root for counts with
/// many zeros (as a Poisson's does). A floor keeps days with tiny forecasts from exploding the pool.
double size_factor(DemandClass demand_class, double forecast, double level) {
  const double size = std::max({forecast, 0.1 * level, 1e-9});
  return is_rare(demand_class) ? std::sqrt(size) : size;
}

/// Conformal quantile: the order statistic that keeps its promise for n exchangeable residuals, each of which
/// stands in the pool twice. Beyond the last one the largest is stretched by a quarter; the pool is then
/// called thin.
double conformal_quantile(std::span<const double> sorted, double share) {
  constexpr double kStretch = 1.25;
  const bool upper = share > 0.5;
  const std::size_t size = sorted.size();
  const double exact = (static_cast<double>(size) + 2) * (upper ? share : 1 - share);
  const auto rank = static_cast<std::size_t>(std::ceil(exact - 1e-9));
  if (rank > size) return (upper ? sorted.back() : sorted.front()) * kStretch;
  return upper ? sorted[rank - 1] : sorted[size - rank];
}

}  // namespace

IntervalCalibrator::IntervalCalibrator(std::size_t series_count, std::size_t horizon, bool non_negative)
    : horizon_(std::max<std::size_t>(horizon, 1)), non_negative_(non_negative), spread_(series_count, 0.0) {}

std::size_t IntervalCalibrator::part_of(std::size_t step) const {
  return std::min(kParts - 1, step * kParts / horizon_);
}

void IntervalCalibrator::add(const IntervalContext& context, double actual, double forecast, double level) {
  TILLCAST_CHECK(!finished_, "a residual after finish()");
  residuals_.push_back({context, (actual - forecast) / size_factor(context.demand_class, forecast, level)});
}

void IntervalCalibrator::find_origin_errors() {
  std::size_t origins = 0;
  for (const Residual& residual : residuals_) origins = std::max(origins, residual.context.origin + 1);
  // [class][origin][part], the last part being the whole horizon.
  std::vector<std::vector<double>> scores(kDemandClassCount * origins * (kParts + 1));
  const auto place = [&](std::size_t demand_class, std::size_t origin, std::size_t part) {
    return (demand_class * origins + origin) * (kParts + 1) + part;
  };
  for (const Residual& residual : residuals_) {
    const IntervalContext& of = residual.context;
    for (const std::size_t part : {part_of(of.step), kParts})
      scores[place(static_cast<std::size_t>(of.demand_class), of.origin, part)].push_back(score_of(residual));
  }
  const auto common_of = [](std::vector<double>& values, double otherwise) {
    return values.size() >= kClassMin ? median_of(values) : otherwise;
  };
  for (std::size_t c = 0; c < kDemandClassCount; ++c) {
    origin_error_[c].assign(origins, {});
    // Zeros are what rare demand is made of: moved by any common error they would not be zeros.
    if (is_rare(static_cast<DemandClass>(c))) continue;
    for (std::size_t origin = 0; origin < origins; ++origin) {
      const double of_all = common_of(scores[place(c, origin, kParts)], 0);
      for (std::size_t part = 0; part < kParts; ++part)
        origin_error_[c][origin][part] = common_of(scores[place(c, origin, part)], of_all);
    }
  }
}

void IntervalCalibrator::add_both(const Residual& residual, Pool& pool) const {
  const IntervalContext& of = residual.context;
  const double score = score_of(residual);
  const auto& common = origin_error_[static_cast<std::size_t>(of.demand_class)][of.origin];
  pool.push_back(score);
  pool.push_back(score - 2 * common[part_of(of.step)]);
}

std::array<double, 2> IntervalCalibrator::find_stretch(std::optional<DemandClass> demand_class,
                                                       const Progress& progress) const {
  constexpr std::array<double, 2> kLevels = {0.8, 0.95};
  std::array<std::vector<double>, 2> needed;  // per origin: the stretch at which it would just be covered
  for (std::size_t held = 0; held < origin_error_[0].size() && !progress.cancelled(); ++held) {
    Pool others;
    std::vector<double> own;
    for (const Residual& residual : residuals_) {
      if (demand_class && residual.context.demand_class != *demand_class) continue;
      if (residual.context.origin == held)
        own.push_back(score_of(residual));
      else
        add_both(residual, others);
    }
    if (others.size() < 2 * kClassMin || own.size() < kPartMin) continue;
    std::ranges::sort(others);
    for (std::size_t level = 0; level < kLevels.size(); ++level) {
      const double low = conformal_quantile(others, (1 - kLevels[level]) / 2);
      const double high = conformal_quantile(others, (1 + kLevels[level]) / 2);
      std::vector<double> ratios;
      for (const double score : own) {
        const double bound = score < 0 ? low : high;
        ratios.push_back(score == 0 ? 0.0 : bound * score > 0 ? score / bound : INFINITY);
      }
      const auto at = ratios.begin() +
                      static_cast<std::ptrdiff_t>(static_cast<double>(ratios.size() - 1) * kLevels[level]);
      std::nth_element(ratios.begin(), at, ratios.end());
      needed[level].push_back(*at);
    }
  }
  std::array<double, 2> stretch{1, 1};
  constexpr double kStretchMax = 2;
  for (std::size_t level = 0; level < kLevels.size(); ++level)
    if (!needed[level].empty()) stretch[level] = std::clamp(median_of(needed[level]), 1.0, kStretchMax);
  return stretch;
}

void IntervalCalibrator::finish(const Progress& progress) {
  finished_ = true;
  residual_count_ = residuals_.size();
  // Spread of a series: median |residual| of regular demand, mean |residual| of rare demand (whose median
  // says nothing), drawn towards that of its class when there are few.
  std::array<std::vector<double>, kDemandClassCount> by_class;
  std::vector<std::vector<double>> by_series(spread_.size());
  std::vector<DemandClass> class_of(spread_.size(), DemandClass::kNone);
  for (const Residual& residual : residuals_) {
    by_class[static_cast<std::size_t>(residual.context.demand_class)].push_back(std::abs(residual.scaled));
    by_series[residual.context.series].push_back(std::abs(residual.scaled));
    class_of[residual.context.series] = residual.context.demand_class;
  }
  const auto centre = [](std::vector<double>& values, DemandClass demand_class) {
    if (!is_rare(demand_class)) return median_of(values);
    double sum = 0;
    for (const double value : values) sum += value;
    return values.empty() ? 0.0 : sum / static_cast<double>(values.size());
  };
  for (std::size_t i = 0; i < kDemandClassCount; ++i)
    class_spread_[i] = std::max(centre(by_class[i], static_cast<DemandClass>(i)), 1e-6);
  for (std::size_t i = 0; i < spread_.size(); ++i) {
    const double of_class = class_spread_[static_cast<std::size_t>(class_of[i])];
    const auto count = static_cast<double>(by_series[i].size());
    if (by_series[i].empty()) continue;  // stays 0: interval() takes the class
    spread_[i] =
        (count * centre(by_series[i], class_of[i]) + kSpreadPrior * of_class) / (count + kSpreadPrior);
  }
  find_origin_errors();
  for (const Residual& residual : residuals_) {
    const auto demand_class = static_cast<std::size_t>(residual.context.demand_class);
    add_both(residual, parts_[demand_class][part_of(residual.context.step)]);
    add_both(residual, classes_[demand_class]);
    add_both(residual, all_);
  }
  const auto sort = [&progress](Pool& pool) {
    if (!progress.cancelled()) std::ranges::sort(pool);
  };
  for (auto& parts : parts_)
    for (Pool& pool : parts) sort(pool);
  for (Pool& pool : classes_) sort(pool);
  sort(all_);
  for (std::size_t i = 0; i < kDemandClassCount; ++i)
    class_stretch_[i] = find_stretch(static_cast<DemandClass>(i), progress);
  all_stretch_ = find_stretch(std::nullopt, progress);
  residuals_ = {};
}

double IntervalCalibrator::score_of(const Residual& residual) const {
  return residual.scaled / spread_[residual.context.series];
}

bool IntervalCalibrator::thin(DemandClass demand_class) const {
  return classes_[static_cast<std::size_t>(demand_class)].size() < 2 * kClassMin &&
         all_.size() < 2 * kClassMin;
}

const IntervalCalibrator::Pool& IntervalCalibrator::pool_for(const IntervalContext& context) const {
  const auto demand_class = static_cast<std::size_t>(context.demand_class);
  const Pool& part = parts_[demand_class][part_of(context.step)];
  if (part.size() >= 2 * kPartMin) return part;
  if (classes_[demand_class].size() >= 2 * kClassMin) return classes_[demand_class];
  return all_;
}

double IntervalCalibrator::spread_of(const IntervalContext& context) const {
  const auto demand_class = static_cast<std::size_t>(context.demand_class);
  if (spread_[context.series] > 0) return spread_[context.series];
  if (!classes_[demand_class].empty()) return class_spread_[demand_class];
  // A class without any residual, such as that of series without sales: the widest of the others.
  double widest = 0;
  for (std::size_t i = 0; i < kDemandClassCount; ++i)
    if (!classes_[i].empty()) widest = std::max(widest, class_spread_[i]);
  return widest;
}

void IntervalCalibrator::quantiles(const IntervalContext& context, double forecast, double level,
                                   std::span<const double> shares, std::span<double> out) const {
  TILLCAST_CHECK(finished_, "quantiles() before finish()");
  TILLCAST_CHECK(shares.size() == out.size(), "one quantile for each share");
  const Pool& pool = pool_for(context);
  if (pool.empty()) {
    std::ranges::fill(out, forecast);
    return;
  }
  const double unit = spread_of(context) * size_factor(context.demand_class, forecast, level);
  const auto& stretch =
      &pool == &all_ ? all_stretch_ : class_stretch_[static_cast<std::size_t>(context.demand_class)];
  const double floor = non_negative_ ? std::min(0.0, forecast) : -INFINITY;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    // The stretch of the 80 % interval inside it, that of the 95 % interval beyond, a straight line between.
    const double part = std::clamp((std::abs(shares[i] - 0.5) - 0.4) / 0.075, 0.0, 1.0);
    const double by = stretch[0] + part * (stretch[1] - stretch[0]);
    out[i] = std::max(forecast + conformal_quantile(pool, shares[i]) * by * unit, floor);
  }
  std::ranges::sort(out);
}

Interval IntervalCalibrator::interval(const IntervalContext& context, double forecast, double level) const {
  constexpr std::array<double, 4> kShares = {0.025, 0.1, 0.9, 0.975};
  std::array<double, 4> bounds{};
  quantiles(context, forecast, level, kShares, bounds);
  Interval result;
  result.lo80 = std::min(bounds[1], forecast);
  result.lo95 = std::min(bounds[0], forecast);
  result.hi80 = std::max(bounds[2], forecast);
  result.hi95 = std::max(bounds[3], forecast);
  return result;
}

}  // namespace tillcast::forecast
