#include "forecast/blend.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "forecast/driver_median.h"

namespace tillcast::forecast {

ModelFamily model_family(ModelId id) {
  using enum ModelId;
  switch (id) {
    case kZero:
    case kMean:
    case kNaive:
    case kSeasonalNaive:
    case kSeasonalNaiveDouble:
    case kSeasonalNaiveYear:
    case kMedianEnsemble:
    case kColdStart:
    case kBlend:
    case kCount:
      return ModelFamily::kBenchmark;
    case kMovingAverage:
    case kSeasonalAverage:
    case kSes:
    case kSeasonalSes:
    case kCroston:
    case kSba:
    case kTsb:
    case kAdida:
    case kImapa:
      return ModelFamily::kLevel;
    case kHolt:
    case kTheta:
    case kDynamicTheta:
    case kCes:
    case kHoltWinters:
    case kAutoEts:
    case kMstl:
      return ModelFamily::kTrend;
    case kDriverMedian:
      return ModelFamily::kDriver;
    case kSeasonProduct:
    case kPooledLevel:
    case kPooledSeason:
      return ModelFamily::kCalendar;
    case kGlobalTrees:
    case kGlobalMonthly:
    case kGlobalBlend:
      return ModelFamily::kGlobal;
  }
  return ModelFamily::kBenchmark;
}

std::vector<double> blend_weights(std::span<const ModelId> models, std::span<const double> scores,
                                  const BlendOptions& options) {
  std::vector<double> weights(models.size(), 0.0);
  std::array<std::optional<std::size_t>, kModelFamilyCount> best;
  for (std::size_t m = 0; m < models.size(); ++m) {
    if (std::isnan(scores[m]) || models[m] == ModelId::kBlend) continue;
    std::optional<std::size_t>& of_family = best[static_cast<std::size_t>(model_family(models[m]))];
    if (!of_family || scores[m] < scores[*of_family]) of_family = m;
  }
  std::optional<std::size_t> winner;
  for (const auto& one : best)
    if (one && (!winner || scores[*one] < scores[*winner])) winner = one;
  if (!winner) return weights;
  const auto use_alone = [&](std::size_t m) {
    std::ranges::fill(weights, 0.0);
    weights[m] = 1;
    return weights;
  };
  const auto naive = best[static_cast<std::size_t>(ModelFamily::kBenchmark)];
  if (naive && scores[*naive] <= scores[*winner] + options.tie) return use_alone(*naive);
  double sum = 0;
  for (std::size_t family = 0; family < best.size(); ++family) {
    if (!best[family] || family == static_cast<std::size_t>(ModelFamily::kBenchmark)) continue;
    const std::size_t m = *best[family];
    const bool weighted = options.kind == BlendKind::kWeighted;
    weights[m] = weighted ? std::exp(-options.power * (scores[m] - scores[*winner])) : 1.0;
    sum += weights[m];
  }
  double kept = 0;
  for (double& weight : weights) {
    if (weight < options.weight_min * sum) weight = 0;
    kept += weight;
  }
  for (double& weight : weights) weight /= kept;
  if (options.kind == BlendKind::kWeighted && weights[*winner] >= options.alone) return use_alone(*winner);
  return weights;
}

void combine(std::span<const std::span<const double>> rows, std::span<const double> weights, BlendKind kind,
             std::span<double> out) {
  std::vector<double> values;
  for (std::size_t step = 0; step < out.size(); ++step) {
    values.clear();
    double mean = 0;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      if (weights[r] <= 0) continue;
      mean += weights[r] * rows[r][step];
      values.push_back(rows[r][step]);
    }
    out[step] = kind == BlendKind::kMedian ? median_of(values) : mean;
  }
}

}  // namespace tillcast::forecast
