#include "forecast/sample_paths.h"

#include <algorithm>
#include <string>

#include "forecast/forecast.h"
#include "forecast/quantiles.h"

namespace tillcast::forecast {
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
  const PathRanks ranks(errors, steps, steps, options);
  const bool whole = all_whole(quantiles);
  SamplePaths result;
  result.steps = steps;
  result.value.resize(options.paths * steps);
  std::vector<double> values(options.paths);
  for (std::size_t step = 0; step < steps; ++step) {
    path_values(shares, quantiles.subspan(step * shares.size(), shares.size()), whole, values);
    const auto order = ranks.order(step);
    for (std::size_t place = 0; place < order.size(); ++place)
      result.value[order[place] * steps + step] = static_cast<float>(values[place]);
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
  for (std::size_t i = 0; i < run.series.size(); ++i) {
    if (i != series && run.series[i].demand_class == own.demand_class && !run.series[i].errors.empty() &&
        run.series[i].points.size() == steps)
      alike.push_back(i);
  }
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
  return quantiles_of_sorted(sums, shares);
}

}  // namespace tillcast::forecast
