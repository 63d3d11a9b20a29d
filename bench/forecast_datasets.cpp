// Accuracy of the default settings of src/forecast on three more public data sets, by the protocols that
// their published figures use: Store-Item Demand (500 series, January to March and October to December 2017),
// M5 (280 series, d_1914 to d_1941) and Online Retail (500 codes by week, 8 weeks from 3 origins). Models are
// chosen by forecast_all alone, before the hold-out; naive models and Theta are measured in the same run.
// Exit 0: as expected; 1: a figure is off; 2: no data.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "answers.h"
#include "datasets.h"
#include "forecast/forecast.h"
#include "forecast/global_model.h"

namespace {

using namespace tillcast;
using namespace tillcast::forecast;
using namespace tillcast::bench;

ForecastRun run(const std::vector<Series>& series, std::size_t horizon, Metric metric,
                std::vector<PanelCandidate> panel_models = {}, std::vector<AttributeColumn> attributes = {}) {
  ForecastOptions options;
  options.attributes = std::move(attributes);
  options.backtest.horizon = horizon;
  options.choice.metric = metric;
  options.panel_models = std::move(panel_models);
  return run_forecast(series, std::move(options));
}

struct Score {
  Accuracy accuracy;
  Coverage coverage;
  std::size_t above80 = 0;  ///< actual values above the 80 % interval
  double rmsse_sum = 0;     ///< over series
  double mase_sum = 0;
  std::size_t series = 0;

  double rmsse() const { return rmsse_sum / static_cast<double>(series); }
  double mase() const { return mase_sum / static_cast<double>(series); }
};

/// Adds one series' forecasts of the periods after its cut; `complete` holds these periods as well. RMSSE and
/// MASE are scaled by first differences, as the published figures are.
void add_series(const Series& known, const Series& complete, std::span<const double> forecast, Score& sums) {
  const auto ahead =
      static_cast<std::size_t>(periods_between(complete.start, known.date_at(known.size()), known.grain));
  double squares = 0;
  double absolute = 0;
  for (std::size_t step = 0; step < forecast.size(); ++step) {
    const double error = complete.value.at(ahead + step) - forecast[step];
    sums.accuracy.add(complete.value[ahead + step], forecast[step], 0);
    squares += error * error;
    absolute += std::abs(error);
  }
  double step_squares = 0;
  double steps = 0;
  for (std::size_t t = 1; t < known.size(); ++t) {
    const double step = known.value[t] - known.value[t - 1];
    step_squares += step * step;
    steps += std::abs(step);
  }
  if (step_squares <= 0) return;
  const auto differences = static_cast<double>(known.size() - 1);
  const auto horizon = static_cast<double>(forecast.size());
  sums.rmsse_sum += std::sqrt(squares / horizon / (step_squares / differences));
  sums.mase_sum += absolute / horizon / (steps / differences);
  ++sums.series;
}

Score score(const std::vector<Series>& known, const std::vector<Series>& complete,
            const ForecastRun& result) {
  Score sums;
  std::vector<double> means;
  for (std::size_t i = 0; i < known.size(); ++i) {
    const auto& points = result.series[i].points;
    if (points.empty() || known[i].size() == 0) continue;
    means.clear();
    for (const ForecastPoint& point : points) {
      means.push_back(point.mean);
      const double actual = complete[i].value.at(
          static_cast<std::size_t>(periods_between(complete[i].start, point.date, complete[i].grain)));
      sums.coverage.add(actual, point.lo80, point.hi80, point.lo95, point.hi95);
      if (actual > point.hi80) ++sums.above80;
    }
    add_series(known[i], complete[i], means, sums);
  }
  return sums;
}

/// One model for all series, fitted at the cut: what the choice is held against.
void print_anchor(const char* name, ModelId id, const std::vector<Series>& known,
                  const std::vector<Series>& complete, std::size_t horizon) {
  BacktestOptions options;
  options.horizon = horizon;
  Score sums;
  std::vector<double> means(horizon);
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (known[i].size() == 0) continue;
    const History history = history_at(known[i], known[i].size(), options);
    expect(predict_steps(model(id), history, model(id).fit(history), true, means), "a finite forecast");
    add_series(known[i], complete[i], means, sums);
  }
  std::printf("  %-22s WAPE %.4f bias %+.4f SMAPE %5.2f %% RMSSE %.4f MASE %.4f\n",
              std::string(model(id).name).c_str(), sums.accuracy.wape(), sums.accuracy.bias(),
              100 * sums.accuracy.smape(), sums.rmsse(), sums.mase());
  print_figures("forecast_datasets/" + std::string(name) + "/" + std::string(model(id).name),
                {{"wape", sums.accuracy.wape()},
                 {"bias", sums.accuracy.bias()},
                 {"smape", sums.accuracy.smape()},
                 {"rmsse", sums.rmsse()},
                 {"mase", sums.mase()}});
}

/// Runs forecast_all on what is known at the cut and prints how it did.
Score score_run(const char* title, const char* name, const std::vector<Series>& known,
                const std::vector<Series>& complete, std::size_t horizon, Metric metric,
                std::vector<PanelCandidate> panel_models = {}, std::vector<AttributeColumn> attributes = {}) {
  const double started = cpu_seconds();
  const ForecastRun result = run(known, horizon, metric, std::move(panel_models), std::move(attributes));
  const double seconds = cpu_seconds() - started;
  const Score sums = score(known, complete, result);
  std::printf(
      "%s: WAPE %.4f bias %+.4f SMAPE %.2f %% RMSSE %.4f MASE %.4f, 80 %%: %.3f 95 %%: %.3f, %.1f CPU s\n ",
      title, sums.accuracy.wape(), sums.accuracy.bias(), 100 * sums.accuracy.smape(), sums.rmsse(),
      sums.mase(), sums.coverage.share80(), sums.coverage.share95(), seconds);
  std::size_t picks[kModelCount] = {};
  for (const SeriesForecast& one : result.series) ++picks[static_cast<std::size_t>(one.model)];
  for (std::size_t m = 0; m < kModelCount; ++m)
    if (picks[m] > 0)
      std::printf(" %s %zu", std::string(model(static_cast<ModelId>(m)).name).c_str(), picks[m]);
  if (result.total_factor != 1) std::printf(", scaled to the total by %.3f", result.total_factor);
  std::printf("\n");
  print_figures("forecast_datasets/" + std::string(name), {{"wape", sums.accuracy.wape()},
                                                           {"bias", sums.accuracy.bias()},
                                                           {"smape", sums.accuracy.smape()},
                                                           {"rmsse", sums.rmsse()},
                                                           {"mase", sums.mase()},
                                                           {"cover80", sums.coverage.share80()},
                                                           {"cover95", sums.coverage.share95()},
                                                           {"cpu_s", seconds}});
  return sums;
}

/// The bars of coverage that every set has to keep.
void expect_coverage(const Coverage& coverage, double low80, double high80, double low95) {
  expect(coverage.share80() >= low80 && coverage.share80() <= high80, "80 % intervals cover what they say");
  expect(coverage.share95() >= low95 && coverage.share95() <= 0.99, "95 % intervals cover what they say");
}

bool store_item(const std::string& folder) {
  SalesRows rows;
  if (!read_store_item(folder, rows)) return false;
  const std::vector<Series> complete = build(rows, Grain::kDaily, date_from_civil(2017, 12, 31));
  const auto at_cut = [&](const char* title, const char* name, Date cut, std::size_t horizon) {
    const std::vector<Series> known = build(rows, Grain::kDaily, cut);
    const Score sums = score_run(title, name, known, complete, horizon, Metric::kAuto);
    for (const ModelId id : {ModelId::kSeasonalNaive, ModelId::kSeasonalNaiveYear, ModelId::kTheta})
      print_anchor(name, id, known, complete, horizon);
    return sums;
  };
  const Score winter =
      at_cut("store-item, January to March 2017", "store_item_2017q1", date_from_civil(2016, 12, 31), 90);
  std::printf("  peers elsewhere: SMAPE LightGBM 13.53\n");
  const Score sums =
      at_cut("store-item, October to December 2017", "store_item_2017q4", date_from_civil(2017, 9, 30), 92);
  std::printf(
      "  peers elsewhere: SMAPE AutoETS 20.44, DOTheta 20.17, LightGBM 12.51, pooled product 12.17\n");
  expect(winter.accuracy.smape() <= 0.14, "store-item, January to March 2017: SMAPE <= 14 %");
  expect(sums.accuracy.smape() <= 0.123, "store-item, October to December 2017: SMAPE <= 12.3 %");
  expect_coverage(sums.coverage, 0.76, 0.84, 0.925);
  // January to March of test.csv has no actual values: 90 days of each series must come out all the same.
  const ForecastRun ahead = run(complete, 90, Metric::kAuto);
  std::size_t points = 0;
  for (const SeriesForecast& one : ahead.series)
    for (const ForecastPoint& point : one.points)
      if (std::isfinite(point.mean) && point.mean > 0 && point.date >= date_from_civil(2018, 1, 1)) ++points;
  std::printf("  January to March 2018: %zu forecasts\n", points);
  expect(points == 45'000, "store-item: 45,000 forecasts above 0 for test.csv");
  return true;
}

bool m5(const std::string& folder) {
  constexpr std::int32_t kHorizon = 28;
  SalesRows rows;
  if (!read_m5(folder, rows)) return false;
  const Date last{m5_first_day().days + kM5Days - 1};
  const std::vector<Series> complete = build(rows, Grain::kDaily, last);
  const std::vector<Series> known = build(rows, Grain::kDaily, Date{last.days - kHorizon});
  const Score sums = score_run("M5, 280 series, 28 days", "m5", known, complete, kHorizon, Metric::kRmse);
  const Score blended =
      score_run("  with global_trees in the blend", "m5_trees", known, complete, kHorizon, Metric::kRmse,
                {{std::make_shared<const GlobalModel>(GlobalModelOptions{}), nullptr}}, rows.attributes);
  for (const ModelId id : {ModelId::kSeasonalNaive, ModelId::kTsb, ModelId::kTheta})
    print_anchor("m5", id, known, complete, kHorizon);
  std::printf(
      "  peers elsewhere: RMSSE moving average 0.821, TSB 0.806, LightGBM 0.8043, DOTheta 0.7965, AutoETS "
      "0.7941, mean of the last three 0.7807\n");
  expect(known.size() == 280, "280 series");
  expect(sums.rmsse() <= 0.80, "M5, local and pooled models: RMSSE <= 0.80");
  expect(blended.rmsse() <= 0.785, "M5 with trees: RMSSE <= 0.785");
  // Of the demand 41 % are zeros, which no lower bound can leave out: the upper bounds are held to their
  // word.
  const double above = static_cast<double>(sums.above80) / static_cast<double>(sums.coverage.count);
  std::printf("  above the 80 %% intervals: %.3f\n", above);
  expect(above >= 0.07 && above <= 0.13, "M5: a tenth of the demand lies above the 80 % intervals");
  expect(sums.coverage.share95() >= 0.925, "M5: 95 % intervals cover 92.5 % or more");
  return true;
}

bool online_retail(const std::string& folder) {
  const Date last = date_from_civil(2011, 12, 4);  // the Sunday after the last of 52 full weeks
  SalesRows rows;
  if (!read_online_retail(folder, Date{last.days - 16 * 7}, rows)) return false;
  const std::vector<Series> complete = build(rows, Grain::kWeekly, last);
  double wape = 0;
  double bias = 0;
  for (const int weeks : {16, 12, 8}) {
    const Date cut{last.days - weeks * 7};
    const std::string name = "online_retail_" + format_date(cut);
    const std::vector<Series> known = build(rows, Grain::kWeekly, cut);
    const Score sums = score_run(("Online Retail by week, 8 weeks after " + format_date(cut)).c_str(),
                                 name.c_str(), known, complete, 8, Metric::kAuto);
    for (const ModelId id : {ModelId::kNaive, ModelId::kMovingAverage, ModelId::kTheta})
      print_anchor(name.c_str(), id, known, complete, 8);
    wape += sums.accuracy.wape() / 3;
    bias += sums.accuracy.bias() / 3;
    expect_coverage(sums.coverage, 0.74, 0.84, 0.92);
  }
  std::printf("  mean of three origins: WAPE %.4f bias %+.4f\n", wape, bias);
  print_figures("forecast_datasets/online_retail", {{"wape", wape}, {"bias", bias}});
  std::printf(
      "  peers elsewhere: WAPE median of 8 weeks 0.615 (bias -0.29), blend scaled to an ETS of the total "
      "0.645 "
      "(-0.14), mean of 8 weeks 0.654, DOTheta 0.687, AutoETS 0.712\n");
  expect(wape <= 0.64, "Online Retail by week: mean WAPE <= 0.64");
  expect(std::abs(bias) <= 0.10, "Online Retail by week: |bias| <= 10 %");
  return true;
}

}  // namespace

int main() {
  const std::string folder = datasets_folder();
  if (!store_item(folder)) return missing_data(folder, "store-item-demand/train.csv");
  if (!m5(folder)) return missing_data(folder, "m5/sales_train_evaluation_280.csv");
  if (!online_retail(folder)) return missing_data(folder, "online-retail/online-retail.csv");
  return faults ? 1 : 0;
}
