#include "forecast/predictive.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/check.h"
#include "forecast/accuracy.h"
#include "forecast/history_quantiles.h"
#include "forecast/quantiles.h"

namespace tillcast::forecast {
namespace {

using Chosen = std::span<const std::optional<std::size_t>>;

constexpr std::array<double, 9> kJudged = {0.005, 0.025, 0.165, 0.25, 0.5, 0.75, 0.835, 0.975, 0.995};
constexpr std::array<double, 5> kWeights = {1, 0.75, 0.5, 0.25, 0};  // of the residuals
constexpr std::array<double, 3> kShifts = {0, 0.5, 1};
constexpr std::array<HistoryQuantileOptions, 2> kMemories = {
    {{.half_life = 60, .weight_min = 0}, {.half_life = 182, .weight_min = 0.05}}};
constexpr std::size_t kSampleMax = 2000;  // series of a class that are asked for its recipe
constexpr std::size_t kObservedMin = 20;  // fewer values of its own: no empirical distribution
// The residuals alone are kept unless another recipe is better by this share. Regular demand follows its
// drivers, which the residuals know better than the history; and averages of two honest distributions are too
// wide. Only a clear gain decides against them.
constexpr double kGainMinRegular = 0.05;
constexpr double kGainMinRare = 0.005;

/// Half-lives are in days; longer periods forget as fast in time, but keep enough of them.
HistoryQuantileOptions memory_of(std::size_t which, Grain grain) {
  HistoryQuantileOptions options = kMemories[which];
  if (grain == Grain::kWeekly) options.half_life = std::max(options.half_life / 7, 13.0);
  if (grain == Grain::kMonthly) options.half_life = std::max(options.half_life / 30, 9.0);
  return options;
}

/// Calls `use(series, origin, history, closed steps)` for each chosen series and origin until progress asks
/// to stop.
void for_each_origin(
    std::span<const Series> series, std::span<const SeriesBacktest> tests, Chosen chosen,
    std::size_t first_origin, const BacktestOptions& options, const Progress& progress,
    const std::function<void(std::size_t, std::size_t, const History&, std::span<const std::uint8_t>)>& use) {
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (!chosen[i]) continue;
    if (progress.cancelled()) return;
    for (std::size_t origin = first_origin; origin < tests[i].ends.size(); ++origin) {
      const History history = history_at(series[i], tests[i].ends[origin], options);
      const std::vector<std::uint8_t> closed = closed_steps(history, options.gap + options.horizon);
      use(i, origin, history, std::span(closed).subspan(options.gap));
    }
  }
}

/// Adds the residuals of the chosen models, leaving out `left_out` (an origin) if it is one.
void add_residuals(IntervalCalibrator& calibrator, std::span<const Series> series,
                   std::span<const SeriesBacktest> tests, Chosen chosen, std::size_t first_origin,
                   std::optional<std::size_t> left_out, const BacktestOptions& options,
                   const Progress& progress) {
  for_each_origin(
      series, tests, chosen, first_origin, options, progress,
      [&](std::size_t i, std::size_t origin, const History& history, std::span<const std::uint8_t> closed) {
        if (origin == left_out) return;
        const double level = recent_level(history);
        const std::span<const float> steps = tests[i].forecast(*chosen[i], origin);
        for (std::size_t step = 0; step < options.horizon; ++step) {
          const std::size_t at = tests[i].period(origin, step);
          if (series[i].masked[at] != 0 || closed[step] != 0) continue;
          calibrator.add({tests[i].class_from(first_origin), i, step, origin - first_origin},
                         series[i].value[at], static_cast<double>(steps[step]), level);
        }
      });
  calibrator.finish(progress);
}

/// Summed losses of all recipes of a class, [memory][shift][weight].
using RecipeLosses =
    std::array<std::array<std::array<double, kWeights.size()>, kShifts.size()>, kMemories.size()>;

PredictiveRecipe best_recipe(const RecipeLosses& losses, double gain_min) {
  PredictiveRecipe best;
  const double alone = losses[0][0][0];  // weight 1: the residuals, whatever the history's settings
  double least = alone * (1 - gain_min);
  if (!(alone > 0)) return best;
  for (std::size_t memory = 0; memory < kMemories.size(); ++memory) {
    for (std::size_t shift = 0; shift < kShifts.size(); ++shift) {
      for (std::size_t weight = 1; weight < kWeights.size(); ++weight) {
        const double loss = losses[memory][shift][weight];
        if (loss >= least) continue;
        least = loss;
        best = {kWeights[weight], memory, kShifts[shift], 1 - loss / alone};
      }
    }
  }
  return best;
}

/// How far the values of a history too short for quantiles of its own lie from their mean.
IntervalCalibrator spread_of(const History& history, DemandClass demand_class, double level,
                             const BacktestOptions& options) {
  IntervalCalibrator spread(1, options.horizon, options.non_negative);
  double sum = 0;
  double count = 0;
  for (std::size_t i = 0; i < history.size(); ++i)
    if (history.masked[i] == 0) sum += history.value[i], ++count;
  for (std::size_t i = 0; i < history.size(); ++i)
    if (history.masked[i] == 0) spread.add({demand_class, 0, 0, 0}, history.value[i], sum / count, level);
  spread.finish(NoProgress());
  return spread;
}

}  // namespace

double recent_level(const History& history) {
  double sum = 0;
  std::size_t seen = 0;
  for (std::size_t i = history.size(); i-- > 0 && seen < 365;) {
    if (history.masked[i] != 0) continue;
    sum += std::abs(history.value[i]);
    ++seen;
  }
  return seen > 0 ? sum / static_cast<double>(seen) : 0.0;
}

Interval interval_of(std::span<const double> bounds, double forecast) {
  TILLCAST_CHECK(bounds.size() == 4, "an interval has four bounds");
  return {std::min(bounds[1], forecast), std::max(bounds[2], forecast), std::min(bounds[0], forecast),
          std::max(bounds[3], forecast)};
}

PredictiveDistributions::PredictiveDistributions(std::span<const Series> series,
                                                 std::span<const SeriesBacktest> tests, Chosen chosen,
                                                 std::size_t first_origin, const BacktestOptions& options,
                                                 const Progress& progress)
    : options_(options), calibrator_(series.size(), options.horizon, options.non_negative) {
  add_residuals(calibrator_, series, tests, chosen, first_origin, std::nullopt, options, progress);
  if (!progress.cancelled()) find_recipes(series, tests, chosen, first_origin, progress);
}

void PredictiveDistributions::find_recipes(std::span<const Series> series,
                                           std::span<const SeriesBacktest> tests, Chosen chosen,
                                           std::size_t first_origin, const Progress& progress) {
  // Thousands of series say no more about a class than some: take them evenly.
  std::array<std::size_t, kDemandClassCount> members{};
  std::size_t origins = 0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (!chosen[i]) continue;
    ++members[static_cast<std::size_t>(tests[i].class_from(first_origin))];
    origins = std::max(origins, tests[i].ends.size());
  }
  if (origins < first_origin + 2) return;  // nothing could be left out
  std::vector<std::optional<std::size_t>> sample(series.size());
  std::array<std::size_t, kDemandClassCount> seen{};
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (!chosen[i]) continue;
    const auto of_class = static_cast<std::size_t>(tests[i].class_from(first_origin));
    const std::size_t every = members[of_class] / kSampleMax + 1;
    if (seen[of_class]++ % every == 0) sample[i] = chosen[i];
  }
  std::vector<IntervalCalibrator> without;
  for (std::size_t origin = first_origin; origin < origins; ++origin) {
    without.emplace_back(series.size(), options_.horizon, options_.non_negative);
    add_residuals(without.back(), series, tests, sample, first_origin, origin, options_, progress);
    if (progress.cancelled()) return;
  }
  std::array<RecipeLosses, kDemandClassCount> losses{};
  std::array<double, kJudged.size()> residual{};
  std::array<double, kJudged.size()> own{};
  std::array<double, kJudged.size()> mixed{};
  for_each_origin(
      series, tests, sample, first_origin, options_, progress,
      [&](std::size_t i, std::size_t origin, const History& history, std::span<const std::uint8_t> closed) {
        const double level = recent_level(history);
        const std::span<const float> steps = tests[i].forecast(*sample[i], origin);
        const IntervalCalibrator& calibrator = without[origin - first_origin];
        if (!(level > 0) || calibrator.residuals() == 0) return;
        RecipeLosses& to = losses[static_cast<std::size_t>(tests[i].class_from(first_origin))];
        for (std::size_t memory = 0; memory < kMemories.size(); ++memory) {
          const HistoryQuantiles distribution(history, memory_of(memory, history.grain));
          if (distribution.observed() < kObservedMin) return;
          for (std::size_t step = 0; step < options_.horizon; ++step) {
            const std::size_t at = tests[i].period(origin, step);
            if (series[i].masked[at] != 0 || closed[step] != 0) continue;
            const auto forecast = static_cast<double>(steps[step]);
            const double actual = series[i].value[at];
            calibrator.quantiles({tests[i].class_from(first_origin), i, step, 0}, forecast, level, kJudged,
                                 residual);
            const double mean = distribution.quantiles(options_.gap + step, kJudged, own);
            for (std::size_t shift = 0; shift < kShifts.size(); ++shift) {
              const double move = kShifts[shift] * (forecast - mean);
              for (std::size_t weight = 0; weight < kWeights.size(); ++weight) {
                double loss = 0;
                for (std::size_t q = 0; q < kJudged.size(); ++q) {
                  mixed[q] = kWeights[weight] * residual[q] +
                             (1 - kWeights[weight]) * HistoryQuantiles::moved(own[q], move);
                  if (distribution.whole_numbers()) mixed[q] = std::round(mixed[q]);
                  loss += pinball(actual, mixed[q], kJudged[q]);
                }
                to[memory][shift][weight] += loss / level;
              }
            }
          }
        }
      });
  for (std::size_t c = 0; c < kDemandClassCount; ++c) {
    const auto demand_class = static_cast<DemandClass>(c);
    const bool rare = is_rare(demand_class);
    // One origin left cannot be stretched by the others: the residuals of regular demand would be judged
    // unfairly.
    if (!rare && origins < first_origin + 3) continue;
    recipes_[c] = best_recipe(losses[c], rare ? kGainMinRare : kGainMinRegular);
  }
}

bool PredictiveDistributions::informed(const History& history) const {
  return calibrator_.residuals() > 0 || HistoryQuantiles(history, memory_of(0, history.grain)).varies();
}

void PredictiveDistributions::quantiles(const History& history, std::size_t at, DemandClass demand_class,
                                        std::span<const double> forecast, std::span<const double> shares,
                                        std::span<double> out) const {
  TILLCAST_CHECK(out.size() == forecast.size() * shares.size(), "one quantile for each step and share");
  const double level = recent_level(history);
  const HistoryQuantiles distribution(history, memory_of(recipe(demand_class).half_life, history.grain));
  PredictiveRecipe with = recipe(demand_class);
  const bool brief = distribution.observed() < kObservedMin;
  std::optional<IntervalCalibrator> own_spread;
  if (calibrator_.residuals() == 0) {  // no back-test at all: its own past or nothing
    with.residual_weight = 0;
    if (brief) own_spread = spread_of(history, demand_class, level, options_);
  }
  if (brief) with.residual_weight = 1;
  const IntervalCalibrator& calibrator = own_spread ? *own_spread : calibrator_;
  const std::vector<std::uint8_t> closed = closed_steps(history, options_.gap + forecast.size());
  std::vector<double> own(shares.size());
  for (std::size_t step = 0; step < forecast.size(); ++step) {
    const std::span<double> to = out.subspan(step * shares.size(), shares.size());
    if (closed[options_.gap + step] != 0) {
      std::ranges::fill(to, 0.0);
      continue;
    }
    calibrator.quantiles({demand_class, own_spread ? 0 : at, step, 0}, forecast[step], level, shares, to);
    if (with.residual_weight < 1) {
      const double mean = distribution.quantiles(options_.gap + step, shares, own);
      const double move = with.shift * (forecast[step] - mean);
      for (std::size_t q = 0; q < shares.size(); ++q)
        to[q] =
            with.residual_weight * to[q] + (1 - with.residual_weight) * HistoryQuantiles::moved(own[q], move);
    }
    if (distribution.whole_numbers() && distribution.observed() > 0)
      for (double& one : to) one = std::round(one);
    // Returns make days below 0 in the history; demand ahead is never one.
    if (options_.non_negative)
      for (double& one : to) one = std::max(one, 0.0);
    rearrange(to);
  }
}

}  // namespace tillcast::forecast
