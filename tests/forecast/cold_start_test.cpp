#include "forecast/cold_start.h"

#include <gtest/gtest.h>

#include <cmath>

#include "forecast/forecast.h"
#include "generated_series.h"
#include "support/result_matchers.h"

namespace tillcast::forecast {
namespace {

constexpr std::size_t kDays = 400;
constexpr std::size_t kAhead = 28;

struct Panel {
  std::vector<Series> known;
  std::vector<std::vector<double>> ahead;  ///< the truth
  std::vector<AttributeColumn> attributes;
};

/// Products of three categories that sell 5, 20 and 80 a day once established; a launch starts at three times
/// that and halves its excess every ten days. Most are launched within the data, the last `fresh` of each
/// category `age` days before its end.
Panel make_panel(std::size_t fresh, std::size_t age) {
  Panel panel;
  panel.attributes = {{"category", true, {}}, {"price", false, {}}};
  test::Noise u(17);
  for (std::size_t i = 0; i < 90; ++i) {
    const std::size_t category = i % 3;
    const bool is_fresh = i >= 90 - 3 * fresh;
    const std::size_t start = is_fresh ? kDays - age : i < 15 ? 0 : 40 + static_cast<std::size_t>(u() * 250);
    const double usual = (category == 0 ? 5 : category == 1 ? 20 : 80) * (0.8 + 0.4 * u());
    Series series;
    series.start = Date{date_from_civil(2024, 1, 1).days + static_cast<std::int32_t>(start)};
    std::vector<double> ahead;
    for (std::size_t t = start; t < kDays + kAhead; ++t) {
      const double excess = start == 0 ? 0 : 2 * std::exp2(-static_cast<double>(t - start) / 10);
      const double value = usual * (1 + excess) * test::kWeek[t % 7] * (0.7 + 0.6 * u());
      if (t < kDays) {
        series.value.push_back(std::round(value));
        series.masked.push_back(0);
      } else {
        ahead.push_back(value);
      }
    }
    panel.known.push_back(series);
    panel.ahead.push_back(ahead);
    panel.attributes[0].value.push_back(static_cast<float>(category));
    panel.attributes[1].value.push_back(static_cast<float>(100 / usual));
  }
  return panel;
}

double wape(const Panel& panel, const ForecastRun& run, std::size_t first) {
  double error = 0;
  double actual = 0;
  for (std::size_t i = first; i < panel.known.size(); ++i)
    for (std::size_t step = 0; step < kAhead; ++step) {
      error += std::abs(run.series[i].points[step].mean - panel.ahead[i][step]);
      actual += panel.ahead[i][step];
    }
  return error / actual;
}

ForecastRun run_with(const Panel& panel, bool cold, bool attributes) {
  ForecastOptions options;
  options.backtest.horizon = kAhead;
  options.models = {ModelId::kSeasonalNaive, ModelId::kMovingAverage};
  options.cold_start = cold;
  if (attributes) options.attributes = panel.attributes;
  options.threads = 1;
  NoProgress progress;
  auto run = forecast_all(panel.known, options, progress);
  EXPECT_TRUE(run);
  return std::move(run).value();
}

TEST(ColdStart, ForecastsNewItemsBetterThanTheirOwnFewDays) {
  const Panel panel = make_panel(4, 5);
  const std::size_t first = panel.known.size() - 12;
  const ForecastRun cold = run_with(panel, true, true);
  const ForecastRun plain = run_with(panel, false, true);
  for (std::size_t i = first; i < panel.known.size(); ++i) {
    EXPECT_EQ(cold.series[i].status, SeriesStatus::kFallback);
    EXPECT_EQ(cold.series[i].model, ModelId::kColdStart);
    EXPECT_TRUE(cold.series[i].reason.starts_with("cold_start")) << cold.series[i].reason;
    EXPECT_GT(cold.series[i].points[0].hi80, cold.series[i].points[0].mean);
  }
  EXPECT_EQ(cold.series[0].model, plain.series[0].model) << "established items are left alone";
  EXPECT_LT(wape(panel, cold, first), 0.30);
  EXPECT_LT(wape(panel, cold, first), 0.5 * wape(panel, plain, first));
}

TEST(ColdStart, AnAnnouncedItemTakesAfterItsCategory) {
  Panel panel = make_panel(4, 5);
  const std::size_t first = panel.known.size() - 12;
  for (std::size_t i = first; i < panel.known.size(); ++i) {  // launched only when the forecast begins
    panel.known[i].value.clear();
    panel.known[i].masked.clear();
    panel.known[i].start = Date{date_from_civil(2024, 1, 1).days + static_cast<std::int32_t>(kDays)};
  }
  const ForecastRun run = run_with(panel, true, true);
  for (std::size_t i = first; i < panel.known.size(); ++i) {
    double sum = 0;
    for (const ForecastPoint& point : run.series[i].points) sum += point.mean;
    const double usual = i % 3 == 0 ? 5 : i % 3 == 1 ? 20 : 80;
    EXPECT_NEAR(sum / kAhead / usual, 1.9, 0.5);
    EXPECT_GT(run.series[i].points[0].mean, 1.5 * run.series[i].points[14].mean) << "a launch fades";
    EXPECT_GT(run.series[i].points[0].hi95, run.series[i].points[0].mean);
  }
}

TEST(ColdStart, ScalesToWhatTheNewItemHasSold) {
  Panel panel = make_panel(1, 12);
  const std::size_t at = panel.known.size() - 1;
  const ColdStart usual = cold_start(panel.known, panel.attributes, at, 60, kAhead, {});
  for (double& value : panel.known[at].value) value *= 3;
  const ColdStart better = cold_start(panel.known, panel.attributes, at, 60, kAhead, {});
  EXPECT_TRUE(usual.launch_profile);
  EXPECT_NEAR(usual.scale, 1, 0.35);
  EXPECT_GT(better.scale, 1.6 * usual.scale);
  EXPECT_LT(better.scale, 3 * usual.scale) << "shrunk";
  for (const std::size_t neighbour : usual.neighbours) EXPECT_EQ(neighbour % 3, at % 3);
}

TEST(ColdStart, TheNeighboursLevelIsThatOfTheLastHalfYearInWeeksToo) {
  std::vector<Series> series(6);
  for (Series& one : series) {
    one.grain = Grain::kWeekly;
    one.start = date_from_civil(2022, 1, 3);
    for (std::size_t week = 0; week < 156; ++week) one.value.push_back(week < 104 ? 100 : 10);
    one.masked.assign(156, 0);
  }
  series[5] = {};
  series[5].grain = Grain::kWeekly;
  series[5].start = advance_period(series[0].start, Grain::kWeekly, 156);
  const ColdStart from = cold_start(series, {}, 5, 52, 4, {});
  ASSERT_EQ(from.forecast.size(), 4U);
  EXPECT_NEAR(from.forecast[0], 10, 1e-9);
}

TEST(ColdStart, NeedsSomeoneAlike) {
  Panel panel = make_panel(1, 5);
  panel.known.erase(panel.known.begin(), panel.known.end() - 3);
  EXPECT_TRUE(cold_start(panel.known, {}, 0, 60, 7, {}).forecast.empty());
}

TEST(ColdStart, DistanceCountsCategoriesRangesAndTheUnknown) {
  const std::vector<AttributeColumn> attributes = {{"category", true, {1, 1, 2}},
                                                   {"price", false, {0, 5, 10}}};
  const std::vector<double> ranges = attribute_ranges(attributes);
  EXPECT_DOUBLE_EQ(attribute_distance(attributes, ranges, 0, 1), 0.25);
  EXPECT_DOUBLE_EQ(attribute_distance(attributes, ranges, 0, 2), 1);
  const std::vector<AttributeColumn> unknown = {{"price", false, {NAN, 5, 10}}};
  EXPECT_DOUBLE_EQ(attribute_distance(unknown, attribute_ranges(unknown), 0, 1), 0.5);
}

}  // namespace
}  // namespace tillcast::forecast
