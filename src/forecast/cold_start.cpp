#include "forecast/cold_start.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/check.h"

namespace tillcast::forecast {
namespace {

/// Half a year in periods, of which weekdays and levels are taken.
std::size_t recent_periods(Grain grain) {
  return grain == Grain::kDaily ? 182 : grain == Grain::kWeekly ? 26 : 6;
}

constexpr std::size_t kLaunchAfter = 28;  // periods after the data begin: a later start is a launch
constexpr std::size_t kLaunchesMin = 3;
constexpr double kDistanceFloor = 0.1;  // weight of a neighbour: 1 / (floor + distance)

/// Weekday of a period counted from the end of all series, so that series of any length agree.
std::size_t weekday_from_end(std::ptrdiff_t after_end) {
  return static_cast<std::size_t>(((after_end % 7) + 7) % 7);
}

/// Mean sales by weekday over the mean of all, of the neighbours together; 0 where they are closed.
std::array<double, 7> weekday_pattern(std::span<const Series> series, std::span<const std::size_t> donors) {
  std::array<double, 7> share{};
  std::array<double, 7> count{};
  std::array<double, 7> open{};
  std::array<double, 7> seen{};
  for (const std::size_t donor : donors) {
    const Series& one = series[donor];
    const std::size_t recent = recent_periods(one.grain);
    const std::size_t from = one.size() > recent ? one.size() - recent : 0;
    double sum = 0;
    double periods = 0;
    for (std::size_t at = from; at < one.size(); ++at) {
      if (one.masked[at] == 0) {
        sum += one.value[at];
        ++periods;
      }
    }
    for (std::size_t at = from; at < one.size(); ++at) {
      const std::size_t day =
          weekday_from_end(static_cast<std::ptrdiff_t>(at) - static_cast<std::ptrdiff_t>(one.size()));
      ++seen[day];
      if (one.masked[at] != 0) continue;
      ++open[day];
      if (!(sum > 0)) continue;
      share[day] += one.value[at] * periods / sum;
      ++count[day];
    }
  }
  std::array<double, 7> pattern{};
  for (std::size_t day = 0; day < 7; ++day) {
    constexpr double kOpenMin = 0.05;
    if (seen[day] > 0 && open[day] < kOpenMin * seen[day]) continue;
    pattern[day] = count[day] > 0 ? share[day] / count[day] : 1;
  }
  return pattern;
}

double recent_mean(const Series& series, std::size_t periods) {
  double sum = 0;
  double count = 0;
  for (std::size_t back = 1; back <= series.size() && back <= periods; ++back) {
    const std::size_t at = series.size() - back;
    if (series.masked[at] != 0) continue;
    sum += series.value[at];
    ++count;
  }
  return count > 0 ? sum / count : 0;
}

/// Mean of the donors by age, each period over the weekday's share, smoothed over a week (or 3 periods);
/// as long as at least kLaunchesMin donors reach, at most `ages`.
std::vector<double> launch_curve(std::span<const Series> series, std::span<const std::size_t> donors,
                                 std::span<const double> weights, std::span<const double> pattern,
                                 std::size_t ages) {
  std::vector<double> raw;
  for (std::size_t age = 0; age < ages; ++age) {
    double sum = 0;
    double weight = 0;
    std::size_t reached = 0;
    for (std::size_t k = 0; k < donors.size(); ++k) {
      const Series& one = series[donors[k]];
      if (age >= one.size()) continue;
      ++reached;
      if (one.masked[age] != 0) continue;
      const double usual = pattern[weekday_from_end(static_cast<std::ptrdiff_t>(age) -
                                                    static_cast<std::ptrdiff_t>(one.size()))];
      if (!(usual > 0)) continue;
      sum += weights[k] * one.value[age] / usual;
      weight += weights[k];
    }
    if (reached < kLaunchesMin) break;
    raw.push_back(weight > 0 ? sum / weight : raw.empty() ? 0.0 : raw.back());
  }
  const std::size_t half = !series.empty() && series.front().grain == Grain::kDaily ? 3 : 1;
  std::vector<double> smooth(raw.size());
  for (std::size_t age = 0; age < raw.size(); ++age) {
    const std::size_t from = age > half ? age - half : 0;
    const std::size_t to = std::min(raw.size(), age + half + 1);
    double sum = 0;
    for (std::size_t k = from; k < to; ++k) sum += raw[k];
    smooth[age] = sum / static_cast<double>(to - from);
  }
  return smooth;
}

}  // namespace

std::vector<double> attribute_ranges(std::span<const AttributeColumn> attributes) {
  std::vector<double> ranges;
  ranges.reserve(attributes.size());
  for (const AttributeColumn& attribute : attributes) {
    double low = std::numeric_limits<double>::infinity();
    double high = -low;
    for (const float value : attribute.value) {
      if (!std::isfinite(value)) continue;
      low = std::min(low, static_cast<double>(value));
      high = std::max(high, static_cast<double>(value));
    }
    ranges.push_back(high > low ? high - low : 0.0);
  }
  return ranges;
}

double attribute_distance(std::span<const AttributeColumn> attributes, std::span<const double> ranges,
                          std::size_t a, std::size_t b) {
  TILLCAST_CHECK(ranges.size() == attributes.size(), "one range for each attribute");
  constexpr double kUnknown = 0.5;
  double sum = 0;
  for (std::size_t k = 0; k < attributes.size(); ++k) {
    const float x = attributes[k].value[a];
    const float y = attributes[k].value[b];
    if (!std::isfinite(x) || !std::isfinite(y))
      sum += kUnknown;
    else if (attributes[k].is_category)
      sum += x == y ? 0 : 1;
    else if (ranges[k] > 0)
      sum += std::abs(static_cast<double>(x) - static_cast<double>(y)) / ranges[k];
  }
  return attributes.empty() ? 0.0 : sum / static_cast<double>(attributes.size());
}

ColdStart cold_start(std::span<const Series> series, std::span<const AttributeColumn> attributes,
                     std::size_t target, std::size_t donor_min, std::size_t steps,
                     const ColdStartOptions& options) {
  TILLCAST_CHECK(target < series.size(), "the new series is one of the run");
  ColdStart result;
  const std::vector<double> ranges = attribute_ranges(attributes);
  std::size_t longest = 0;
  std::vector<std::pair<double, std::size_t>> near;
  for (std::size_t i = 0; i < series.size(); ++i) {
    longest = std::max(longest, series[i].size());
    if (i == target || !series[i].refused.empty()) continue;
    if (static_cast<std::size_t>(std::ranges::count(series[i].masked, 0)) < donor_min) continue;
    near.emplace_back(attribute_distance(attributes, ranges, target, i), i);
  }
  if (near.size() < options.neighbours_min) return result;
  const std::size_t wanted = std::min(options.neighbours, near.size());
  std::ranges::nth_element(near, near.begin() + static_cast<std::ptrdiff_t>(wanted - 1));
  const double reach = near[wanted - 1].first;
  std::erase_if(near, [reach](const auto& one) { return one.first > reach; });
  std::ranges::sort(near);

  // The nearest; and, among those as near, the ones whose launch is in the data.
  const auto launched = [&](std::size_t i) { return series[i].size() + kLaunchAfter <= longest; };
  std::vector<std::size_t> launches;
  std::vector<double> launch_weights;
  for (const auto& [distance, i] : near) {
    const double weight = 1 / (kDistanceFloor + distance);
    if (result.neighbours.size() < options.neighbours) result.neighbours.push_back(i);
    if (launched(i) && launches.size() < options.neighbours) {
      launches.push_back(i);
      launch_weights.push_back(weight);
    }
  }
  const Series& own = series[target];
  std::array<double, 7> pattern{1, 1, 1, 1, 1, 1, 1};
  if (own.grain == Grain::kDaily) pattern = weekday_pattern(series, result.neighbours);
  std::vector<double> curve;
  if (launches.size() >= kLaunchesMin) {
    curve = launch_curve(series, launches, launch_weights, pattern, own.size() + steps);
    result.launch_profile = !curve.empty();
    if (result.launch_profile) result.neighbours = launches;
  }
  if (curve.empty()) {
    double sum = 0;
    double weights = 0;
    for (std::size_t k = 0; k < result.neighbours.size(); ++k) {
      const double weight = 1 / (kDistanceFloor + near[k].first);
      sum += weight * recent_mean(series[result.neighbours[k]], recent_periods(own.grain));
      weights += weight;
    }
    curve.push_back(sum / weights);
  }
  const auto expected = [&](std::size_t age) {
    const auto after_end = static_cast<std::ptrdiff_t>(age) - static_cast<std::ptrdiff_t>(own.size());
    return curve[std::min(age, curve.size() - 1)] * pattern[weekday_from_end(after_end)];
  };
  double sold = 0;
  double usual = 0;
  double mean = 0;
  for (const double one : curve) mean += one / static_cast<double>(curve.size());
  for (std::size_t age = 0; age < own.size(); ++age) {
    if (own.masked[age] != 0) continue;
    sold += own.value[age];
    usual += expected(age);
  }
  const double prior = options.prior_periods * mean;
  result.scale = prior + usual > 0 ? (prior + sold) / (prior + usual) : 1;
  result.forecast.reserve(steps);
  for (std::size_t step = 0; step < steps; ++step)
    result.forecast.push_back(std::max(0.0, result.scale * expected(own.size() + step)));
  return result;
}

}  // namespace tillcast::forecast
