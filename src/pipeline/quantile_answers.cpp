#include "pipeline/quantile_answers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "forecast/error_windows.h"
#include "forecast/quantiles.h"
#include "forecast/series.h"
#include "pipeline/plan_quantiles.h"
#include "pipeline/plan_series.h"

namespace tillcast::pipeline {
namespace {

constexpr std::size_t kFarSteps = kPeriodsAheadMax;
constexpr std::array<double, 4> kSumBounds = {0.025, 0.1, 0.9, 0.975};

/// lo95, lo80, mean, hi80, hi95 of a point, never falling.
using Anchors = std::array<double, 5>;

Anchors anchors_of(const ForecastPoint& point) {
  Anchors anchors{point.mean, point.mean, point.mean, point.mean, point.mean};
  for (const auto& interval : point.intervals) {
    const std::size_t out = interval.level == 95 ? 2 : 1;
    anchors[2 - out] = interval.low;
    anchors[2 + out] = interval.high;
  }
  std::ranges::sort(anchors);
  return anchors;
}

/// The value that lies among `to` where `value` lies among `from`; beyond the outermost in their proportion.
double moved_between(double value, const Anchors& from, const Anchors& to) {
  const auto stretch = [&](std::size_t outer) {
    const double width = std::abs(from[outer] - from[2]);
    return width > 0 ? std::abs(to[outer] - to[2]) / width : 0.0;
  };
  if (value <= from[0]) return to[0] - (from[0] - value) * stretch(0);
  if (value >= from[4]) return to[4] + (value - from[4]) * stretch(4);
  std::size_t after = 1;
  while (after < 4 && value > from[after]) ++after;
  const double width = from[after] - from[after - 1];
  const double part = width > 0 ? (value - from[after - 1]) / width : 1.0;
  return to[after - 1] + part * (to[after] - to[after - 1]);
}

/// Quantiles and bounds of the last stored season together: the shape of what lies beyond.
struct Shape {
  Anchors anchors{};
  std::vector<double> quantiles;
};

Shape last_shape(const SeriesForecast& stored, const StoredQuantiles& quantiles, std::size_t season) {
  const std::size_t shares = quantiles.shares->size();
  Shape shape;
  shape.quantiles.resize(shares);
  for (std::size_t step = stored.points.size() - std::min(season, stored.points.size());
       step < stored.points.size(); ++step) {
    const Anchors anchors = anchors_of(stored.points[step]);
    for (std::size_t i = 0; i < anchors.size(); ++i) shape.anchors[i] += anchors[i];
    for (std::size_t q = 0; q < shares; ++q)
      shape.quantiles[q] += static_cast<double>(quantiles.values[step * shares + q]);
  }
  return shape;
}

/// The quantiles of an answer's points at the stored shares, [point][share].
std::vector<float> values_at(const SeriesForecast& stored, const StoredQuantiles& quantiles,
                             std::span<const std::size_t> places, std::size_t season,
                             std::span<const ForecastPoint> points) {
  const std::size_t shares = quantiles.shares->size();
  std::vector<float> values;
  values.reserve(places.size() * shares);
  std::optional<Shape> shape;
  const bool whole = forecast::all_whole(quantiles.values);
  for (std::size_t k = 0; k < places.size(); ++k) {
    if (places[k] < stored.points.size()) {
      const auto of_step = std::span(quantiles.values).subspan(places[k] * shares, shares);
      values.insert(values.end(), of_step.begin(), of_step.end());
      continue;
    }
    if (!shape) shape = last_shape(stored, quantiles, season);
    const Anchors anchors = anchors_of(points[k]);
    for (const double quantile : shape->quantiles) {
      const double value = std::max(0.0, moved_between(quantile, shape->anchors, anchors));
      values.push_back(static_cast<float>(whole ? std::round(value) : value));
    }
  }
  return values;
}

double value_at(std::span<const double> shares, std::span<const float> of_point, double share, bool whole) {
  const double value = forecast::interpolate_quantile(shares, of_point, share);
  return whole ? std::round(value) : value;
}

}  // namespace

Result<> check_quantiles(const ForecastRequest& request, std::size_t points) {
  if (request.quantiles.size() > kSharesMax)
    return invalid_input("quantiles must hold at most " + std::to_string(kSharesMax) + " shares, found " +
                         std::to_string(request.quantiles.size()));
  for (std::size_t i = 0; i < request.quantiles.size(); ++i) {
    const double share = request.quantiles[i];
    if (!(share >= kShareMin && share <= kShareMax))
      return invalid_input("quantiles[" + std::to_string(i) + "] must be 0.001 to 0.999, found " +
                           shares_text({share}));
  }
  const std::size_t values = points * (request.quantiles.size() + (request.sum ? 1 : 0));
  if (values > kQuantileValuesMax) {
    return invalid_input("items x periods x quantiles (a sum counts as one more) must be at most " +
                         std::to_string(kQuantileValuesMax) + ", found " + std::to_string(values) +
                         "; ask for fewer at a time");
  }
  return {};
}

Result<> QuantileAnswers::add(const SeriesForecast& stored, const ForecastRequest& request,
                              std::span<const std::size_t> places, SeriesForecast& answer) {
  const StoredQuantiles& quantiles = catalog_->quantiles(stored);
  const std::string& plan = stored.info.plan;
  if (quantiles.shares == nullptr ||
      quantiles.values.size() != stored.points.size() * quantiles.shares->size())
    return invalid_input("plan '" + plan + "' keeps no quantiles yet: run `tillcast forecast update " + plan +
                         "`, without `quantiles = []` in its [[forecast.plan]]");
  if (std::ranges::any_of(stored.points, [](const ForecastPoint& one) { return one.intervals.empty(); }))
    return invalid_input("series '" + stored.info.id +
                         "' has no quantiles: nothing in its history tells how far off a forecast may be");
  const std::vector<double>& shares = *quantiles.shares;
  for (const double share : request.quantiles) {
    if (share < shares.front() || share > shares.back()) {
      return invalid_input("quantiles: " + shares_text({share}) + " lies outside " +
                           shares_text({shares.front()}) + " to " + shares_text({shares.back()}) +
                           ", what plan '" + plan + "' keeps; name it in quantiles of its [[forecast.plan]]");
    }
  }
  const auto season = static_cast<std::size_t>(forecast::season_length(grain_of(*catalog_->plan(plan))));
  const std::vector<float> values = values_at(stored, quantiles, places, season, answer.points);
  const bool whole = forecast::all_whole(quantiles.values);
  answer.quantile_shares = request.quantiles;
  answer.quantiles.reserve(places.size() * request.quantiles.size());
  for (std::size_t k = 0; k < places.size(); ++k) {
    const auto of_point = std::span(values).subspan(k * shares.size(), shares.size());
    for (const double share : request.quantiles)
      answer.quantiles.push_back(value_at(shares, of_point, share, whole));
  }
  if (request.sum)
    answer.sum = TILLCAST_TRY_PLAIN(sum_of(stored, quantiles, values, places, request, answer));
  return {};
}

Result<ForecastSum> QuantileAnswers::sum_of(const SeriesForecast& stored, const StoredQuantiles& quantiles,
                                            std::span<const float> values,
                                            std::span<const std::size_t> places,
                                            const ForecastRequest& request, const SeriesForecast& answer) {
  const std::size_t shares = quantiles.shares->size();
  ForecastSum sum;
  std::vector<std::size_t> once;
  std::vector<float> of_once;
  for (std::size_t k = 0; k < places.size(); ++k) {
    if (std::ranges::find(once, places[k]) != once.end()) continue;
    const ForecastPoint& point = answer.points[k];
    sum.from = once.empty() ? point.date : std::min(sum.from, point.date);
    sum.to = once.empty() ? point.date : std::max(sum.to, point.date);
    sum.mean += point.mean;
    once.push_back(places[k]);
    const auto of_point = values.subspan(k * shares, shares);
    of_once.insert(of_once.end(), of_point.begin(), of_point.end());
  }
  sum.periods = static_cast<int>(once.size());
  std::vector<double> asked(kSumBounds.begin(), kSumBounds.end());
  asked.insert(asked.end(), request.quantiles.begin(), request.quantiles.end());
  std::ranges::sort(asked);
  const auto repeated = std::ranges::unique(asked);
  asked.erase(repeated.begin(), repeated.end());
  const bool far =
      std::ranges::any_of(once, [&](std::size_t place) { return place >= stored.points.size(); });
  const auto ranks = ranks_for(stored, far ? kFarSteps : stored.points.size());
  const auto found =
      TILLCAST_TRY_PLAIN(forecast::sum_quantiles(*ranks, *quantiles.shares, of_once, once, asked));
  const bool whole = forecast::all_whole(quantiles.values);
  const auto at = [&](double share) {
    const double value =
        found[static_cast<std::size_t>(std::ranges::lower_bound(asked, share) - asked.begin())];
    return whole ? std::round(value) : value;
  };
  sum.intervals = {{80, std::min(at(kSumBounds[1]), sum.mean), std::max(at(kSumBounds[2]), sum.mean)},
                   {95, std::min(at(kSumBounds[0]), sum.mean), std::max(at(kSumBounds[3]), sum.mean)}};
  for (const double share : request.quantiles) sum.quantiles.push_back(at(share));
  return sum;
}

// Made when first asked for, by whoever asks; two who ask at once make the same.
std::shared_ptr<const forecast::PathRanks> QuantileAnswers::ranks_for(const SeriesForecast& stored,
                                                                      std::size_t steps) {
  const std::string& level = catalog_->quantiles(stored).level;
  const RanksKey key{stored.info.plan, level, stored.info.demand_class, steps};
  {
    const std::lock_guard lock(mutex_);
    const auto found = ranks_.find(key);
    if (found != ranks_.end()) return found->second;
  }
  const auto windows =
      forecast::windows_for(catalog_->windows(stored.info.plan), level, stored.info.demand_class);
  auto made = std::make_shared<const forecast::PathRanks>(
      windows.errors, std::max<std::size_t>(1, windows.steps), steps, forecast::SamplePathOptions{});
  const std::lock_guard lock(mutex_);
  return ranks_.emplace(key, std::move(made)).first->second;
}

}  // namespace tillcast::pipeline
