#include "forecast/blend_backtest.h"

#include <algorithm>
#include <cmath>

#include "forecast/top_level_scaling.h"

namespace tillcast::forecast {
namespace {

constexpr std::size_t kNoEnd = static_cast<std::size_t>(-1);

/// Writes the blend of one origin into the last column.
void fill_blend(SeriesBacktest& test, std::size_t origin, std::span<const double> weights, BlendKind kind) {
  std::vector<std::vector<double>> rows;
  std::vector<double> used;
  for (std::size_t m = 0; m + 1 < test.models.size(); ++m) {
    if (weights[m] <= 0) continue;
    const std::span<const float> steps = test.forecast(m, origin);
    rows.emplace_back(steps.begin(), steps.end());
    used.push_back(weights[m]);
  }
  const std::vector<std::span<const double>> views(rows.begin(), rows.end());
  std::vector<double> steps(test.horizon);
  combine(views, used, kind, steps);
  const std::size_t column = test.models.size() - 1;
  float* to = test.forecasts.data() + (column * test.ends.size() + origin) * test.horizon;
  for (std::size_t s = 0; s < test.horizon; ++s) to[s] = static_cast<float>(steps[s]);
}

/// Before any experience: every model but the benchmarks alike; the benchmarks where there is nothing else.
std::vector<double> equal_weights(const SeriesBacktest& test) {
  std::vector<double> weights(test.models.size(), 0.0);
  for (const bool benchmarks : {false, true}) {
    std::size_t count = 0;
    for (std::size_t m = 0; m + 1 < test.models.size(); ++m) {
      const bool is_benchmark = model_family(test.models[m]) == ModelFamily::kBenchmark;
      if (!test.refused[m].empty() || is_benchmark != benchmarks) continue;
      weights[m] = 1;
      ++count;
    }
    for (double& weight : weights) weight /= std::max(1.0, static_cast<double>(count));
    if (count > 0) break;
  }
  return weights;
}

ScalingTrial trial_at(std::span<const Series> series, std::span<const std::uint8_t> members,
                      std::span<const SeriesBacktest> tests, std::size_t origin, double total) {
  ScalingTrial trial;
  trial.total = total;
  for (std::size_t i = 0; i < tests.size(); ++i) {
    const SeriesBacktest& test = tests[i];
    if (members[i] == 0) continue;
    const std::span<const float> steps = test.forecast(test.models.size() - 1, origin);
    for (std::size_t s = 0; s < test.horizon; ++s) {
      const std::size_t at = test.period(origin, s);
      if (series[i].masked[at] != 0) continue;
      trial.actual.push_back(series[i].value[at]);
      trial.forecast.push_back(static_cast<double>(steps[s]));
    }
  }
  return trial;
}

/// The blend of the oldest origin was made without any experience: it counts only while there is no other.
std::span<const ScalingTrial> experienced(std::span<const ScalingTrial> oldest_first) {
  return oldest_first.size() > 1 ? oldest_first.subspan(1) : oldest_first;
}

double sum_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum;
}

}  // namespace

Blend add_blend(std::span<const Series> series, std::span<const std::uint8_t> usable,
                std::span<const std::uint8_t> wanted, const ChoiceOptions& choice,
                const BacktestOptions& backtest, std::span<SeriesBacktest> tests, const Progress& progress) {
  Blend blend;
  blend.weights.resize(tests.size());
  std::vector<std::uint8_t> with_blend(tests.size(), 0);
  std::size_t origins = 0;
  for (std::size_t i = 0; i < tests.size(); ++i) {
    SeriesBacktest& test = tests[i];
    if (wanted[i] == 0 || test.ends.empty()) continue;
    if (std::ranges::none_of(test.refused, &std::string::empty)) continue;
    with_blend[i] = 1;
    origins = std::max(origins, test.ends.size());
    test.models.push_back(ModelId::kBlend);
    test.refused.emplace_back();
    test.forecasts.resize(test.models.size() * test.ends.size() * test.horizon);
  }
  if (origins == 0) return blend;
  for (std::size_t origin = origins; origin-- > 0 && !progress.cancelled();) {
    const auto scores = score_models(series, tests, origin + 1, kNoEnd, choice);
    // The oldest origin of a series borrows from the next one, as far as that is not the newest: without it
    // its residuals would be those of a blend that nobody gets, and intervals too wide.
    std::vector<std::vector<double>> borrowed(tests.size());
    if (origin >= 2) borrowed = score_models(series, tests, origin - 1, origin, choice);
    for (std::size_t i = 0; i < tests.size(); ++i) {
      if (with_blend[i] == 0 || tests[i].ends.size() <= origin) continue;
      const std::vector<double>& known = scores[i].empty() ? borrowed[i] : scores[i];
      if (known.empty())
        fill_blend(tests[i], origin, equal_weights(tests[i]), BlendKind::kMedian);
      else
        fill_blend(tests[i], origin, blend_weights(tests[i].models, known, choice.blend), choice.blend.kind);
    }
  }
  if (progress.cancelled()) return blend;
  const auto scores = score_models(series, tests, 0, kNoEnd, choice);
  for (std::size_t i = 0; i < tests.size(); ++i)
    if (with_blend[i] != 0) blend.weights[i] = blend_weights(tests[i].models, scores[i], choice.blend);

  if (choice.metric != Metric::kAuto && choice.metric != Metric::kWapeBias) return blend;
  std::vector<ScalingTrial> trials;  // oldest first
  const std::size_t step = backtest.step > 0 ? backtest.step : backtest.horizon;
  for (std::size_t origin = origins; origin-- > 0;) {
    if (progress.cancelled()) return blend;
    const std::size_t back = backtest.gap + backtest.horizon + origin * step;
    // The same series in the total as in the sum.
    std::vector<std::uint8_t> members(tests.size(), 0);
    for (std::size_t i = 0; i < tests.size(); ++i)
      members[i] = usable[i] != 0 && with_blend[i] != 0 && tests[i].ends.size() > origin ? 1 : 0;
    trials.push_back(
        trial_at(series, members, tests, origin, forecast_total(series, members, back, backtest)));
  }
  for (std::size_t origin = 0; origin < origins; ++origin) {
    const std::size_t older = origins - 1 - origin;
    const double share = learn_scaling_share(experienced(std::span(trials).first(older)));
    if (origin == 0) blend.share_before = share;
    const ScalingTrial& trial = trials[older];
    const double factor = scaling_factor(sum_of(trial.forecast), trial.total, share);
    for (std::size_t i = 0; i < tests.size() && factor != 1; ++i) {
      SeriesBacktest& test = tests[i];
      if (with_blend[i] == 0 || test.ends.size() <= origin) continue;
      const std::size_t column = test.models.size() - 1;
      float* values = test.forecasts.data() + (column * test.ends.size() + origin) * test.horizon;
      for (std::size_t s = 0; s < test.horizon; ++s) values[s] *= static_cast<float>(factor);
    }
  }
  blend.share = learn_scaling_share(experienced(trials));
  return blend;
}

}  // namespace tillcast::forecast
