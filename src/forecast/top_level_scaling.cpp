#include "forecast/top_level_scaling.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "forecast/driver_median.h"
#include "forecast/naive.h"
#include "forecast/panel_model.h"
#include "forecast/pooled_season.h"

namespace tillcast::forecast {
namespace {

/// Sum of all members by period; a period is masked when it is for all of them.
Series sum_members(const Panel& panel) {
  Series total;
  total.grain = panel.grain;
  std::size_t periods = 0;
  for (const PanelMember& member : panel.members) periods = std::max(periods, member.history.size());
  total.start = advance_period(panel.end, panel.grain, -static_cast<std::int64_t>(periods));
  total.value.assign(periods, 0.0);
  total.masked.assign(periods, 1);
  for (const PanelMember& member : panel.members) {
    const History& history = member.history;
    const std::size_t before = periods - history.size();
    for (std::size_t i = 0; i < history.size(); ++i) {
      if (history.masked[i] != 0) continue;
      total.value[before + i] += history.value[i];
      total.masked[before + i] = 0;
    }
  }
  return total;
}

constexpr std::int32_t kWholeYearDays = 365;

/// Theil's slope per period (Theil 1950, Indagationes Mathematicae 12): the median slope of all pairs; pairs
/// of neighbours that are too many are thinned out.
double median_slope(const History& history) {
  std::vector<std::size_t> observed;
  for (std::size_t i = 0; i < history.size(); ++i)
    if (history.masked[i] == 0) observed.push_back(i);
  constexpr std::size_t kPointsMax = 400;
  const std::size_t stride = observed.size() / kPointsMax + 1;
  std::vector<double> slopes;
  for (std::size_t a = 0; a < observed.size(); a += stride) {
    for (std::size_t b = a + stride; b < observed.size(); b += stride)
      slopes.push_back((history.value[observed[b]] - history.value[observed[a]]) /
                       static_cast<double>(observed[b] - observed[a]));
  }
  return slopes.empty() ? 0.0 : median_of(slopes);
}

/// The moving average, and from the middle of its window on half of the trend.
void half_trend(const History& history, std::span<double> out) {
  model(ModelId::kMovingAverage).predict(history, {}, out);
  const int window = average_window(history.grain);
  const double slope = 0.5 * median_slope(history);
  for (std::size_t step = 0; step < out.size(); ++step)
    out[step] += slope * (0.5 * (window - 1) + static_cast<double>(step + 1));
}

/// Weekday x month x growth of the total, as for a panel of one.
void calendar_product(const Series& total, const History& history, std::span<double> out) {
  Panel panel;
  panel.grain = total.grain;
  panel.end = total.date_at(total.size());
  panel.members.push_back({0, history, {}});
  predict_pooled_season(fit_pooled_season(panel, PooledKind::kSeason, out.size()), history, out);
}

double loss(const ScalingTrial& trial, double factor) {
  double absolute = 0;
  double error = 0;
  double actual = 0;
  for (std::size_t i = 0; i < trial.actual.size(); ++i) {
    const double e = factor * trial.forecast[i] - trial.actual[i];
    absolute += std::abs(e);
    error += e;
    actual += std::abs(trial.actual[i]);
  }
  return actual > 0 ? (absolute + std::abs(error)) / actual : 0.0;
}

}  // namespace

double scaling_factor(double sum, double total, double share) {
  constexpr double kFactorMax = 2;
  if (!(sum > 0) || !(total > 0)) return 1;
  return std::clamp(std::pow(total / sum, share), 1 / kFactorMax, kFactorMax);
}

double learn_scaling_share(std::span<const ScalingTrial> trials) {
  constexpr std::array kShares = {0.0, 0.25, 0.5, 0.75, 1.0};
  constexpr double kTolerance = 0.1;  // a handful of trials cannot tell less
  if (trials.empty()) return 0;
  std::array<double, kShares.size()> losses{};
  for (const ScalingTrial& trial : trials) {
    double sum = 0;
    for (const double value : trial.forecast) sum += value;
    for (std::size_t k = 0; k < kShares.size(); ++k)
      losses[k] += loss(trial, scaling_factor(sum, trial.total, kShares[k]));
  }
  const double best = std::ranges::min(losses);
  for (std::size_t k = kShares.size(); k-- > 0;)
    if (losses[k] <= best * (1 + kTolerance)) return kShares[k];
  return 0;
}

double forecast_total(std::span<const Series> series, std::span<const std::uint8_t> usable, std::size_t back,
                      const BacktestOptions& options) {
  const Panel panel = panel_at(series, usable, {}, back, options);
  if (panel.members.empty()) return 0;
  const Series total = sum_members(panel);
  History history = history_at(total, total.size(), options);
  // The total keeps the holidays of the member that saw most of them.
  const auto size_of = [](const PanelMember& member) { return member.history.size(); };
  const History& longest = std::ranges::max_element(panel.members, {}, size_of)->history;
  history.named_days = longest.named_days;
  history.named_days_traded = longest.named_days_traded;
  std::vector<double> steps(options.gap + options.horizon);
  if (history.start.days + 2 * kWholeYearDays <= panel.end.days)
    calendar_product(total, history, steps);
  else
    half_trend(history, steps);
  if (!serve_steps(history, options.non_negative, steps)) return 0;
  double sum = 0;
  for (std::size_t step = options.gap; step < steps.size(); ++step) sum += steps[step];
  return sum;
}

}  // namespace tillcast::forecast
