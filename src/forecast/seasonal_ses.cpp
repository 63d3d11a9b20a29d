#include "forecast/seasonal_ses.h"

#include <algorithm>
#include <cmath>

#include "forecast/minimise_internal.h"

namespace tillcast::forecast {
namespace {

constexpr double kWeightMin = 0.01;
constexpr double kWeightMax = 0.99;

std::size_t positions(const History& history) {
  return static_cast<std::size_t>(std::max(history.season, 1));
}

std::vector<double> values_at(const History& history, std::size_t slot) {
  std::vector<double> values;
  for (std::size_t i = slot; i < history.size(); i += positions(history))
    if (history.masked[i] == 0) values.push_back(history.value[i]);
  return values;
}

struct Smoothed {
  double level = 0;
  double squares = 0;  ///< of the one-step errors
};

Smoothed smooth(std::span<const double> values, double weight) {
  Smoothed result{values[0], 0};
  for (const double value : values.subspan(1)) {
    const double error = value - result.level;
    result.squares += error * error;
    result.level += weight * error;
  }
  return result;
}

}  // namespace

std::vector<double> seasonal_ses_fit(const History& history) {
  std::vector<double> weights(positions(history), 0.1);
  for (std::size_t slot = 0; slot < weights.size(); ++slot) {
    const std::vector<double> values = values_at(history, slot);
    if (values.size() < 3) continue;
    minimise(std::span(&weights[slot], 1), std::span(&kWeightMin, 1), std::span(&kWeightMax, 1),
             {.evaluations_max = 40, .tolerance = 1e-4},
             [&values](std::span<const double> at) { return smooth(values, at[0]).squares; });
  }
  return weights;
}

void seasonal_ses_forecast(const History& history, std::span<const double> weights, std::span<double> out) {
  const std::size_t season = positions(history);
  std::vector<double> levels(season, std::nan(""));
  double sum = 0;
  double seen = 0;
  for (std::size_t slot = 0; slot < season; ++slot) {
    const std::vector<double> values = values_at(history, slot);
    if (values.empty()) continue;
    levels[slot] = smooth(values, weights[slot]).level;
    sum += levels[slot];
    ++seen;
  }
  for (std::size_t step = 0; step < out.size(); ++step) {
    const double level = levels[(history.size() + step) % season];
    out[step] = std::isfinite(level) ? level : seen > 0 ? sum / seen : 0.0;
  }
}

}  // namespace tillcast::forecast
