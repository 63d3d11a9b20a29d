#include "forecast/intermittent.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "forecast/minimise_internal.h"

namespace tillcast::forecast {
namespace {

std::vector<double> observed_demand(const History& history) {
  std::vector<double> demand;
  demand.reserve(history.size());
  for (std::size_t i = 0; i < history.size(); ++i)
    if (history.masked[i] == 0) demand.push_back(std::max(history.value[i], 0.0));
  return demand;
}

/// Mean interval between demands, the first counted from the start.
double mean_interval(std::span<const double> demand) {
  std::size_t last = 0;
  std::size_t demands = 0;
  for (std::size_t i = 0; i < demand.size(); ++i) {
    if (demand[i] <= 0) continue;
    ++demands;
    last = i + 1;
  }
  return demands > 0 ? static_cast<double>(last) / static_cast<double>(demands) : 0.0;
}

double aggregated_rate(std::span<const double> demand, std::size_t length) {
  const std::size_t blocks = demand.size() / length;
  if (blocks == 0) return 0;
  std::vector<double> sums(blocks, 0.0);
  const std::size_t skipped = demand.size() - blocks * length;  // the oldest, so that the newest counts
  for (std::size_t i = 0; i < blocks * length; ++i) sums[i / length] += demand[skipped + i];
  return ses_for_intermittent(sums) / static_cast<double>(length);
}

}  // namespace

double ses_for_intermittent(std::span<const double> values) {
  if (values.empty()) return 0;
  double forecast = values[0];
  const auto run = [&](double alpha) {
    double level = values[0];
    double squares = 0;
    for (std::size_t i = 1; i < values.size(); ++i) {
      const double error = values[i] - level;
      squares += error * error;
      level += alpha * error;
    }
    forecast = level;
    return squares;
  };
  double alpha = 0.1;
  constexpr double kLow = 0.1;
  constexpr double kHigh = 0.3;
  minimise(std::span(&alpha, 1), std::span(&kLow, 1), std::span(&kHigh, 1),
           {.evaluations_max = 25, .tolerance = 1e-3},
           [&run](std::span<const double> at) { return run(at[0]); });
  (void)run(alpha);
  return forecast;
}

double croston(const History& history, CrostonKind kind, double alpha) {
  double size = 0;
  double interval = 0;
  bool started = false;
  std::size_t since = 0;
  for (std::size_t i = 0; i < history.size(); ++i) {
    if (history.masked[i] != 0) continue;
    ++since;
    const double value = history.value[i];
    if (value <= 0) continue;
    const auto gap = static_cast<double>(since);
    size = started ? size + alpha * (value - size) : value;
    interval = started ? interval + alpha * (gap - interval) : gap;
    started = true;
    since = 0;
  }
  if (!started) return 0;
  return size / interval * (kind == CrostonKind::kSba ? 1 - alpha / 2 : 1.0);
}

double tsb(const History& history, double alpha_size, double alpha_probability) {
  double size = 0;
  double probability = 0;
  bool sold = false;
  bool started = false;
  for (std::size_t i = 0; i < history.size(); ++i) {
    if (history.masked[i] != 0) continue;
    const double value = history.value[i];
    const double occurred = value > 0 ? 1.0 : 0.0;
    probability = started ? probability + alpha_probability * (occurred - probability) : occurred;
    started = true;
    if (value <= 0) continue;
    size = sold ? size + alpha_size * (value - size) : value;
    sold = true;
  }
  return size * probability;
}

double adida(const History& history) {
  const std::vector<double> demand = observed_demand(history);
  const double interval = mean_interval(demand);
  if (interval <= 0) return 0;
  return aggregated_rate(demand, static_cast<std::size_t>(std::max(1.0, std::round(interval))));
}

double imapa(const History& history) {
  const std::vector<double> demand = observed_demand(history);
  const double interval = mean_interval(demand);
  if (interval <= 0) return 0;
  const auto longest = static_cast<std::size_t>(std::max(1.0, std::round(interval)));
  double sum = 0;
  for (std::size_t length = 1; length <= longest; ++length) sum += aggregated_rate(demand, length);
  return sum / static_cast<double>(longest);
}

DemandProfile classify(const History& history) {
  DemandProfile profile;
  std::size_t periods = 0;
  double sum = 0;
  double squares = 0;
  for (std::size_t i = 0; i < history.size(); ++i) {
    if (history.masked[i] != 0) continue;
    ++periods;
    if (history.value[i] <= 0) continue;
    ++profile.demands;
    sum += history.value[i];
    squares += history.value[i] * history.value[i];
  }
  if (profile.demands == 0) return profile;
  const auto count = static_cast<double>(profile.demands);
  const double mean = sum / count;
  profile.mean_interval = static_cast<double>(periods) / count;
  profile.squared_variation = std::max(squares / count / (mean * mean) - 1, 0.0);
  constexpr double kIntervalLimit = 1.32;
  constexpr double kVariationLimit = 0.49;
  const bool rare = profile.mean_interval >= kIntervalLimit;
  const bool wild = profile.squared_variation >= kVariationLimit;
  profile.demand_class = rare ? (wild ? DemandClass::kLumpy : DemandClass::kIntermittent)
                              : (wild ? DemandClass::kErratic : DemandClass::kSmooth);
  return profile;
}

}  // namespace tillcast::forecast
