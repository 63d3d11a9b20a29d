// Accuracy of src/forecast on Rossmann: last 42 days, rows with Open = 1 and Sales > 0, nothing known after
// the cut but Open, Promo and, for the global model, the holidays. Prints RMSPE and WAPE of each model at
// three origins, the chosen forecasts at the last one (chosen on earlier origins only) with the coverage of
// their intervals, and CPU seconds. Exit 0: as expected; 1: a figure is off; 2: no data. Usage:
// forecast_accuracy
// [--global [--full]] [--origin DATE]... [--stride N] [rounds=300]...; --global leaves the choice out, --full
// blends.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "forecast/forecast.h"
#include "rossmann.h"

namespace {

using namespace tillcast;
using namespace tillcast::forecast;
using namespace tillcast::bench;

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

bool faults = false;
void expect(bool held, const char* what) {
  if (held) return;
  std::printf("OFF: %s\n", what);
  faults = true;
}

}  // namespace

int main(int argc, char** argv) {
  const char* datasets = std::getenv("TILLCAST_DATASETS");
  const std::string folder = std::string(datasets ? datasets : "../shared/data") + "/rossmann";
  RossmannRows rows;
  if (!read_rossmann(folder, rows)) {
    std::fprintf(stderr, "%s: cannot read Rossmann's train.csv and store.csv; set TILLCAST_DATASETS\n",
                 folder.c_str());
    return 2;
  }
  std::printf("%zu rows, read in %.2f CPU s\n", rows.store.size(), cpu_seconds());
  GlobalRun global;
  bool only_global = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--global")
      only_global = true;
    else if (word == "--full")
      global.full = true;
    else if (word == "--origin" && i + 1 < argc)
      global.origins.push_back(*parse_date(argv[++i]));
    else if (word == "--stride" && i + 1 < argc)
      global.stride = std::atoi(argv[++i]);
    else
      global.settings.emplace_back(word);
  }
  if (global.origins.empty())
    global.origins = {date_from_civil(2015, 3, 27), date_from_civil(2015, 5, 8),
                      date_from_civil(2015, 6, 19)};
  // Each model at the three origins, fitted there, with the drivers of the next 42 days known.
  std::vector<ModelId> models = {
      ModelId::kSeasonalNaive, ModelId::kSeasonalNaiveDouble, ModelId::kSeasonalNaiveYear,
      ModelId::kMovingAverage, ModelId::kDriverMedian,        ModelId::kSeasonProduct,
      ModelId::kTheta,         ModelId::kDynamicTheta,        ModelId::kAutoEts};
  if (only_global)
    models = {ModelId::kSeasonalNaive, ModelId::kSeasonalNaiveDouble, ModelId::kDriverMedian,
              ModelId::kTheta};
  const std::vector<Date> origins = {date_from_civil(2015, 3, 27), date_from_civil(2015, 5, 8),
                                     date_from_civil(2015, 6, 19)};
  constexpr std::size_t kHorizon = 42;
  const std::vector<Series> complete = rossmann_series(rows, date_from_civil(2015, 7, 31));
  BacktestOptions test_options;
  test_options.horizon = kHorizon;
  std::vector<Accuracy> sums(models.size() * origins.size());
  std::vector<double> steps(kHorizon);
  for (std::size_t origin = 0; origin < origins.size(); ++origin) {
    const std::vector<Series> at_origin = rossmann_series(rows, origins[origin]);
    for (std::size_t i = 0; i < at_origin.size(); ++i) {
      const History raw = history_at(at_origin[i], at_origin[i].size(), test_options);
      const CappedValues capped = cap_outliers(raw, DemandClass::kSmooth, test_options.outliers);
      History cleaned = raw;
      cleaned.value = capped.value;
      for (std::size_t m = 0; m < models.size(); ++m) {
        const Model& which = model(models[m]);
        const History& history = which.capped ? cleaned : raw;
        expect(predict_steps(which, history, which.fit(history), true, steps), "a finite forecast");
        for (std::size_t step = 0; step < kHorizon; ++step) {
          const double actual = complete[i].value[raw.size() + step];
          if (actual > 0) sums[m * origins.size() + origin].add(actual, steps[step], 0);
        }
      }
    }
  }
  std::printf("%-20s %21s %21s %21s\n", "RMSPE; WAPE", "2015-03-27", "2015-05-08", "2015-06-19");
  for (std::size_t m = 0; m < models.size(); ++m) {
    std::printf("%-20s", std::string(model(models[m]).name).c_str());
    for (std::size_t origin = 0; origin < origins.size(); ++origin)
      std::printf("     %7.4f; %7.4f", sums[m * origins.size() + origin].rmspe(),
                  sums[m * origins.size() + origin].wape());
    std::printf("\n");
  }
  const bool global_held = run_rossmann_global(rows, global);
  if (only_global) return global_held ? 0 : 1;
  expect(global_held, "the global model");
  const auto at_last = [&](std::size_t m) { return sums[(m + 1) * origins.size() - 1].rmspe(); };
  expect(sums[origins.size() - 1].count == 40282, "40,282 rows at 2015-06-19");
  expect(std::abs(at_last(0) - 0.349) < 0.002, "seasonal naive 7: 0.349");
  expect(std::abs(at_last(1) - 0.1475) < 0.001, "seasonal naive 14: 0.1475");
  expect(std::abs(at_last(4) - 0.1316) < 0.001, "driver median: 0.1316");

  // The forecast a user would have got on 2015-06-19.
  const Date cut = date_from_civil(2015, 6, 19);
  const std::vector<Series> known = rossmann_series(rows, cut);
  ForecastOptions options;
  options.backtest = test_options;
  options.choice.metric = Metric::kRmspe;
  options.threads = 1;
  NoProgress progress;
  const double started = cpu_seconds();
  const auto run = forecast_all(known, options, progress);
  const double used = cpu_seconds() - started;
  if (!run) {
    std::fprintf(stderr, "%s\n", run.error().message.c_str());
    return 1;
  }
  Accuracy chosen;
  Coverage coverage;
  std::size_t picks[kModelCount] = {};
  bool closed_zero = true;
  for (std::size_t i = 0; i < known.size(); ++i) {
    const SeriesForecast& forecast = run->series[i];
    ++picks[static_cast<std::size_t>(forecast.model)];
    expect(forecast.points.size() == 42, "42 points for each store");
    for (const ForecastPoint& point : forecast.points) {
      const auto at = static_cast<std::size_t>(point.date.days - complete[i].start.days);
      if (complete[i].open[at] == 0) closed_zero = closed_zero && point.mean == 0 && point.hi95 == 0;
      const double actual = complete[i].value[at];
      if (actual <= 0) continue;
      chosen.add(actual, point.mean, 0);
      coverage.add(actual, point.lo80, point.hi80, point.lo95, point.hi95);
    }
  }
  std::printf(
      "chosen at 2015-06-19 (choice on 05-08, 03-27, 02-13): RMSPE %.4f WAPE %.4f bias %+.4f, %zu rows\n",
      chosen.rmspe(), chosen.wape(), chosen.bias(), chosen.count);
  std::printf("coverage 80 %%: %.3f, width %.3f of mean sales; 95 %%: %.3f, width %.3f\n", coverage.share80(),
              coverage.mean_width80(), coverage.share95(), coverage.mean_width95());
  for (const CoverageRow& row : run->coverage)
    std::printf("  measured before, at 2015-05-08, %s: 80 %%: %.3f  95 %%: %.3f\n",
                row.demand_class ? std::string(demand_class_name(*row.demand_class)).c_str() : "all",
                row.coverage.share80(), row.coverage.share95());
  for (const AccuracyRow& row : run->accuracy)
    if (!row.demand_class)
      std::printf("  back-test %-20s RMSPE newest %.4f all %.4f, value added %+.3f\n",
                  row.model ? std::string(model(*row.model).name).c_str() : "chosen", row.newest.rmspe(),
                  row.all.rmspe(), value_added(row.newest, row.newest_benchmark, Metric::kRmspe));
  std::printf("models:");
  for (std::size_t m = 0; m < kModelCount; ++m)
    if (picks[m] > 0)
      std::printf(" %s %zu", std::string(model(static_cast<ModelId>(m)).name).c_str(), picks[m]);
  std::printf("; %zu ok, %zu fallbacks\n%.1f CPU s for %zu stores (3 origins and the forecast)\n", run->ok,
              run->fallbacks, used, known.size());
  expect(chosen.count == 40282, "40,282 rows scored");
  expect(chosen.rmspe() <= 0.135, "chosen forecasts together: RMSPE <= 0.135");
  expect(coverage.share80() >= 0.76 && coverage.share80() <= 0.84, "80 % intervals cover 76 to 84 %");
  expect(coverage.share95() >= 0.925 && coverage.share95() <= 0.97, "95 % intervals cover 92.5 to 97 %");
  expect(closed_zero, "closed days are exactly 0");
  expect(used <= 120, "at most 120 CPU s");
  return faults ? 1 : 0;
}
