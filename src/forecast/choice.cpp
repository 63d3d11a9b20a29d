#include "forecast/choice.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace tillcast::forecast {
namespace {

/// log(error / error of the seasonal naive), bounded so that one absurd forecast does not speak for a class,
/// and with a floor under both, so that weeks without any sale do not turn tiny differences into huge ratios.
double relative_score(double error, double benchmark, double floor) {
  if (!std::isfinite(error) || !std::isfinite(benchmark)) return 0;
  return std::clamp(std::log((error + floor) / (benchmark + floor)), -2.0, 2.0);
}

/// A twentieth of the usual error: of the series' seasonal differences where the metric has units, else 1 %.
double error_floor(Metric metric, double scale) {
  constexpr double kTiny = 1e-9;
  return metric == Metric::kRmse || metric == Metric::kMae ? 0.05 * scale + kTiny : 0.01;
}

struct Pool {
  std::array<double, kModelCount> sum{};
  std::array<std::size_t, kModelCount> count{};
};

}  // namespace

Metric metric_for(Metric asked, DemandClass demand_class) {
  if (asked != Metric::kAuto) return asked;
  const bool rare = is_rare(demand_class);
  return rare ? Metric::kRmse : Metric::kWapeBias;
}

std::vector<ModelId> default_models(DemandClass demand_class, Grain grain) {
  using enum ModelId;
  switch (demand_class) {
    case DemandClass::kNone:
      return {kZero};
    case DemandClass::kIntermittent:
    case DemandClass::kLumpy:
      if (grain != Grain::kDaily) break;  // weeks and months add rare days up to something that has a level
      return {kSeasonalNaive, kMovingAverage, kSes,          kSba,          kTsb,     kAdida,
              kImapa,         kPooledLevel,   kPooledSeason, kDynamicTheta, kAutoEts, kBlend};
    case DemandClass::kSmooth:
    case DemandClass::kErratic:
      break;
  }
  if (grain == Grain::kDaily) {
    return {kSeasonalNaive, kSeasonalNaiveDouble, kSeasonalNaiveYear, kMovingAverage, kDriverMedian,
            kSeasonProduct, kPooledLevel,         kPooledSeason,      kDynamicTheta,  kAutoEts,
            kBlend};
  }
  return {kNaive,       kSeasonalNaive, kMovingAverage, kImapa,   kDriverMedian, kSeasonProduct,
          kPooledLevel, kPooledSeason,  kDynamicTheta,  kAutoEts, kBlend};
}

ModelId default_model(const History& history, DemandClass demand_class) {
  using enum ModelId;
  if (demand_class == DemandClass::kNone) return kZero;
  const std::size_t observed = static_cast<std::size_t>(std::ranges::count(history.masked, std::uint8_t{0}));
  if (observed < history_min(history)) {
    return observed >= static_cast<std::size_t>(history.season) ? kSeasonalNaive
           : observed > 0                                       ? kMean
                                                                : kZero;
  }
  const bool rare = is_rare(demand_class);
  const ModelId wanted = rare ? kTsb : history.grain == Grain::kDaily ? kDriverMedian : kAutoEts;
  return model(wanted).refuses(history).empty() ? wanted : kMean;
}

std::vector<std::vector<double>> score_models(std::span<const Series> series,
                                              std::span<const SeriesBacktest> tests, std::size_t first,
                                              std::size_t last, const ChoiceOptions& options) {
  std::vector<std::vector<double>> scores(series.size());
  std::array<Pool, kDemandClassCount> pools;
  for (std::size_t i = 0; i < series.size(); ++i) {
    const SeriesBacktest& test = tests[i];
    if (test.ends.size() <= first) continue;
    const Metric metric = metric_for(options.metric, test.class_from(first));
    std::vector<double> errors(test.models.size(), std::nan(""));
    double benchmark = std::nan("");
    for (std::size_t m = 0; m < test.models.size(); ++m) {
      if (!test.refused[m].empty()) continue;
      errors[m] = test.accuracy(series[i], m, first, last).value(metric);
      if (test.models[m] == ModelId::kSeasonalNaive || !std::isfinite(benchmark)) benchmark = errors[m];
    }
    scores[i].assign(test.models.size(), std::nan(""));
    Pool& pool = pools[static_cast<std::size_t>(test.class_from(first))];
    for (std::size_t m = 0; m < test.models.size(); ++m) {
      if (!test.refused[m].empty()) continue;
      scores[i][m] = relative_score(errors[m], benchmark, error_floor(metric, test.scale));
      const auto id = static_cast<std::size_t>(test.models[m]);
      pool.sum[id] += scores[i][m];
      ++pool.count[id];
    }
  }
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (scores[i].empty()) continue;
    const auto origins = static_cast<double>(std::min(last, tests[i].ends.size()) - first);
    const double own = origins / (origins + std::max(options.pooling, 0.0));
    const Pool& pool = pools[static_cast<std::size_t>(tests[i].class_from(first))];
    for (std::size_t m = 0; m < scores[i].size(); ++m) {
      if (std::isnan(scores[i][m])) continue;
      const auto id = static_cast<std::size_t>(tests[i].models[m]);
      scores[i][m] = own * scores[i][m] + (1 - own) * pool.sum[id] / static_cast<double>(pool.count[id]);
    }
  }
  return scores;
}

std::vector<std::optional<std::size_t>> choose_models(std::span<const Series> series,
                                                      std::span<const SeriesBacktest> tests,
                                                      std::size_t first, std::size_t last,
                                                      const ChoiceOptions& options) {
  const std::vector<std::vector<double>> scores = score_models(series, tests, first, last, options);
  std::vector<std::optional<std::size_t>> chosen(series.size());
  for (std::size_t i = 0; i < series.size(); ++i) {
    const SeriesBacktest& test = tests[i];
    std::optional<std::size_t> blend;
    for (std::size_t m = 0; m < scores[i].size(); ++m) {
      if (std::isnan(scores[i][m])) continue;
      if (test.models[m] == ModelId::kBlend)
        blend = m;
      else if (!chosen[i] || scores[i][m] < scores[i][*chosen[i]])
        chosen[i] = m;
    }
    if (!chosen[i]) continue;
    if (blend) {
      const std::vector<double> weights = blend_weights(test.models, scores[i], options.blend);
      const auto alone = std::ranges::find(weights, 1.0);
      chosen[i] = alone != weights.end() ? static_cast<std::size_t>(alone - weights.begin()) : *blend;
      continue;
    }
    const double best = scores[i][*chosen[i]];
    for (std::size_t m = 0; m < test.models.size(); ++m)
      if (scores[i][m] <= best + options.tie && test.models[m] < test.models[*chosen[i]]) chosen[i] = m;
  }
  return chosen;
}

}  // namespace tillcast::forecast
