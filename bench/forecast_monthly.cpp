// Store-item demand by month: load 913,000 daily rows, add them up to 30,000 store x item months, learn from
// the years before 2017, forecast the twelve months of 2017. Prints WAPE beside the same month of the last
// year, and CPU seconds. Exit 0: within the bars; 1: not; 2: no data. Set TILLCAST_DATASETS to the folder of
// data sets.
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "answers.h"
#include "datasets.h"
#include "forecast/accuracy.h"
#include "forecast/global_monthly.h"
#include "forecast/unseen.h"

namespace {

using namespace tillcast;
using namespace tillcast::forecast;
using namespace tillcast::bench;

struct Scored {
  Accuracy model;
  Accuracy last_year;
  Accuracy unseen;  ///< from the forecasts of the other series, as the API does
  bool trees = false;
  double damping = 0;
};

/// Forecasts the twelve months after `cut`; a tenth of the series are also forecast as never seen.
Scored score(const SalesRows& rows, Date cut, const std::vector<AttributeColumn>& attributes) {
  Scored result;
  const std::vector<Series> known = build(rows, Grain::kMonthly, cut);
  const std::vector<Series> complete = build(rows, Grain::kMonthly, date_from_civil(2017, 12, 31));
  BacktestOptions options;
  options.horizon = 12;
  const PanelTask task{0, 12, 1};
  NoProgress progress;
  const auto run = [&](std::span<const std::uint8_t> usable) {
    const Panel panel = panel_at(known, usable, attributes, 0, options);
    auto fitted = GlobalMonthly().fit(panel, task, progress);
    if (!fitted) std::exit(1);
    return std::pair(panel, std::move(*fitted));
  };
  const auto [panel, fitted] = run({});
  const auto values = fitted->predict(panel, task);
  if (!values) std::exit(1);
  for (std::size_t m = 0; m < panel.members.size(); ++m)
    for (std::size_t step = 0; step < 12; ++step) {
      const Series& truth = complete[panel.members[m].series];
      const std::size_t at = panel.members[m].history.size() + step;
      result.model.add(truth.value[at], (*values)[m * 12 + step], 0);
      result.last_year.add(truth.value[at], truth.value[at - 12], 0);
    }
  const auto& monthly_fit = static_cast<const FittedMonthly&>(*fitted);
  result.trees = monthly_fit.booster.has_value();
  result.damping = monthly_fit.damping;
  std::vector<std::uint8_t> usable(known.size(), 1);
  const auto is_unseen = [](std::size_t i) { return (i / kStoreItemItems + i % kStoreItemItems) % 10 == 3; };
  for (std::size_t i = 0; i < known.size(); ++i) usable[i] = is_unseen(i) ? 0 : 1;
  const auto [known_panel, without] = run(usable);
  const auto known_values = without->predict(known_panel, task);
  if (!known_values) std::exit(1);
  std::vector<KnownSeries> examples;
  for (std::size_t m = 0; m < known_panel.members.size(); ++m) {
    const std::size_t i = known_panel.members[m].series;
    KnownSeries& one = examples.emplace_back();
    one.key = {static_cast<int>(i / kStoreItemItems), static_cast<int>(i % kStoreItemItems)};
    for (std::size_t step = 0; step < 12; ++step)
      one.points.push_back({.date = cut, .mean = (*known_values)[m * 12 + step]});
  }
  const auto pool = UnseenPool::create(std::move(examples));
  if (!pool) std::exit(1);
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (!is_unseen(i)) continue;
    const UnseenForecast months =
        pool->forecast({{static_cast<int>(i / kStoreItemItems), static_cast<int>(i % kStoreItemItems)}, {}});
    for (std::size_t step = 0; step < 12; ++step)
      result.unseen.add(complete[i].value[known[i].size() + step], months.points[step].mean, 0);
  }
  return result;
}

}  // namespace

int main() {
  const std::string folder = datasets_folder();
  SalesRows rows;
  if (!read_store_item(folder, rows)) return missing_data(folder, "store-item-demand/train.csv");
  std::vector<AttributeColumn> attributes = {{"store", true, {}}, {"item", true, {}}};
  for (std::size_t i = 0; i < kStoreItemStores * kStoreItemItems; ++i) {
    attributes[0].value.push_back(static_cast<float>(i / kStoreItemItems));
    attributes[1].value.push_back(static_cast<float>(i % kStoreItemItems));
  }
  const double loaded = cpu_seconds();
  std::printf("%zu rows read in %.2f CPU s\n", rows.series.size(), loaded);
  std::printf("%-8s %10s %10s %22s %22s\n", "year", "WAPE", "bias", "same month last year",
              "a tenth as unseen");
  double used = 0;
  Scored last;
  for (const int year : {2015, 2016, 2017}) {
    const double started = cpu_seconds();
    last = score(rows, date_from_civil(year - 1, 12, 31), attributes);
    used = cpu_seconds() - started;
    std::printf("%-8d %10.4f %+10.4f %22.4f %22.4f   growth damped by %.2f, %s, %.2f CPU s\n", year,
                last.model.wape(), last.model.bias(), last.last_year.wape(), last.unseen.wape(), last.damping,
                last.trees ? "trees help" : "no trees", used);
    print_figures("forecast_monthly/" + std::to_string(year), {{"wape", last.model.wape()},
                                                               {"bias", last.model.bias()},
                                                               {"wape_last_year", last.last_year.wape()},
                                                               {"wape_unseen", last.unseen.wape()},
                                                               {"cpu_s", used}});
  }
  std::printf(
      "2017: load, fit and forecast %.2f CPU s; Spark's boosted trees: WAPE 0.040 in 31 to 63 CPU s\n",
      loaded + used);
  expect(last.model.count == 6000, "6,000 months are scored");
  expect(last.model.wape() <= 0.039, "2017: WAPE <= 3.9 %");
  expect(std::abs(last.last_year.wape() - 0.0405) < 0.0005,
         "2017: the same month of the last year has 0.0405");
  expect(last.unseen.wape() <= 0.08, "2017: WAPE of unseen pairs <= 8 %");
  expect(loaded + used <= 5, "2017: at most 5 CPU s");
  return faults ? 1 : 0;
}
