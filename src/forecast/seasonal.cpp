#include "forecast/seasonal.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tillcast::forecast {

std::vector<double> fill_masked(const History& history, int season) {
  const std::size_t n = history.size();
  const auto period = static_cast<std::size_t>(std::max(season, 1));
  std::vector<double> filled(history.value.begin(), history.value.end());
  if (std::ranges::none_of(history.masked, [](std::uint8_t masked) { return masked != 0; })) return filled;
  for (std::size_t slot = 0; slot < std::min(period, n); ++slot) {
    std::size_t first = slot;
    while (first < n && history.masked[first] != 0) first += period;
    // A position that was never open (Sundays) takes its neighbour's place, so that it bends no trend.
    if (first >= n) {
      for (std::size_t i = slot; i < n; i += period) {
        std::size_t near = i;
        while (near > 0 && history.masked[near] != 0) --near;
        while (near + 1 < n && history.masked[near] != 0) ++near;
        filled[i] = history.value[near];
      }
      continue;
    }
    double last = history.value[first];
    for (std::size_t i = slot; i < n; i += period) {
      if (history.masked[i] == 0) last = history.value[i];
      filled[i] = last;
    }
  }
  return filled;
}

bool has_season(std::span<const double> values, int season) {
  const std::size_t n = values.size();
  const auto lags = static_cast<std::size_t>(season);
  if (season < 2 || n < 2 * lags + 1) return false;
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(n);
  double variance = 0;
  for (const double value : values) variance += (value - mean) * (value - mean);
  if (!(variance > 0)) return false;
  double squares = 0;
  double last = 0;
  for (std::size_t lag = 1; lag <= lags; ++lag) {
    double sum = 0;
    for (std::size_t i = lag; i < n; ++i) sum += (values[i] - mean) * (values[i - lag] - mean);
    last = sum / variance;
    if (lag < lags) squares += last * last;
  }
  constexpr double kNormal90TwoSided = 1.6448536269514722;
  return std::abs(last) > kNormal90TwoSided * std::sqrt((1 + 2 * squares) / static_cast<double>(n));
}

std::vector<double> seasonal_indices(std::span<const double> values, int season, SeasonType type) {
  const std::size_t n = values.size();
  const auto period = static_cast<std::size_t>(season);
  const bool multiplicative = type == SeasonType::kMultiplicative;
  const double neutral = multiplicative ? 1.0 : 0.0;
  std::vector<double> sums(period, 0.0);
  std::vector<int> counts(period, 0);
  const std::size_t half = period / 2;
  const bool even = period % 2 == 0;
  double window = 0;
  for (std::size_t i = 0; i < std::min(period, n); ++i) window += values[i];
  for (std::size_t i = half; i + half < n; ++i) {
    // `window` holds period values from i - half on; an even season weighs both ends by half.
    const double total = even ? window + (values[i + half] - values[i - half]) / 2 : window;
    const double trend = total / static_cast<double>(period);
    if (!multiplicative) {
      sums[i % period] += values[i] - trend;
      ++counts[i % period];
    } else if (trend > 0) {
      sums[i % period] += values[i] / trend;
      ++counts[i % period];
    }
    const std::size_t next = i - half + period;
    if (next < n) window += values[next] - values[i - half];
  }
  std::vector<double> indices(period, neutral);
  for (std::size_t slot = 0; slot < period; ++slot)
    if (counts[slot] > 0) indices[slot] = sums[slot] / counts[slot];
  const double mean = std::accumulate(indices.begin(), indices.end(), 0.0) / static_cast<double>(period);
  for (double& index : indices) index = multiplicative ? (mean > 0 ? index / mean : 1.0) : index - mean;
  return indices;
}

}  // namespace tillcast::forecast
