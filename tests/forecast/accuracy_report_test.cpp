#include "forecast/accuracy_report.h"

#include <gtest/gtest.h>

#include <cmath>

#include "generated_series.h"

namespace tillcast::forecast {
namespace {

/// Two series of 24 days, two origins of 9 days each, two models; forecasts are the actual value plus `off`.
struct Given {
  std::vector<Series> series;
  std::vector<SeriesBacktest> tests;
  std::vector<std::optional<std::size_t>> chosen = {1, 1};

  Given() {
    for (std::size_t i = 0; i < 2; ++i) {
      std::vector<double> values;
      for (std::size_t t = 0; t < 24; ++t)
        values.push_back(i == 0 ? 10.0 : 100.0 + static_cast<double>(t % 2));
      series.push_back(test::daily_series(values));
      SeriesBacktest& test = tests.emplace_back();
      test.demand_class = i == 0 ? DemandClass::kSmooth : DemandClass::kErratic;
      test.ends = {15, 6};
      test.models = {ModelId::kSeasonalNaive, ModelId::kSes};
      test.refused = {"", ""};
      test.horizon = 9;
      test.scales = {2, 1, 4};
      const float off[2][2] = {{4, 2}, {1, -3}};  // [model][origin]
      for (std::size_t m = 0; m < 2; ++m)
        for (std::size_t origin = 0; origin < 2; ++origin)
          for (std::size_t s = 0; s < 9; ++s)
            test.forecasts.push_back(static_cast<float>(values[test.ends[origin] + s]) + off[m][origin]);
    }
  }
};

const ReportRow* find_row(const AccuracyReport& report, std::optional<ModelId> model,
                          std::optional<DemandClass> demand_class, std::optional<std::size_t> part,
                          std::size_t origin, const std::string& level = "") {
  for (const ReportRow& row : report.rows) {
    if (row.model == model && row.demand_class == demand_class && row.part == part && row.origin == origin &&
        row.level == level)
      return &row;
  }
  return nullptr;
}

TEST(AccuracyReport, GroupsByModelClassPartAndOrigin) {
  Given given;
  given.series[0].masked[16] = 1;
  const AccuracyReport report =
      AccuracyReportBuilder(given.series, given.tests, given.chosen, {}).build(NoProgress());
  ASSERT_EQ(report.parts.size(), 2U);
  EXPECT_EQ(report.parts[0].last, 7U);
  EXPECT_EQ(report.parts[1].first, 8U);
  EXPECT_EQ(report.parts[1].last, 9U);
  ASSERT_EQ(report.origins.size(), 2U);
  EXPECT_EQ(report.origins[0], date_from_civil(2024, 1, 15));

  const ReportRow& first = report.rows.front();
  EXPECT_TRUE(!first.model && !first.demand_class && !first.part && first.origin == 0 && first.level.empty())
      << "the first row is all chosen together";
  EXPECT_EQ(first.accuracy.count, 17U) << "closed days are not scored";
  EXPECT_EQ(first.series, 2U);
  EXPECT_DOUBLE_EQ(first.accuracy.mae(), 1);
  EXPECT_DOUBLE_EQ(first.benchmark.mae(), 4);
  EXPECT_DOUBLE_EQ(value_added(first.accuracy, first.benchmark, Metric::kWape), 0.75);
  EXPECT_DOUBLE_EQ(first.median_error, 1);
  EXPECT_DOUBLE_EQ(first.accuracy.rmsse(), 0.5);

  const ReportRow* old = find_row(report, ModelId::kSes, {}, {}, 1);
  ASSERT_NE(old, nullptr);
  EXPECT_DOUBLE_EQ(old->accuracy.mae(), 3);
  EXPECT_DOUBLE_EQ(old->benchmark.mae(), 2);
  EXPECT_EQ(find_row(report, {}, {}, {}, 1), nullptr) << "nothing was chosen without the older origin";

  const ReportRow* part = find_row(report, {}, {}, 1, 0);
  ASSERT_NE(part, nullptr);
  EXPECT_EQ(part->accuracy.count, 4U);
  const ReportRow* erratic = find_row(report, {}, DemandClass::kErratic, {}, 0);
  ASSERT_NE(erratic, nullptr);
  EXPECT_EQ(erratic->accuracy.count, 9U);
  ASSERT_EQ(report.series.size(), 2U);
  EXPECT_EQ(report.series[0].series, 1U) << "the largest share of the error first";
  EXPECT_DOUBLE_EQ(report.series[0].share, 9.0 / 17);
  EXPECT_EQ(report.series[0].model, ModelId::kSes);
  EXPECT_TRUE(report.intervals.empty());
}

TEST(AccuracyReport, JudgesTheSumsOfEachLevel) {
  Given given;
  given.series[0].masked[16] =
      1;  // the first day that is judged: the sum of that day is the other series alone
  const std::vector<LevelLabels> levels = {{"total", {"all", "all"}}, {"store", {"north", "south"}}};
  const AccuracyReport report =
      AccuracyReportBuilder(given.series, given.tests, given.chosen, levels).build(NoProgress());
  const ReportRow* total = find_row(report, {}, {}, {}, 0, "total");
  ASSERT_NE(total, nullptr);
  EXPECT_EQ(total->series, 1U) << "one group";
  EXPECT_EQ(total->accuracy.count, 9U);
  const ReportRow& apart = report.rows.front();
  EXPECT_DOUBLE_EQ(total->accuracy.error, apart.accuracy.error) << "both series err to the same side";
  EXPECT_DOUBLE_EQ(total->accuracy.absolute_actual, apart.accuracy.absolute_actual);
  EXPECT_DOUBLE_EQ(total->accuracy.mae(), 17.0 / 9);
  EXPECT_DOUBLE_EQ(total->benchmark.mae(), 4 * 17.0 / 9);
  EXPECT_DOUBLE_EQ(total->median_error, 2);
  EXPECT_TRUE(std::isnan(total->accuracy.mase())) << "the scale of a sum is not that of its parts";
  const ReportRow* store = find_row(report, {}, {}, {}, 0, "store");
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(store->series, 2U);
  EXPECT_EQ(store->accuracy.count, 17U);
  EXPECT_DOUBLE_EQ(store->accuracy.wape(), apart.accuracy.wape()) << "a group of one series is that series";
  EXPECT_EQ(find_row(report, ModelId::kSes, {}, {}, 0, "total"), nullptr) << "what would be used, alone";
}

// North sold 10 a day and rose by 1 once, south 100 and 101 by turns; forecasts are 1 above what came, those
// of the seasonal naive 4 above.
TEST(AccuracyReport, WeighsLevelsAlikeAndTheirNodesByTheirLastSales) {
  Given given;
  for (std::size_t t = 8; t < 24; ++t) given.series[0].value[t] = 11;
  for (std::size_t m = 0; m < 2; ++m)
    for (std::size_t s = 0; s < 9; ++s) given.tests[0].forecasts[m * 18 + s] += 1;
  const std::vector<LevelLabels> levels = {{"total", {"all", "all"}}};
  const AccuracyReport report =
      AccuracyReportBuilder(given.series, given.tests, given.chosen, levels).build(NoProgress{});
  // Mean squared differences of the 15 days before: north 1/14, south 1, and 13/14 of their sum, which does
  // not move on the day that north rises and south falls.
  const double north = std::sqrt(1 / (1.0 / 14));
  const double south = 1;
  const double north_sold = 8 * 10 + 7 * 11;
  const double south_sold = 15 * 100 + 7;
  const double series = (north_sold * north + south_sold * south) / (north_sold + south_sold);
  const double total = std::sqrt(4 / (13.0 / 14));
  ASSERT_NE(find_row(report, {}, {}, {}, 0), nullptr);
  EXPECT_NEAR(find_row(report, {}, {}, {}, 0)->weighted_rmsse, series, 1e-6);
  EXPECT_NEAR(find_row(report, {}, {}, {}, 0, "total")->weighted_rmsse, total, 1e-6);
  EXPECT_NEAR(report.wrmsse, (series + total) / 2, 1e-6);
  EXPECT_NEAR(report.wrmsse_naive, 4 * report.wrmsse, 1e-5);
  EXPECT_TRUE(std::isnan(find_row(report, ModelId::kSes, {}, {}, 0)->weighted_rmsse));
  const AccuracyReport flat =
      AccuracyReportBuilder(given.series, given.tests, given.chosen, {}).build(NoProgress{});
  EXPECT_TRUE(std::isnan(flat.wrmsse)) << "no levels";
}

TEST(AccuracyReport, ALevelLeavesOutWhatWasNotBackTested) {
  Given given;
  given.chosen[1] = std::nullopt;
  const std::vector<LevelLabels> levels = {{"total", {"all", "all"}}};
  const AccuracyReport report =
      AccuracyReportBuilder(given.series, given.tests, given.chosen, levels).build(NoProgress());
  const ReportRow* total = find_row(report, {}, {}, {}, 0, "total");
  ASSERT_NE(total, nullptr);
  EXPECT_DOUBLE_EQ(total->accuracy.mae(), 1);
}

TEST(AccuracyReport, MeasuresIntervalsByClassAndPart) {
  const Given given;
  AccuracyReportBuilder builder(given.series, given.tests, given.chosen, {});
  builder.add_interval(0, 0, 10, {8, 12, 6, 14});
  builder.add_interval(0, 8, 13, {8, 12, 6, 14});
  builder.add_interval(1, 8, 20, {8, 12, 6, 14});
  const AccuracyReport report = builder.build(NoProgress());
  ASSERT_EQ(report.intervals.size(), 1U + 2 + 2);
  const IntervalReportRow& all = report.intervals[0];
  EXPECT_DOUBLE_EQ(all.inside80.coverage(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(all.inside95.coverage(), 2.0 / 3);
  EXPECT_DOUBLE_EQ(all.inside80.mean_width(), 4);
  // Bounds 6, 8, 12, 14 at 2.5, 10, 90 and 97.5 % against 10, 13 and 20.
  const double loss =
      (0.025 * (4 + 7 + 14) + 0.1 * (2 + 5 + 12) + 0.1 * 2 + 0.9 * (1 + 8) + 0.025 * (4 + 1) + 0.975 * 6) /
      3 / 4;
  EXPECT_NEAR(all.scaled_pinball(), loss, 1e-12) << "the scale is 1";
  EXPECT_EQ(report.intervals[2].demand_class, DemandClass::kErratic);
  EXPECT_EQ(report.intervals[4].part, 1U);
  EXPECT_EQ(report.intervals[4].inside95.count, 2U);
}

TEST(AccuracyReport, StopsBetweenTwoSeriesAndTwoRowsOnRequest) {
  struct StopsAt final : Progress {
    explicit StopsAt(int asked) : left(asked) {}
    void update(std::uint64_t, std::uint64_t) override {}
    bool cancelled() const override { return --left <= 0; }
    mutable int left;
  };
  const Given given;
  const std::vector<LevelLabels> levels = {{"store", {"1", "2"}}};
  const auto stopped = [&](int asked) {
    return AccuracyReportBuilder(given.series, given.tests, given.chosen, levels).build(StopsAt(asked));
  };
  EXPECT_EQ(stopped(1).series.size(), 0U);
  EXPECT_EQ(stopped(2).series.size(), 1U);
  EXPECT_TRUE(stopped(2).rows.empty());
  // Two series, the same two of the level and once more by themselves, then one row after the other.
  EXPECT_EQ(stopped(6).rows.size(), 0U);
  EXPECT_EQ(stopped(9).rows.size(), 2U);
  EXPECT_EQ(find_row(stopped(100), {}, {}, {}, 0, "store")->series, 2U);
}

TEST(AccuracyReport, PartsOfTheHorizonCoverItOnce) {
  for (const Grain grain : {Grain::kDaily, Grain::kWeekly}) {
    for (std::size_t horizon = 1; horizon <= 400; ++horizon) {
      const std::vector<HorizonPart> parts = horizon_parts(horizon, grain);
      ASSERT_LE(parts.size(), 8U);
      std::size_t next = 1;
      for (const HorizonPart& part : parts) {
        ASSERT_EQ(part.first, next);
        ASSERT_GE(part.last, part.first);
        next = part.last + 1;
      }
      ASSERT_EQ(next, horizon + 1);
    }
  }
  EXPECT_EQ(horizon_parts(42, Grain::kDaily).size(), 6U) << "weeks of days";
}

}  // namespace
}  // namespace tillcast::forecast
