#include "forecast/forecast.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <ctime>

#include "forecast/blend_backtest.h"
#include "forecast/final_forecast_internal.h"
#include "forecast/held_out_internal.h"
#include "forecast/kept_steps_internal.h"
#include "forecast/parallel_internal.h"
#include "forecast/pooled_season.h"
#include "forecast/predictive.h"
#include "forecast/run_quantiles_internal.h"
#include "forecast/top_level_scaling.h"

namespace tillcast::forecast {
namespace {

using Choices = std::vector<std::optional<std::size_t>>;
constexpr double kTestedValue = 2.4e-6;  // CPU seconds of the back-test of one period, as measured
constexpr const char* kStoppedChoosing = "forecast stopped on request while choosing models";

Result<> check(const ForecastOptions& options, std::size_t series_count) {
  const BacktestOptions& test = options.backtest;
  constexpr std::size_t kHorizonMax = 3660;
  if (test.horizon < 1 || test.horizon > kHorizonMax)
    return invalid_input("horizon is " + std::to_string(test.horizon) + " periods, expected 1 to " +
                         std::to_string(kHorizonMax));
  if (test.gap > kHorizonMax)
    return invalid_input("gap is " + std::to_string(test.gap) + " periods, expected 0 to " +
                         std::to_string(kHorizonMax));
  if (test.origins < 1 || test.origins > 100)
    return invalid_input("origins is " + std::to_string(test.origins) + ", expected 1 to 100");
  if (const std::string_view fault = find_share_fault(options.quantile_shares); !fault.empty())
    return invalid_input(std::string(fault));
  for (const ModelId id : options.models)
    if (static_cast<std::size_t>(id) >= kModelCount)
      return invalid_input("models: no model has the number given");
  for (std::size_t i = 0; i < options.panel_models.size(); ++i) {
    const PanelModel& one = *options.panel_models[i].model;
    for (std::size_t k = 0; k < i; ++k)
      if (options.panel_models[k].model->id() == one.id())
        return invalid_input("panel models: " + std::string(one.name()) + " is named twice");
  }
  for (const AttributeColumn& attribute : options.attributes) {
    if (attribute.value.size() != series_count)
      return invalid_input("attribute " + attribute.name + " has " + std::to_string(attribute.value.size()) +
                           " values for " + std::to_string(series_count) + " series");
  }
  if (!options.levels.empty() && options.levels.size() != series_count)
    return invalid_input("levels: " + std::to_string(options.levels.size()) + " names for " +
                         std::to_string(series_count) + " series");
  for (const LevelLabels& level : options.report_levels) {
    if (level.label.size() != series_count)
      return invalid_input("report level " + level.name + " has " + std::to_string(level.label.size()) +
                           " labels for " + std::to_string(series_count) + " series");
  }
  return {};
}

/// Where in the progress of a run its steps begin, by the CPU time they take as measured.
struct StepShares {
  double panels_tested = 0;  ///< the local models are back-tested before
  double choice = 0;
  double panels = 0;
  double forecasts = 0;
  double quantiles = 0;
};

StepShares step_shares(std::span<const Series> series, std::span<const PanelCandidate> panels,
                       bool updating) {
  std::size_t values = 0;
  for (const Series& one : series) values += one.size();
  double fits = 0;
  for (const PanelCandidate& panel : panels)
    fits += panel.fitted && updating ? 0 : panel.model->fit_seconds(values);
  const auto count = static_cast<double>(series.size());
  constexpr double kForecastValue = 1.6e-6;
  constexpr double kChosen = 0.4e-3;
  constexpr double kQuantiles = 0.1e-3;
  const double tested = updating ? 0 : kTestedValue * static_cast<double>(values);
  const double panels_tested = updating ? 0 : fits;
  const double forecasts = kForecastValue * static_cast<double>(values);
  StepShares at;
  at.panels_tested = tested;
  at.choice = at.panels_tested + panels_tested;
  at.panels = at.choice + kChosen * count;
  at.forecasts = at.panels + fits;
  at.quantiles = at.forecasts + forecasts;
  const double all = std::max(at.quantiles + kQuantiles * count, 1e-12);
  for (double* one : {&at.panels_tested, &at.choice, &at.panels, &at.forecasts, &at.quantiles}) *one /= all;
  return at;
}

/// Finds what is wrong with the numbers of a series, so that no model has to ask.
std::string find_fault(const Series& series) {
  if (!series.refused.empty()) return series.refused;
  if (series.masked.size() != series.value.size())
    return "has " + std::to_string(series.value.size()) + " values but " +
           std::to_string(series.masked.size()) + " marks of closed periods";
  std::vector<std::size_t> lengths = {series.promotion.size(), series.open.size(), series.price.size()};
  for (const Driver& driver : series.drivers) lengths.push_back(driver.value.size());
  for (const std::size_t drivers : lengths) {
    if (drivers != 0 && drivers < series.size())
      return "has a driver for " + std::to_string(drivers) + " of its " + std::to_string(series.size()) +
             " periods";
  }
  for (std::size_t i = 0; i < series.size(); ++i)
    if (!std::isfinite(series.value[i]))
      return "value of " + format_date(series.date_at(i)) + " is not a finite number";
  return {};
}

/// Sums of the accuracy table: [class][model], the last model standing for "chosen".
std::vector<AccuracyRow> tabulate(std::span<const Series> series, std::span<const SeriesBacktest> tests,
                                  const Choices& chosen_before, const Progress& progress) {
  constexpr std::size_t kChosen = kModelCount;
  std::array<std::array<AccuracyRow, kModelCount + 1>, kDemandClassCount + 1> table;
  for (std::size_t i = 0; i < series.size() && !progress.cancelled(); ++i) {
    const SeriesBacktest& test = tests[i];
    if (test.ends.empty()) continue;
    const auto benchmark_at = std::ranges::find(test.models, ModelId::kSeasonalNaive) - test.models.begin();
    Accuracy benchmark;
    if (static_cast<std::size_t>(benchmark_at) < test.models.size())
      benchmark = test.accuracy(series[i], static_cast<std::size_t>(benchmark_at), 0, 1);
    const auto add = [&](std::size_t row, const Accuracy& newest, const Accuracy& all) {
      for (const std::size_t level : {static_cast<std::size_t>(test.demand_class), kDemandClassCount}) {
        AccuracyRow& to = table[level][row];
        to.newest.merge(newest);
        to.newest_benchmark.merge(benchmark);
        to.all.merge(all);
      }
    };
    for (std::size_t m = 0; m < test.models.size(); ++m) {
      if (!test.refused[m].empty()) continue;
      const Accuracy newest = test.accuracy(series[i], m, 0, 1);
      Accuracy all = newest;
      all.merge(test.accuracy(series[i], m, 1, test.ends.size()));
      add(static_cast<std::size_t>(test.models[m]), newest, all);
      if (chosen_before[i] == m) add(kChosen, newest, newest);
    }
  }
  std::vector<AccuracyRow> rows;
  for (std::size_t step = 0; step <= kDemandClassCount; ++step) {
    const std::size_t level = step == 0 ? kDemandClassCount : step - 1;
    for (std::size_t row_step = 0; row_step <= kModelCount; ++row_step) {
      const std::size_t row = row_step == 0 ? kChosen : row_step - 1;
      AccuracyRow& from = table[level][row];
      if (from.all.count == 0) continue;
      if (row != kChosen) from.model = static_cast<ModelId>(row);
      if (level != kDemandClassCount) from.demand_class = static_cast<DemandClass>(level);
      rows.push_back(from);
    }
  }
  return rows;
}

/// What is known of a series by position, or nullptr.
const FittedSeries* known_of(std::span<const FittedSeries* const> known, std::size_t at) {
  return at < known.size() ? known[at] : nullptr;
}

/// The candidates that the caller named, and the pooled ones where they are among the models asked for.
std::vector<PanelCandidate> panel_candidates(const ForecastOptions& options) {
  std::vector<PanelCandidate> candidates = options.panel_models;
  for (const PooledKind kind : {PooledKind::kLevel, PooledKind::kSeason}) {
    if (!options.fitted.empty()) break;  // an update has those that were learnt
    auto pooled = pooled_season_model(kind);
    const bool asked =
        options.models.empty() || std::ranges::find(options.models, pooled->id()) != options.models.end();
    const bool named = std::ranges::any_of(
        candidates, [&](const PanelCandidate& one) { return one.model->id() == pooled->id(); });
    if (asked && !named) candidates.push_back({std::move(pooled), nullptr});
  }
  return candidates;
}

/// Scaled forecasts exist as blends only: a series whose blend has one member takes that one scaled.
void prefer_blend(std::span<const SeriesBacktest> tests, Choices& chosen) {
  for (std::size_t i = 0; i < tests.size(); ++i) {
    const auto blend = std::ranges::find(tests[i].models, ModelId::kBlend);
    if (chosen[i] && blend != tests[i].models.end())
      chosen[i] = static_cast<std::size_t>(blend - tests[i].models.begin());
  }
}

/// A series that sold nothing up to the newest origin had zero as its candidate; sales came since, and the
/// choice says nothing about them.
void forget_zeros(std::span<const SeriesBacktest> tests, Choices& chosen) {
  for (std::size_t i = 0; i < tests.size(); ++i) {
    const SeriesBacktest& test = tests[i];
    if (chosen[i] && test.models[*chosen[i]] == ModelId::kZero && test.demand_class == DemandClass::kNone &&
        test.demand_class_now != DemandClass::kNone)
      chosen[i].reset();
  }
}

/// Scales the final blends to a forecast of their sum, as far as the back-test says. @return the factor
double scale_to_total(std::span<const Series> series, std::span<const std::uint8_t> usable,
                      const Blend& blend, const BacktestOptions& options, std::optional<double> given,
                      std::span<SeriesForecast> forecasts) {
  if (blend.share <= 0 && !given) return 1;
  double sum = 0;
  for (const SeriesForecast& forecast : forecasts)
    for (const ForecastPoint& point : forecast.points) sum += point.mean;
  const double factor =
      given.value_or(scaling_factor(sum, forecast_total(series, usable, 0, options), blend.share));
  for (SeriesForecast& forecast : forecasts)
    if (forecast.model == ModelId::kBlend)
      for (ForecastPoint& point : forecast.points) point.mean *= factor;
  return factor;
}

/// Models that a series is back-tested with; those that look at all series come when each has its own.
std::vector<ModelId> candidates_of(const ForecastOptions& options, DemandClass demand_class, Grain grain) {
  return options.models.empty() ? default_models(demand_class, grain) : options.models;
}

/// Back-tests the local models of all series that have no fault, as far as the checkpoint has them not.
/// @return false when asked to stop
bool add_local_backtests(std::span<const Series> series, std::span<const std::string> faults,
                         const ForecastOptions& options, const KeptSteps& kept, std::span<Stretch> stretches,
                         Progress& progress, std::span<SeriesBacktest> tests) {
  kept.find_backtests(stretches, tests);
  std::size_t done = 0;
  for (const Stretch& stretch : stretches) done += stretch.found ? stretch.size() : 0;
  if (done > 0) progress.update(done, series.size());
  for (const Stretch& stretch : stretches) {
    if (stretch.found) continue;
    const auto test_one = [&](std::size_t at) {
      const std::size_t i = stretch.from + at;
      if (!faults[i].empty()) return;
      const DemandClass demand_class = class_at_newest_origin(series[i], options.backtest);
      std::vector<ModelId> models = candidates_of(options, demand_class, series[i].grain);
      std::erase_if(models, [](ModelId id) { return is_panel_model(id) || id == ModelId::kBlend; });
      tests[i] = backtest(series[i], models, options.backtest);
    };
    if (!for_each_index(stretch.size(), options.threads, progress, done, series.size(), test_one))
      return false;
    if (stretch.kept) kept.keep_backtests(stretch, tests);
    done += stretch.size();
  }
  return true;
}

}  // namespace

std::string_view series_status_name(SeriesStatus status) {
  switch (status) {
    case SeriesStatus::kOk:
      return "ok";
    case SeriesStatus::kFallback:
      return "fallback";
    case SeriesStatus::kRefused:
      return "refused";
  }
  return "ok";
}

Result<ForecastRun> forecast_all(std::span<const Series> series, const ForecastOptions& options,
                                 Progress& progress) {
  if (const Result<> checked = check(options, series.size()); !checked) return checked.error();
  const auto started = std::chrono::steady_clock::now();
  const std::clock_t cpu_started = std::clock();
  const BacktestOptions& test_options = options.backtest;
  const std::size_t count = series.size();
  const bool updating = !options.fitted.empty();
  const KeptSteps kept(updating ? nullptr : options.checkpoint, options.checkpoint_seconds);
  const std::vector<PanelCandidate> panel_models = kept.with_kept_fits(panel_candidates(options));
  const StepShares at = step_shares(series, panel_models, updating);

  // Refused series take no part; an empty stand-in keeps every index in place.
  std::vector<std::string> faults(count);
  for (std::size_t i = 0; i < count; ++i) faults[i] = find_fault(series[i]);
  std::vector<SeriesBacktest> tests(count);
  std::vector<Stretch> stretches = kept.stretches(series, kTestedValue);
  BacktestOptions tested_options = test_options;  // of the back-test that an update falls back on
  if (updating && options.fitted_horizon > 0) tested_options.horizon = options.fitted_horizon;
  progress.step("back-test");
  ProgressPart local_part(progress, 0, at.panels_tested);
  const auto restore = [&](std::size_t i) {
    if (faults[i].empty())
      tests[i] = restored_backtest(series[i], known_of(options.fitted, i), tested_options);
  };
  const bool tested = updating
                          ? for_each_index(count, options.threads, local_part, 0, count, restore)
                          : add_local_backtests(series, faults, options, kept, stretches, local_part, tests);
  if (!tested) return cancelled("forecast stopped on request while back-testing");
  std::vector<std::uint8_t> usable(count);
  for (std::size_t i = 0; i < count; ++i) usable[i] = faults[i].empty() && series[i].size() > 0 ? 1 : 0;
  ProgressPart test_part(progress, at.panels_tested, at.choice);
  constexpr std::size_t kAllOrigins = static_cast<std::size_t>(-1);
  ForecastRun run;
  run.quantile_shares = options.quantile_shares;
  const RunShares shares(options.quantile_shares);
  Blend blend;
  Choices before(count);
  std::vector<std::vector<double>> scores_before;  // for a champion of another definition
  Choices chosen(count);
  if (updating) {
    blend.weights.resize(count);
    blend.share = options.fitted_share;
    for (std::size_t i = 0; i < count; ++i) {
      if (!tests[i].ends.empty()) chosen[i] = 0;
    }
  } else {
    if (Result<> added = add_panel_backtests(series, usable, options.attributes, panel_models, test_options,
                                             options.threads, test_part, tests);
        !added)
      return added.error();
    progress.step("choice");
    const auto chosen_part = [&](double share) {
      ProgressPart(progress, at.choice, at.panels).update(static_cast<std::uint64_t>(100 * share), 100);
      return !progress.cancelled();
    };
    if (!chosen_part(0)) return cancelled(kStoppedChoosing);
    std::vector<std::uint8_t> blended(count, 0);
    for (std::size_t i = 0; i < count; ++i) {
      if (!faults[i].empty()) continue;
      const auto models = candidates_of(options, tests[i].demand_class, series[i].grain);
      blended[i] = std::ranges::find(models, ModelId::kBlend) != models.end() ? 1 : 0;
    }
    blend = add_blend(series, usable, blended, options.choice, test_options, tests, progress);
    if (!chosen_part(0.2)) return cancelled(kStoppedChoosing);
    before = choose_models(series, tests, 1, kAllOrigins, options.choice);
    if (blend.share_before > 0) prefer_blend(tests, before);
    if (!options.rival.empty() && !options.rival_is_alike)
      scores_before = score_models(series, tests, 1, kAllOrigins, options.choice);
    if (!chosen_part(0.3)) return cancelled(kStoppedChoosing);
    const PredictiveDistributions distributions(series, tests, before, 1, test_options, progress);
    if (!chosen_part(0.5)) return cancelled(kStoppedChoosing);
    run.accuracy = tabulate(series, tests, before, progress);
    AccuracyReportBuilder report(series, tests, before, options.report_levels);
    if (distributions.residuals() > 0)
      run.coverage =
          measure_coverage(series, tests, before, distributions, shares, options, report, progress);
    if (!chosen_part(0.65)) return cancelled(kStoppedChoosing);
    run.report = report.build(progress);
    if (!chosen_part(0.7)) return cancelled(kStoppedChoosing);
    chosen = choose_models(series, tests, 0, kAllOrigins, options.choice);
    if (blend.share > 0) prefer_blend(tests, chosen);
    forget_zeros(tests, chosen);
  }
  const PredictiveDistributions distributions(series, tests, chosen, 0, tested_options, progress);
  if (progress.cancelled()) return cancelled(kStoppedChoosing);
  for (std::size_t c = 0; c < kDemandClassCount; ++c)
    run.recipes[c] = distributions.recipe(static_cast<DemandClass>(c));

  ProgressPart fit_part(progress, at.panels, at.forecasts);
  auto panels = forecast_panels(series, usable, options.attributes, panel_models, test_options,
                                options.threads, fit_part);
  if (!panels) return panels.error();
  run.panels = std::move(*panels);

  run.series.resize(count);
  constexpr std::size_t kFewSeries = 8;
  const std::size_t held_out_parts = count < kFewSeries ? 8 : 1;
  progress.step("forecast");
  ProgressPart forecast_part(progress, at.forecasts, at.quantiles);
  const auto forecast_series = [&](std::size_t i) {
    SeriesForecast& result = run.series[i];
    if (!faults[i].empty()) {
      result.status = SeriesStatus::kRefused;
      result.reason = faults[i];
      result.index = series[i].index;
      return;
    }
    const FittedSeries* const known = known_of(options.fitted, i);
    const std::vector<FittedMember> before_stop = std::move(result.fitted.members);
    result = forecast_one(series[i], i, tests[i], chosen[i], run.panels, blend.weights[i], options, known,
                          known != nullptr ? known->members : before_stop);
    if (options.cold_start && !chosen[i]) start_from_others(series, i, options, result);
    result.held_out =
        hold_out(series[i], tests[i],
                 {before[i], scores_before.empty() ? std::span<const double>() : scores_before[i]},
                 known_of(options.rival, i), held_out_parts, options);
    result.index = series[i].index;
    result.history_from = series[i].start;
    result.history_until = Date{series[i].date_at(series[i].size()).days - 1};
    result.thin_intervals = distributions.thin(result.demand_class);
    if (options.keep_errors && chosen[i]) result.errors = errors_of(series[i], tests[i], *chosen[i]);
    for (std::size_t m = 0; !updating && m < tests[i].models.size() && !tests[i].ends.empty(); ++m) {
      ModelAccuracy& row = result.backtest.emplace_back();
      row.model = tests[i].models[m];
      row.refused = tests[i].refused[m];
      if (row.refused.empty()) row.accuracy = tests[i].accuracy(series[i], m, 0, kAllOrigins);
    }
  };
  for (const Stretch& stretch : stretches) {
    const bool found = kept.find_members(stretch, run.series);
    if (!for_each_index(stretch.size(), options.threads, forecast_part, stretch.from, count,
                        [&](std::size_t i) { forecast_series(stretch.from + i); }))
      return cancelled("forecast stopped on request while forecasting");
    if (stretch.kept && !found) kept.keep_members(stretch, run.series);
  }
  run.total_factor = scale_to_total(series, usable, blend, test_options, options.fitted_factor, run.series);
  run.total_share = blend.share;
  progress.step("quantiles");
  ProgressPart quantile_part(progress, at.quantiles, 1);
  const bool surrounded = for_each_index(count, options.threads, quantile_part, 0, count, [&](std::size_t i) {
    if (run.series[i].points.empty()) return;
    add_quantiles(history_at(series[i], series[i].size(), test_options), i, distributions, shares,
                  run.series[i]);
  });
  if (!surrounded) return cancelled("forecast stopped on request while making quantiles");
  for (const SeriesForecast& one : run.series) {
    run.ok += one.status == SeriesStatus::kOk ? 1 : 0;
    run.fallbacks += one.status == SeriesStatus::kFallback ? 1 : 0;
    run.refused += one.status == SeriesStatus::kRefused ? 1 : 0;
  }
  run.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  run.cpu_seconds = static_cast<double>(std::clock() - cpu_started) / CLOCKS_PER_SEC;
  return run;
}

}  // namespace tillcast::forecast
