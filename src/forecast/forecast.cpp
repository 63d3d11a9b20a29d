#include "forecast/forecast.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <ctime>
#include <map>

#include "forecast/cold_start.h"
#include "forecast/intermittent.h"
#include "forecast/parallel_internal.h"
#include "forecast/predictive.h"

namespace tillcast::forecast {
namespace {

using Choices = std::vector<std::optional<std::size_t>>;

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
  if (!options.series_levels.empty() && options.series_levels.size() != series_count)
    return invalid_input("levels are named for " + std::to_string(options.series_levels.size()) + " of " +
                         std::to_string(series_count) + " series");
  for (const AttributeColumn& attribute : options.attributes)
    if (attribute.value.size() != series_count)
      return invalid_input("attribute " + attribute.name + " has " + std::to_string(attribute.value.size()) +
                           " values for " + std::to_string(series_count) + " series");
  return {};
}

/// The share of a run's progress that one step of it has.
class PartOfProgress final : public Progress {
 public:
  PartOfProgress(Progress& whole, std::size_t done_before, std::size_t units, std::size_t total)
      : whole_(whole), done_before_(done_before), units_(units), total_(total) {}
  void update(std::uint64_t done, std::uint64_t total) override {
    whole_.update(done_before_ + (total > 0 ? units_ * std::min(done, total) / total : 0), total_);
  }
  bool cancelled() const override { return whole_.cancelled(); }

 private:
  Progress& whole_;
  std::size_t done_before_;
  std::size_t units_;
  std::size_t total_;
};

/// Finds what is wrong with the numbers of a series, so that no model has to ask.
std::string find_fault(const Series& series) {
  if (!series.refused.empty()) return series.refused;
  if (series.masked.size() != series.value.size())
    return "has " + std::to_string(series.value.size()) + " values but " +
           std::to_string(series.masked.size()) + " marks of closed periods";
  std::vector<std::size_t> lengths = {series.promotion.size(), series.open.size(), series.price.size()};
  for (const Driver& driver : series.drivers) lengths.push_back(driver.value.size());
  for (const std::size_t drivers : lengths)
    if (drivers != 0 && drivers < series.size())
      return "has a driver for " + std::to_string(drivers) + " of its " + std::to_string(series.size()) +
             " periods";
  for (std::size_t i = 0; i < series.size(); ++i)
    if (!std::isfinite(series.value[i]))
      return "value of " + format_date(series.date_at(i)) + " is not a finite number";
  return {};
}

/// Shares of the quantiles asked for, and after them the four bounds of the intervals.
struct Shares {
  std::vector<double> all;           ///< increasing
  std::vector<std::size_t> asked;    ///< places in `all`
  std::array<std::size_t, 4> bound;  ///< places of 2.5, 10, 90 and 97.5 %

  explicit Shares(std::span<const double> quantile_shares)
      : all(quantile_shares.begin(), quantile_shares.end()), bound{} {
    constexpr std::array<double, 4> kBounds = {0.025, 0.1, 0.9, 0.975};
    all.insert(all.end(), kBounds.begin(), kBounds.end());
    std::ranges::sort(all);
    all.erase(std::ranges::unique(all).begin(), all.end());
    const auto place = [this](double share) {
      return static_cast<std::size_t>(std::ranges::lower_bound(all, share) - all.begin());
    };
    for (const double share : quantile_shares) asked.push_back(place(share));
    for (std::size_t i = 0; i < kBounds.size(); ++i) bound[i] = place(kBounds[i]);
  }
  Interval interval(std::span<const double> quantiles, double forecast) const {
    std::array<double, 4> bounds{};
    for (std::size_t i = 0; i < bounds.size(); ++i) bounds[i] = quantiles[bound[i]];
    return interval_of(bounds, forecast);
  }
};

/// Coverage at the newest origin: all, by class, by level, and by class within each level.
std::vector<CoverageRow> measure_coverage(std::span<const Series> series,
                                          std::span<const SeriesBacktest> tests, const Choices& chosen,
                                          const PredictiveDistributions& distributions, const Shares& shares,
                                          const ForecastOptions& options) {
  const BacktestOptions& test_options = options.backtest;
  using Key = std::pair<std::string, std::size_t>;  // level, class; kDemandClassCount = all classes
  std::map<Key, CoverageRow> table;
  std::vector<double> quantiles(test_options.horizon * shares.all.size());
  for (std::size_t i = 0; i < series.size(); ++i) {
    const SeriesBacktest& test = tests[i];
    if (!chosen[i] || test.ends.size() < 2) continue;
    const History history = history_at(series[i], test.ends[0], test_options);
    const std::span<const float> steps = test.forecast(*chosen[i], 0);
    const std::vector<double> forecast(steps.begin(), steps.end());
    // A day thought closed that was open is a miss: its quantiles are all 0.
    distributions.quantiles(history, i, test.demand_class, forecast, shares.all, quantiles);
    CoverageRow own;
    own.quantiles.resize(shares.asked.size());
    for (std::size_t step = 0; step < test_options.horizon; ++step) {
      const std::size_t at = test.period(0, step);
      if (series[i].masked[at] != 0) continue;
      const double actual = series[i].value[at];
      const auto of_step = std::span(quantiles).subspan(step * shares.all.size(), shares.all.size());
      const Interval interval = shares.interval(of_step, forecast[step]);
      own.coverage.add(actual, interval.lo80, interval.hi80, interval.lo95, interval.hi95);
      for (std::size_t q = 0; q < shares.asked.size(); ++q)
        own.quantiles[q].add(actual, of_step[shares.asked[q]], shares.all[shares.asked[q]], ErrorScale{});
    }
    if (own.coverage.count == 0) continue;
    std::vector<std::string> levels = {""};
    if (!options.series_levels.empty()) levels.push_back(options.series_levels[i]);
    for (const std::string& level : levels)
      for (const std::size_t of_class : {static_cast<std::size_t>(test.demand_class), kDemandClassCount}) {
        CoverageRow& row = table[{level, of_class}];
        row.level = level;
        if (of_class < kDemandClassCount) row.demand_class = static_cast<DemandClass>(of_class);
        row.quantiles.resize(shares.asked.size());
        row.coverage.merge(own.coverage);
        for (std::size_t q = 0; q < row.quantiles.size(); ++q) row.quantiles[q].merge(own.quantiles[q]);
      }
  }
  std::vector<CoverageRow> rows;
  for (const bool all_classes : {true, false})
    for (const auto& [key, row] : table)
      if ((key.second == kDemandClassCount) == all_classes) rows.push_back(row);
  return rows;
}

/// Errors of the chosen model at each origin (newest first) and step: actual minus forecast, NaN where
/// nothing was observed.
std::vector<float> errors_of(const Series& series, const SeriesBacktest& test, std::size_t chosen) {
  std::vector<float> errors;
  errors.reserve(test.ends.size() * test.horizon);
  for (std::size_t origin = 0; origin < test.ends.size(); ++origin) {
    const std::span<const float> steps = test.forecast(chosen, origin);
    for (std::size_t step = 0; step < test.horizon; ++step) {
      const std::size_t at = test.period(origin, step);
      errors.push_back(series.masked[at] != 0 ? NAN : static_cast<float>(series.value[at]) - steps[step]);
    }
  }
  return errors;
}

/// Sums of the accuracy table: [class][model], the last model standing for "chosen".
std::vector<AccuracyRow> tabulate(std::span<const Series> series, std::span<const SeriesBacktest> tests,
                                  const Choices& chosen_before) {
  constexpr std::size_t kChosen = kModelCount;
  std::array<std::array<AccuracyRow, kModelCount + 1>, kDemandClassCount + 1> table;
  for (std::size_t i = 0; i < series.size(); ++i) {
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

/// The final forecast of one series: the chosen model, else the seasonal naive, else the mean, else zero.
SeriesForecast forecast_one(const Series& series, std::size_t at, const SeriesBacktest& test,
                            std::optional<std::size_t> chosen, std::span<const PanelForecast> panels,
                            const BacktestOptions& options) {
  SeriesForecast result;
  result.demand_class = test.demand_class;
  const History raw = history_at(series, series.size(), options);
  const CappedValues capped = cap_outliers(raw, test.demand_class, options.outliers);
  History cleaned = raw;
  cleaned.value = capped.value;
  result.observed = static_cast<std::size_t>(std::ranges::count(raw.masked, std::uint8_t{0}));
  if (chosen) {
    result.model = test.models[*chosen];
  } else {
    result.status = SeriesStatus::kFallback;
    result.model = default_model(raw, test.demand_class);
    result.reason = series.size() == 0
                        ? "no sales up to the cut"
                        : "too short for a back-test: " + std::to_string(series.size()) + " periods known, " +
                              std::to_string(history_min(raw) + options.gap + options.horizon) + " needed";
    if (!test.ends.empty()) result.reason = "no candidate model could be used";
  }
  std::vector<double> steps(options.gap + options.horizon, 0.0);
  std::vector<ModelId> tries = {result.model, ModelId::kSeasonalNaive, ModelId::kMean, ModelId::kZero};
  if (is_panel_model(result.model)) tries.insert(tries.begin() + 1, default_model(raw, test.demand_class));
  for (const ModelId id : tries) {
    const Model& which = model(id);
    if (is_panel_model(id)) {
      const auto panel = std::ranges::find(panels, id, &PanelForecast::id);
      if (panel != panels.end()) {
        std::ranges::copy(panel->of(at), steps.begin());
        std::fill_n(steps.begin(), options.gap, 0.0);
        if (serve_steps(raw, options.non_negative, steps)) break;
      }
      result.status = SeriesStatus::kFallback;
      result.reason =
          "model " + std::string(which.name) + " " +
          (panel != panels.end() && !panel->refused.empty() ? panel->refused : "declines this series");
      std::ranges::fill(steps, 0.0);
      continue;
    }
    const History& history = which.capped ? cleaned : raw;
    std::string fault = which.refuses(history);
    if (fault.empty()) {
      if (predict_steps(which, history, which.fit(history), options.non_negative, steps)) {
        result.model = id;
        result.outliers_capped = which.capped ? capped.capped : 0;
        break;
      }
      fault = "gave a forecast that is not a number";
    }
    result.status = SeriesStatus::kFallback;
    if (result.reason.empty()) result.reason = "model " + std::string(which.name) + " " + fault;
    std::ranges::fill(steps, 0.0);
  }
  const std::vector<std::uint8_t> closed = closed_steps(raw, steps.size());
  for (std::size_t step = options.gap; step < steps.size(); ++step) {
    ForecastPoint point;
    point.date = series.date_at(series.size() + step);
    point.mean = steps[step];
    point.closed = closed[step] != 0;
    result.points.push_back(point);
  }
  return result;
}

/// Gives a series without enough history the forecast of series alike, if there are some.
void start_from_others(std::span<const Series> series, std::size_t at, const ForecastOptions& options,
                       SeriesForecast& result) {
  const BacktestOptions& test = options.backtest;
  const History history = history_at(series[at], series[at].size(), test);
  if (options.attributes.empty() || result.observed >= history_min(history)) return;
  const std::size_t donor_min = history_min(history) + test.gap + test.horizon;
  ColdStart from = cold_start(series, options.attributes, at, donor_min, test.gap + test.horizon, {});
  if (from.forecast.empty() || !serve_steps(history, test.non_negative, from.forecast)) return;
  result.model = ModelId::kColdStart;
  result.outliers_capped = 0;
  result.reason = "cold_start: " + std::to_string(result.observed) + " periods known; from " +
                  std::to_string(from.neighbours.size()) + " series alike" +
                  (from.launch_profile ? " and their first periods" : "");
  for (std::size_t step = 0; step < result.points.size(); ++step)
    result.points[step].mean = from.forecast[test.gap + step];
}

/// Puts the quantiles and intervals beside the forecast of a series.
void add_quantiles(const History& history, std::size_t at, const PredictiveDistributions& distributions,
                   const Shares& shares, SeriesForecast& result) {
  std::vector<double> forecast;
  for (const ForecastPoint& point : result.points) forecast.push_back(point.mean);
  std::vector<double> quantiles(forecast.size() * shares.all.size());
  distributions.quantiles(history, at, result.demand_class, forecast, shares.all, quantiles);
  for (std::size_t step = 0; step < result.points.size(); ++step) {
    ForecastPoint& point = result.points[step];
    const auto of_step = std::span(quantiles).subspan(step * shares.all.size(), shares.all.size());
    for (const std::size_t place : shares.asked)
      result.quantiles.push_back(static_cast<float>(of_step[place]));
    if (point.closed) continue;
    const Interval interval = shares.interval(of_step, point.mean);
    point.lo80 = interval.lo80;
    point.hi80 = interval.hi80;
    point.lo95 = interval.lo95;
    point.hi95 = interval.hi95;
  }
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
  // A panel model's fit and forecast counts as much as a hundred series, and a tenth of all of them.
  const std::size_t fit_units = options.panel_models.size() * (100 + count / 10);
  const std::size_t total = 2 * count + 2 * fit_units;

  // Refused series take no part; an empty stand-in keeps every index in place.
  std::vector<std::string> faults(count);
  std::vector<SeriesBacktest> tests(count);
  const bool tested = for_each_index(count, options.threads, progress, 0, total, [&](std::size_t i) {
    faults[i] = find_fault(series[i]);
    if (!faults[i].empty()) return;
    std::vector<ModelId> models = options.models;
    if (models.empty()) {
      const DemandProfile profile = classify(history_at(series[i], series[i].size(), test_options));
      models = default_models(profile.demand_class, series[i].grain);
    }
    std::erase_if(models, is_panel_model);  // they come through options.panel_models
    tests[i] = backtest(series[i], models, test_options);
  });
  if (!tested) return cancelled("forecast stopped on request while back-testing");
  std::vector<std::uint8_t> usable(count);
  for (std::size_t i = 0; i < count; ++i) usable[i] = faults[i].empty() && series[i].size() > 0 ? 1 : 0;
  PartOfProgress test_progress(progress, count, fit_units, total);
  if (Result<> added = add_panel_backtests(series, usable, options.attributes, options.panel_models,
                                           test_options, options.threads, test_progress, tests);
      !added)
    return added.error();

  constexpr std::size_t kAllOrigins = static_cast<std::size_t>(-1);
  ForecastRun run;
  run.quantile_shares = options.quantile_shares;
  const Shares shares(options.quantile_shares);
  {
    const Choices before = choose_models(series, tests, 1, kAllOrigins, options.choice);
    const PredictiveDistributions distributions(series, tests, before, 1, test_options);
    run.accuracy = tabulate(series, tests, before);
    if (distributions.residuals() > 0)
      run.coverage = measure_coverage(series, tests, before, distributions, shares, options);
  }
  const Choices chosen = choose_models(series, tests, 0, kAllOrigins, options.choice);
  const PredictiveDistributions distributions(series, tests, chosen, 0, test_options);
  for (std::size_t c = 0; c < kDemandClassCount; ++c)
    run.recipes[c] = distributions.recipe(static_cast<DemandClass>(c));

  PartOfProgress fit_progress(progress, count + fit_units, fit_units, total);
  auto panels = forecast_panels(series, usable, options.attributes, options.panel_models, test_options,
                                options.threads, fit_progress);
  if (!panels) return panels.error();
  run.panels = std::move(*panels);

  run.series.resize(count);
  const std::size_t done_before = count + 2 * fit_units;
  const bool forecasted =
      for_each_index(count, options.threads, progress, done_before, total, [&](std::size_t i) {
        SeriesForecast& result = run.series[i];
        if (!faults[i].empty()) {
          result.status = SeriesStatus::kRefused;
          result.reason = faults[i];
          result.index = series[i].index;
          return;
        }
        result = forecast_one(series[i], i, tests[i], chosen[i], run.panels, test_options);
        if (options.cold_start && !chosen[i]) start_from_others(series, i, options, result);
        result.index = series[i].index;
        result.history_from = series[i].start;
        result.history_until = Date{series[i].date_at(series[i].size()).days - 1};
        result.thin_intervals = distributions.thin(result.demand_class);
        add_quantiles(history_at(series[i], series[i].size(), test_options), i, distributions, shares,
                      result);
        if (options.keep_errors && chosen[i]) result.errors = errors_of(series[i], tests[i], *chosen[i]);
        for (std::size_t m = 0; m < tests[i].models.size() && !tests[i].ends.empty(); ++m) {
          ModelAccuracy& row = result.backtest.emplace_back();
          row.model = tests[i].models[m];
          row.refused = tests[i].refused[m];
          if (row.refused.empty()) row.accuracy = tests[i].accuracy(series[i], m, 0, kAllOrigins);
        }
      });
  if (!forecasted) return cancelled("forecast stopped on request while forecasting");
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
