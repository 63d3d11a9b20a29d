#include "forecast/comparison.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace tillcast::forecast {
namespace {

constexpr std::size_t kResamples = 1000;
constexpr double kTail = 0.05;

double quantile(std::vector<double>& sorted, double share) {
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

/// Draws of `count` units with replacement, the same for every call.
class Resampler {
 public:
  explicit Resampler(std::size_t count) : count_(count) {}
  std::size_t operator()() { return static_cast<std::size_t>(random_() % count_); }

 private:
  std::size_t count_;
  std::mt19937_64 random_{20240301};
};

double ratio_of(double own, double other) {
  if (own == other) return 1;
  return other > 0 ? own / other : INFINITY;
}

}  // namespace

Comparison compare_accuracy(std::span<const PairedAccuracy> units, Metric metric) {
  const Metric used = metric == Metric::kAuto ? Metric::kWapeBias : metric;
  std::vector<PairedAccuracy> both;
  both.reserve(units.size());
  PairedAccuracy all;
  for (const PairedAccuracy& unit : units) {
    if (unit.own.count == 0 || unit.other.count != unit.own.count) continue;
    both.push_back(unit);
    all.own.merge(unit.own);
    all.other.merge(unit.other);
  }
  Comparison result;
  result.units = both.size();
  result.own = all.own.value(used);
  result.other = all.other.value(used);
  if (both.empty() || !std::isfinite(result.own) || !std::isfinite(result.other)) return result;
  result.ratio = ratio_of(result.own, result.other);
  Resampler draw(both.size());
  std::vector<double> ratios;
  ratios.reserve(kResamples);
  double better = 0;
  for (std::size_t round = 0; round < kResamples; ++round) {
    PairedAccuracy sample;
    for (std::size_t i = 0; i < both.size(); ++i) {
      const PairedAccuracy& unit = both[draw()];
      sample.own.merge(unit.own);
      sample.other.merge(unit.other);
    }
    const double own = sample.own.value(used);
    const double other = sample.other.value(used);
    if (!std::isfinite(own) || !std::isfinite(other)) continue;
    ratios.push_back(ratio_of(own, other));
    better += own < other ? 1.0 : own == other ? 0.5 : 0.0;
  }
  if (ratios.empty()) return result;
  better /= static_cast<double>(ratios.size());
  std::ranges::sort(ratios);
  result.low = quantile(ratios, kTail);
  result.high = quantile(ratios, 1 - kTail);
  result.better = better;
  return result;
}

Estimate estimate_accuracy(std::span<const Accuracy> units, Measure measure) {
  const auto of = [measure](const Accuracy& sums) {
    return measure == Measure::kWape ? sums.wape() : sums.bias();
  };
  Accuracy all;
  for (const Accuracy& unit : units) all.merge(unit);
  Estimate result;
  result.value = result.low = result.high = of(all);
  if (!std::isfinite(result.value)) return result;
  Resampler draw(units.size());
  std::vector<double> values;
  values.reserve(kResamples);
  for (std::size_t round = 0; round < kResamples; ++round) {
    Accuracy sample;
    for (std::size_t i = 0; i < units.size(); ++i) sample.merge(units[draw()]);
    const double value = of(sample);
    if (std::isfinite(value)) values.push_back(value);
  }
  if (values.empty()) return result;
  std::ranges::sort(values);
  result.low = quantile(values, kTail);
  result.high = quantile(values, 1 - kTail);
  return result;
}

}  // namespace tillcast::forecast
