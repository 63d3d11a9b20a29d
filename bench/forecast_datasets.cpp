// Accuracy of the default settings of src/forecast on three more public data sets, by the protocols that
// their published figures use: Store-Item Demand (500 series, October to December 2017), M5 (280 series,
// d_1914 to d_1941) and Online Retail (500 codes by week, 8 weeks from 3 origins). Models are chosen by
// forecast_all alone, before the hold-out. Exit 0: as expected; 1: a figure is off; 2: no data. Usage:
// forecast_datasets [FOLDER]
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "forecast/forecast.h"
#include "forecast/global_model.h"

namespace {

using namespace tillcast;
using namespace tillcast::forecast;

bool faults = false;
void expect(bool held, const char* what) {
  if (held) return;
  std::printf("OFF: %s\n", what);
  faults = true;
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

double number(std::string_view text) {
  double value = NAN;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// Fields of one csv line; quotes may hold commas. None of the three files has line ends in quotes.
void split(std::string_view line, std::vector<std::string_view>& fields) {
  fields.clear();
  if (line.ends_with('\r')) line.remove_suffix(1);
  std::size_t begin = 0;
  bool quoted = false;
  for (std::size_t i = 0; i <= line.size(); ++i) {
    if (i < line.size() && line[i] == '"') quoted = !quoted;
    if (i < line.size() && (quoted || line[i] != ',')) continue;
    fields.push_back(line.substr(begin, i - begin));
    begin = i + 1;
  }
}

struct Rows {
  std::vector<std::int32_t> series;
  std::vector<Date> date;
  std::vector<double> value;
  std::size_t count = 0;
  LongTable table() const { return {series, date, value, {}, {}, {}, count}; }
};

std::vector<Series> build(const Rows& rows, Grain grain, Date cut) {
  SeriesOptions options;
  options.grain = grain;
  options.cut = cut;
  auto built = build_series(rows.table(), options);
  if (!built) {
    std::fprintf(stderr, "%s\n", built.error().message.c_str());
    std::exit(1);
  }
  return std::move(*built);
}

ForecastRun run(const std::vector<Series>& series, std::size_t horizon, Metric metric,
                std::vector<PanelCandidate> panel_models = {}) {
  ForecastOptions options;
  options.backtest.horizon = horizon;
  options.choice.metric = metric;
  options.panel_models = std::move(panel_models);
  options.threads = 1;
  NoProgress progress;
  auto result = forecast_all(series, options, progress);
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    std::exit(1);
  }
  return std::move(*result);
}

struct Score {
  Accuracy accuracy;
  Coverage coverage;
  double rmsse = 0;  ///< sum over series
  double mase = 0;
  std::size_t series = 0;
};

/// Scores forecasts against the complete series, which hold the periods after the cut as well.
Score score(const std::vector<Series>& known, const std::vector<Series>& complete,
            const ForecastRun& result) {
  Score sums;
  for (std::size_t i = 0; i < known.size(); ++i) {
    const auto& points = result.series[i].points;
    if (points.empty() || known[i].size() == 0) continue;
    double squares = 0;
    double absolute = 0;
    for (const ForecastPoint& point : points) {
      const auto at =
          static_cast<std::size_t>(periods_between(complete[i].start, point.date, complete[i].grain));
      const double actual = complete[i].value.at(at);
      sums.accuracy.add(actual, point.mean, 0);
      sums.coverage.add(actual, point.lo80, point.hi80, point.lo95, point.hi95);
      squares += (actual - point.mean) * (actual - point.mean);
      absolute += std::abs(actual - point.mean);
    }
    double step_squares = 0;
    double steps = 0;
    for (std::size_t t = 1; t < known[i].size(); ++t) {
      const double step = known[i].value[t] - known[i].value[t - 1];
      step_squares += step * step;
      steps += std::abs(step);
    }
    if (step_squares <= 0) continue;
    const auto differences = static_cast<double>(known[i].size() - 1);
    const auto horizon = static_cast<double>(points.size());
    sums.rmsse += std::sqrt(squares / horizon / (step_squares / differences));
    sums.mase += absolute / horizon / (steps / differences);
    ++sums.series;
  }
  return sums;
}

void print_run(const char* name, const Score& sums, const ForecastRun& result, double seconds) {
  std::size_t picks[kModelCount] = {};
  for (const SeriesForecast& one : result.series) ++picks[static_cast<std::size_t>(one.model)];
  const auto series = static_cast<double>(sums.series);
  std::printf(
      "%s: WAPE %.4f bias %+.4f SMAPE %.2f %% RMSSE %.4f MASE %.4f, 80 %%: %.3f 95 %%: %.3f, %.1f CPU s\n  ",
      name, sums.accuracy.wape(), sums.accuracy.bias(), 100 * sums.accuracy.smape(), sums.rmsse / series,
      sums.mase / series, sums.coverage.share80(), sums.coverage.share95(), seconds);
  for (std::size_t m = 0; m < kModelCount; ++m)
    if (picks[m] > 0)
      std::printf("%s %zu  ", std::string(model(static_cast<ModelId>(m)).name).c_str(), picks[m]);
  if (result.total_factor != 1) std::printf("scaled to the total by %.3f", result.total_factor);
  std::printf("\n");
}

/// The bars of coverage that every set has to keep.
void expect_coverage(const Coverage& coverage, double low80, double high80, double low95) {
  expect(coverage.share80() >= low80 && coverage.share80() <= high80, "80 % intervals cover what they say");
  expect(coverage.share95() >= low95 && coverage.share95() <= 0.99, "95 % intervals cover what they say");
}

bool store_item(const std::string& folder) {
  std::ifstream file(folder + "/store-item-demand/train.csv");
  if (!file) return false;
  Rows rows;
  rows.count = 500;
  std::vector<std::string_view> fields;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    split(line, fields);
    rows.series.push_back(static_cast<std::int32_t>((number(fields[1]) - 1) * 50 + number(fields[2]) - 1));
    rows.date.push_back(*parse_date(fields[0]));
    rows.value.push_back(number(fields[3]));
  }
  const std::vector<Series> complete = build(rows, Grain::kDaily, date_from_civil(2017, 12, 31));
  const std::vector<Series> known = build(rows, Grain::kDaily, date_from_civil(2017, 9, 30));
  const double started = cpu_seconds();
  const ForecastRun result = run(known, 92, Metric::kAuto);
  const Score sums = score(known, complete, result);
  print_run("store-item, 92 days", sums, result, cpu_seconds() - started);
  std::printf(
      "  peers: SMAPE seasonal naive 7 22.73, 364 17.86, AutoETS 20.44, DOTheta 20.17, LightGBM 12.51, "
      "pooled product 12.17\n");
  expect(sums.accuracy.smape() <= 0.123, "store-item: SMAPE <= 12.3 %");
  expect_coverage(sums.coverage, 0.76, 0.84, 0.925);
  // January to March of test.csv has no actual values: 90 days of each series must come out all the same.
  const ForecastRun ahead = run(complete, 90, Metric::kAuto);
  std::size_t points = 0;
  for (const SeriesForecast& one : ahead.series)
    for (const ForecastPoint& point : one.points)
      points +=
          std::isfinite(point.mean) && point.mean > 0 && point.date.days >= date_from_civil(2018, 1, 1).days
              ? 1
              : 0;
  std::printf("  January to March 2018: %zu forecasts\n", points);
  expect(points == 45'000, "store-item: 45,000 forecasts above 0 for test.csv");
  return true;
}

bool m5(const std::string& folder) {
  std::ifstream file(folder + "/m5/sales_train_evaluation_280.csv");
  if (!file) return false;
  Rows rows;
  const Date first = date_from_civil(2011, 1, 29);
  std::vector<std::string_view> fields;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    split(line, fields);
    for (std::size_t day = 0; day < 1941; ++day) {
      rows.series.push_back(static_cast<std::int32_t>(rows.count));
      rows.date.push_back(Date{first.days + static_cast<std::int32_t>(day)});
      rows.value.push_back(number(fields[fields.size() - 1941 + day]));
    }
    ++rows.count;
  }
  const std::vector<Series> complete = build(rows, Grain::kDaily, Date{first.days + 1940});
  const std::vector<Series> known = build(rows, Grain::kDaily, Date{first.days + 1912});
  const double started = cpu_seconds();
  const ForecastRun result = run(known, 28, Metric::kRmse);
  const Score sums = score(known, complete, result);
  print_run("M5, 280 series, 28 days", sums, result, cpu_seconds() - started);
  const double trees_started = cpu_seconds();
  const ForecastRun with_trees =
      run(known, 28, Metric::kRmse, {{std::make_shared<const GlobalModel>(GlobalModelOptions{}), nullptr}});
  const Score blended = score(known, complete, with_trees);
  print_run("  with global_trees in the blend", blended, with_trees, cpu_seconds() - trees_started);
  std::printf(
      "  peers: RMSSE moving average 0.821, TSB 0.806, LightGBM 0.8043, DOTheta 0.7965, AutoETS 0.7941, mean "
      "of "
      "the last three 0.7807\n");
  expect(sums.rmsse / static_cast<double>(sums.series) <= 0.80, "M5, local and pooled models: RMSSE <= 0.80");
  expect(blended.rmsse / static_cast<double>(blended.series) <= 0.785, "M5 with trees: RMSSE <= 0.785");
  expect_coverage(sums.coverage, 0.76, 0.84, 0.925);
  return true;
}

bool online_retail(const std::string& folder) {
  std::ifstream file(folder + "/online-retail/online-retail.csv");
  if (!file) return false;
  std::map<std::string, std::int32_t, std::less<>> codes;
  Rows all;
  std::vector<std::string_view> fields;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    split(line, fields);
    if (fields.size() < 8 || fields[0].starts_with('C') || fields[1].size() < 5) continue;
    if (!std::ranges::all_of(fields[1].substr(0, 5), [](char c) { return c >= '0' && c <= '9'; })) continue;
    const double quantity = number(fields[3]);
    if (!(quantity > 0) || !(number(fields[5]) > 0)) continue;
    int month = 0, day = 0, year = 0;
    if (std::sscanf(std::string(fields[4]).c_str(), "%d/%d/%d", &month, &day, &year) != 3) continue;
    std::string code(fields[1]);
    std::ranges::transform(code, code.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    const auto found = codes.try_emplace(code, static_cast<std::int32_t>(codes.size())).first;
    all.series.push_back(found->second);
    all.date.push_back(date_from_civil(year, month, day));
    all.value.push_back(quantity);
  }
  const Date last = date_from_civil(2011, 12, 4);  // the Sunday after the last of 52 full weeks
  std::vector<double> units(codes.size(), 0.0);
  for (std::size_t row = 0; row < all.series.size(); ++row)
    if (all.date[row] <= Date{last.days - 16 * 7})
      units[static_cast<std::size_t>(all.series[row])] += all.value[row];
  std::vector<std::int32_t> order(codes.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int32_t>(i);
  std::ranges::stable_sort(order, [&](std::int32_t a, std::int32_t b) {
    return units[static_cast<std::size_t>(a)] > units[static_cast<std::size_t>(b)];
  });
  std::vector<std::int32_t> place(codes.size(), -1);
  for (std::int32_t i = 0; i < 500; ++i)
    place[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])] = i;
  Rows rows;
  rows.count = 500;
  for (std::size_t row = 0; row < all.series.size(); ++row) {
    const std::int32_t at = place[static_cast<std::size_t>(all.series[row])];
    if (at < 0) continue;
    rows.series.push_back(at);
    rows.date.push_back(all.date[row]);
    rows.value.push_back(all.value[row]);
  }
  const std::vector<Series> complete = build(rows, Grain::kWeekly, last);
  double wape = 0;
  double bias = 0;
  for (const int weeks : {16, 12, 8}) {
    const std::vector<Series> known = build(rows, Grain::kWeekly, Date{last.days - weeks * 7});
    const double started = cpu_seconds();
    const ForecastRun result = run(known, 8, Metric::kAuto);
    const Score sums = score(known, complete, result);
    print_run("Online Retail by week, 8 weeks", sums, result, cpu_seconds() - started);
    wape += sums.accuracy.wape() / 3;
    bias += sums.accuracy.bias() / 3;
    expect_coverage(sums.coverage, 0.74, 0.84, 0.92);
  }
  std::printf("  mean of three origins: WAPE %.4f bias %+.4f\n", wape, bias);
  std::printf(
      "  peers: WAPE median of 8 weeks 0.615 (bias -0.29), blend scaled to an ETS of the total 0.645 "
      "(-0.14), mean "
      "of 8 weeks 0.654, DOTheta 0.687, AutoETS 0.712\n");
  expect(wape <= 0.64, "Online Retail by week: mean WAPE <= 0.64");
  expect(std::abs(bias) <= 0.10, "Online Retail by week: |bias| <= 10 %");
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const char* datasets = std::getenv("TILLCAST_DATASETS");
  const std::string folder = argc > 1 ? argv[1] : datasets ? datasets : "../shared/data";
  if (!store_item(folder) || !m5(folder) || !online_retail(folder)) {
    std::fprintf(stderr,
                 "%s: store-item-demand/train.csv, m5/sales_train_evaluation_280.csv or "
                 "online-retail/online-retail.csv "
                 "cannot be read; name their folder as argument or set TILLCAST_DATASETS\n",
                 folder.c_str());
    return 2;
  }
  return faults ? 1 : 0;
}
