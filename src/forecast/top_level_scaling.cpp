#include "forecast/top_level_scaling.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "forecast/panel_model.h"

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
  constexpr double kTie = 0.005;
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
    if (losses[k] <= best * (1 + kTie)) return kShares[k];
  return 0;
}

double forecast_total(std::span<const Series> series, std::span<const std::uint8_t> usable, std::size_t back,
                      const BacktestOptions& options) {
  const Panel panel = panel_at(series, usable, {}, back, options);
  if (panel.members.empty()) return 0;
  const Series total = sum_members(panel);
  const History history = history_at(total, total.size(), options);
  constexpr std::array kModels = {ModelId::kMovingAverage, ModelId::kTheta, ModelId::kDynamicTheta};
  std::vector<double> steps(options.gap + options.horizon);
  double sum = 0;
  for (const ModelId id : kModels) {
    const Model& which = model(id);
    if (!which.refuses(history).empty()) return 0;
    if (!predict_steps(which, history, which.fit(history), options.non_negative, steps)) return 0;
    for (std::size_t step = options.gap; step < steps.size(); ++step) sum += steps[step];
  }
  return sum / static_cast<double>(kModels.size());
}

}  // namespace tillcast::forecast
