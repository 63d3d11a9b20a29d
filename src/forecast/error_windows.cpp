#include "forecast/error_windows.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "forecast/forecast.h"
#include "forecast/path_ranks.h"

namespace tillcast::forecast {

std::vector<ErrorWindows> error_windows(const ForecastRun& run, std::span<const std::string> levels,
                                        std::size_t windows_max) {
  using Key = std::pair<std::string, std::string_view>;  // level, class
  std::map<Key, std::vector<std::size_t>> members;
  std::size_t steps = 0;
  for (const SeriesForecast& one : run.series) steps = std::max(steps, one.points.size());
  for (std::size_t i = 0; i < run.series.size(); ++i) {
    const SeriesForecast& one = run.series[i];
    if (one.errors.empty() || one.points.size() != steps || one.errors.size() % steps != 0) continue;
    members[{levels.empty() ? std::string() : levels[i], demand_class_name(one.demand_class)}].push_back(i);
  }
  std::vector<ErrorWindows> result;
  for (const auto& [key, series] : members) {
    std::size_t windows = 0;
    for (const std::size_t i : series) windows += run.series[i].errors.size() / steps;
    const std::size_t every = (windows + windows_max - 1) / std::max<std::size_t>(1, windows_max);
    ErrorWindows& to = result.emplace_back(ErrorWindows{key.first, std::string(key.second), steps, {}});
    for (std::size_t k = 0; k < series.size(); k += std::max<std::size_t>(1, every)) {
      std::vector<float> errors = run.series[series[k]].errors;
      scale_windows(errors);
      to.errors.insert(to.errors.end(), errors.begin(), errors.end());
    }
  }
  return result;
}

ErrorWindows windows_for(std::span<const ErrorWindows> windows, const std::string& level,
                         const std::string& demand_class) {
  ErrorWindows all{level, demand_class, 0, {}};
  for (const ErrorWindows& one : windows) {
    if (one.level != level) continue;
    if (one.demand_class == demand_class) return one;
    all.steps = one.steps;
    all.errors.insert(all.errors.end(), one.errors.begin(), one.errors.end());
  }
  return all;
}

}  // namespace tillcast::forecast
