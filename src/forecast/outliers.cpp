#include "forecast/outliers.h"

#include <algorithm>
#include <cmath>

#include "forecast/driver_median.h"

namespace tillcast::forecast {
namespace {

constexpr double kNormalSpread = 1.4826;  // standard deviations per median absolute deviation

/// Robust standard deviation of `values` around 0, never less than a sliver of `scale`: a series that repeats
/// itself exactly has no spread, and then everything would be an outlier.
double robust_spread(std::vector<double> values, double scale) {
  for (double& value : values) value = std::abs(value);
  return std::max(kNormalSpread * median_of(values), 0.05 * scale);
}

void cap_sizes(const History& history, const OutlierOptions& options, CappedValues& result) {
  std::vector<double> logs;
  for (std::size_t i = 0; i < history.size(); ++i)
    if (history.masked[i] == 0 && history.value[i] > 0) logs.push_back(std::log(history.value[i]));
  if (logs.size() < static_cast<std::size_t>(options.count_min)) return;
  const double median = median_of(logs);
  for (double& value : logs) value -= median;
  constexpr double kSpreadMin = 0.25;  // on the log scale: items sold in ones and twos
  const double limit = std::exp(median + options.spreads * std::max(robust_spread(logs, 0), kSpreadMin));
  for (std::size_t i = 0; i < history.size(); ++i) {
    if (history.masked[i] != 0 || result.value[i] <= limit) continue;
    result.value[i] = limit;
    ++result.capped;
  }
}

}  // namespace

CappedValues cap_outliers(const History& history, DemandClass demand_class, const OutlierOptions& options) {
  CappedValues result;
  result.value.assign(history.value.begin(), history.value.end());
  if (!options.enabled || demand_class == DemandClass::kNone) return result;
  if (is_rare(demand_class)) {
    cap_sizes(history, options, result);
    return result;
  }
  const auto n = static_cast<std::ptrdiff_t>(history.size());
  // A yearly season of weeks or months has too few repetitions: neighbours in time then.
  const std::ptrdiff_t period = history.grain == Grain::kDaily ? std::max(history.season, 1) : 1;
  std::vector<double> medians(history.size(), 0.0);
  std::vector<std::uint8_t> judged(history.size(), 0);
  std::vector<double> around;
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (history.masked[at] != 0) continue;
    around.clear();
    const auto collect = [&](std::ptrdiff_t direction) {
      int found = 0;
      for (std::ptrdiff_t j = i + direction * period; j >= 0 && j < n && found < options.neighbours;
           j += direction * period) {
        const auto other = static_cast<std::size_t>(j);
        if (history.masked[other] != 0) continue;
        if (!history.promotion.empty() && history.promotion[other] != history.promotion[at]) continue;
        around.push_back(history.value[other]);
        ++found;
      }
    };
    collect(-1);
    collect(+1);
    if (around.size() < static_cast<std::size_t>(options.neighbours)) continue;
    medians[at] = median_of(around);
    judged[at] = 1;
  }
  std::vector<double> levels;
  for (std::size_t i = 0; i < history.size(); ++i)
    if (judged[i] != 0) levels.push_back(std::abs(medians[i]));
  if (levels.size() < static_cast<std::size_t>(options.count_min)) return result;
  // Busy days vary more: deviations are shares of their median, but of no less than a tenth of the usual one.
  const double floor = 0.1 * median_of(levels);
  std::vector<double> deviations;
  for (std::size_t i = 0; i < history.size(); ++i)
    if (judged[i] != 0 && std::max(std::abs(medians[i]), floor) > 0)
      deviations.push_back((history.value[i] - medians[i]) / std::max(std::abs(medians[i]), floor));
  const double spread = robust_spread(deviations, 1);
  for (std::size_t i = 0; i < history.size(); ++i) {
    const double size = std::max(std::abs(medians[i]), floor);
    if (judged[i] == 0 || !(size > 0)) continue;
    const double low = medians[i] - options.spreads * spread * size;
    const double high = medians[i] + options.spreads * spread * size;
    const double capped = std::clamp(history.value[i], low, high);
    if (capped == history.value[i]) continue;
    result.value[i] = capped;
    ++result.capped;
  }
  return result;
}

}  // namespace tillcast::forecast
