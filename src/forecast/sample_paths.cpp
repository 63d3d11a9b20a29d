#include "forecast/sample_paths.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <random>

#include "forecast/forecast.h"
#include "forecast/quantiles.h"

namespace tillcast::forecast {
namespace {

constexpr std::size_t kShuffleMin = 30;  // error vectors for an empirical copula

/// The standard's generator gives the same bits everywhere; its distributions need not.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : engine_(seed) {}
  double uniform() { return (static_cast<double>(engine_() >> 11U) + 0.5) * 0x1.0p-53; }
  double normal() { return std::sqrt(-2 * std::log(uniform())) * std::cos(2 * std::numbers::pi * uniform()); }

 private:
  std::mt19937_64 engine_;
};

/// How errors hang together over the steps: a share that lasts the whole horizon, and the rest that fades.
struct Dependence {
  double common = 0;
  double fading = 0;  ///< correlation of the rest from one step to the next
};

Dependence find_dependence(std::span<const float> errors, std::size_t steps) {
  double sum = 0;
  double squares = 0;
  std::size_t count = 0;
  for (const float error : errors) {
    if (std::isnan(error)) continue;
    sum += static_cast<double>(error);
    ++count;
  }
  if (count < 2) return {};
  const double mean = sum / static_cast<double>(count);
  for (const float error : errors)
    if (!std::isnan(error))
      squares += (static_cast<double>(error) - mean) * (static_cast<double>(error) - mean);
  const double variance = squares / static_cast<double>(count);
  if (!(variance > 0)) return {};
  const auto correlation = [&](std::size_t lag_from, std::size_t lag_to) {
    double products = 0;
    std::size_t pairs = 0;
    for (std::size_t window = 0; window + steps <= errors.size(); window += steps)
      for (std::size_t lag = lag_from; lag < lag_to; ++lag)
        for (std::size_t step = 0; step + lag < steps; ++step) {
          const auto a = static_cast<double>(errors[window + step]) - mean;
          const auto b = static_cast<double>(errors[window + step + lag]) - mean;
          if (std::isnan(a) || std::isnan(b)) continue;
          products += a * b;
          ++pairs;
        }
    return pairs > 0 ? products / static_cast<double>(pairs) / variance : 0.0;
  };
  Dependence result;
  if (steps < 2) return result;
  const double next = std::clamp(correlation(1, 2), 0.0, 0.99);
  if (steps >= 6) result.common = std::clamp(correlation(steps / 2, steps), 0.0, next);
  result.fading = result.common < 1 ? std::clamp((next - result.common) / (1 - result.common), 0.0, 0.99) : 0;
  return result;
}

/// Values whose ranks at each step the paths take: [path][step].
std::vector<double> rank_templates(std::span<const float> errors, std::size_t steps,
                                   const SamplePathOptions& options, Draws& draws) {
  std::vector<std::size_t> whole;
  for (std::size_t window = 0; (window + 1) * steps <= errors.size(); ++window) {
    const auto of_window = errors.subspan(window * steps, steps);
    if (std::ranges::none_of(of_window, [](float error) { return std::isnan(error); }))
      whole.push_back(window);
  }
  std::vector<double> result(options.paths * steps);
  if (whole.size() >= kShuffleMin) {
    for (std::size_t path = 0; path < options.paths; ++path) {
      // Each vector as often as the others before one is used again; a hair of noise parts equal errors.
      if (path % whole.size() == 0)
        for (std::size_t i = whole.size(); i > 1; --i)
          std::swap(whole[i - 1], whole[static_cast<std::size_t>(draws.uniform() * static_cast<double>(i))]);
      const std::size_t window = whole[path % whole.size()];
      for (std::size_t step = 0; step < steps; ++step)
        result[path * steps + step] =
            static_cast<double>(errors[window * steps + step]) + 1e-6 * draws.normal();
    }
    return result;
  }
  const Dependence dependence = find_dependence(errors, steps);
  for (std::size_t path = 0; path < options.paths; ++path) {
    const double common = draws.normal();
    double fading = draws.normal();
    for (std::size_t step = 0; step < steps; ++step) {
      if (step > 0)
        fading = dependence.fading * fading +
                 std::sqrt(1 - dependence.fading * dependence.fading) * draws.normal();
      result[path * steps + step] =
          std::sqrt(dependence.common) * common + std::sqrt(1 - dependence.common) * fading;
    }
  }
  return result;
}

}  // namespace

void scale_windows(std::span<float> errors) {
  double squares = 0;
  std::size_t count = 0;
  for (const float error : errors) {
    if (std::isnan(error)) continue;
    squares += static_cast<double>(error) * static_cast<double>(error);
    ++count;
  }
  if (!(squares > 0)) return;
  const double size = std::sqrt(squares / static_cast<double>(count));
  for (float& error : errors) error = static_cast<float>(static_cast<double>(error) / size);
}

Result<SamplePaths> sample_paths(std::span<const double> shares, std::span<const float> quantiles,
                                 std::span<const float> errors, const SamplePathOptions& options) {
  if (const char* fault = find_share_fault(shares); *fault != '\0') return invalid_input(fault);
  if (shares.empty() || quantiles.size() % shares.size() != 0)
    return invalid_input("sample paths: " + std::to_string(quantiles.size()) + " quantiles for " +
                         std::to_string(shares.size()) + " shares");
  const std::size_t steps = quantiles.size() / shares.size();
  if (steps == 0 || errors.size() % steps != 0)
    return invalid_input("sample paths: " + std::to_string(errors.size()) + " errors for windows of " +
                         std::to_string(steps) + " steps");
  constexpr std::size_t kPathsMax = 1000000;
  if (options.paths < 1 || options.paths > kPathsMax)
    return invalid_input("sample paths: " + std::to_string(options.paths) + " paths, expected 1 to 1000000");
  Draws draws(options.seed);
  const std::vector<double> templates = rank_templates(errors, steps, options, draws);
  const bool whole = std::ranges::all_of(quantiles, [](float value) { return value == std::floor(value); });
  SamplePaths result;
  result.steps = steps;
  result.value.resize(options.paths * steps);
  std::vector<std::size_t> order(options.paths);
  for (std::size_t step = 0; step < steps; ++step) {
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t path) { return templates[path * steps + step]; });
    const auto of_step = quantiles.subspan(step * shares.size(), shares.size());
    for (std::size_t rank = 0; rank < order.size(); ++rank) {
      const double share = (static_cast<double>(rank) + 0.5) / static_cast<double>(options.paths);
      const double value = interpolate_quantile(shares, of_step, share);
      result.value[order[rank] * steps + step] = static_cast<float>(whole ? std::round(value) : value);
    }
  }
  return result;
}

Result<SamplePaths> sample_paths(const ForecastRun& run, std::size_t series,
                                 const SamplePathOptions& options) {
  if (series >= run.series.size())
    return invalid_input("sample paths: the run has no series " + std::to_string(series));
  const SeriesForecast& own = run.series[series];
  const std::size_t steps = own.points.size();
  if (steps == 0 || run.quantile_shares.empty())
    return invalid_input("sample paths: series " + std::to_string(series) + " has no quantiles");
  // Others of its class at the same origins: the same weekdays, holidays and weather.
  std::vector<std::size_t> alike;
  for (std::size_t i = 0; i < run.series.size(); ++i)
    if (i != series && run.series[i].demand_class == own.demand_class && !run.series[i].errors.empty() &&
        run.series[i].points.size() == steps)
      alike.push_back(i);
  std::vector<float> errors = own.errors;
  scale_windows(errors);
  const std::size_t room = options.windows - std::min(options.windows, errors.size() / steps);
  const std::size_t origins = std::max<std::size_t>(1, own.errors.size() / steps);
  const std::size_t every = std::max<std::size_t>(1, alike.size() * origins / std::max<std::size_t>(room, 1));
  for (std::size_t k = 0; k < alike.size() && room > 0; k += every) {
    std::vector<float> others = run.series[alike[k]].errors;
    scale_windows(others);
    errors.insert(errors.end(), others.begin(), others.end());
  }
  if (errors.empty())
    return invalid_input("sample paths: the run kept no errors; ask for ForecastOptions::keep_errors");
  return sample_paths(run.quantile_shares, own.quantiles, errors, options);
}

Result<std::vector<double>> sum_quantiles(const SamplePaths& paths, std::size_t first, std::size_t last,
                                          std::span<const double> shares) {
  if (first > last || last >= paths.steps || paths.count() == 0)
    return invalid_input("sum over steps " + std::to_string(first) + " to " + std::to_string(last) +
                         " of paths with " + std::to_string(paths.steps) + " steps");
  if (const char* fault = find_share_fault(shares); *fault != '\0') return invalid_input(fault);
  std::vector<double> sums(paths.count(), 0.0);
  for (std::size_t path = 0; path < sums.size(); ++path)
    for (std::size_t step = first; step <= last; ++step)
      sums[path] += static_cast<double>(paths.path(path)[step]);
  std::ranges::sort(sums);
  std::vector<double> result;
  result.reserve(shares.size());
  for (const double share : shares) {
    const double place =
        std::clamp(share * static_cast<double>(sums.size()) - 0.5, 0.0, static_cast<double>(sums.size() - 1));
    const auto low = static_cast<std::size_t>(place);
    const std::size_t high = std::min(low + 1, sums.size() - 1);
    result.push_back(sums[low] + (place - static_cast<double>(low)) * (sums[high] - sums[low]));
  }
  return result;
}

}  // namespace tillcast::forecast
