#include "forecast/series.h"

#include <cmath>
#include <limits>

#include "support/result_matchers.h"

namespace tillcast::forecast {
namespace {

struct Table {
  std::vector<std::int32_t> series;
  std::vector<Date> date;
  std::vector<double> value;
  std::vector<std::int8_t> promotion;
  std::vector<std::int8_t> open;
  std::vector<double> price;

  Table& add(std::int32_t id, const char* day, double units) {
    series.push_back(id);
    date.push_back(*parse_date(day));
    value.push_back(units);
    return *this;
  }
  LongTable columns(std::size_t count) const { return {series, date, value, promotion, open, price, count}; }
};

TEST(BuildSeries, FillsGapsWithZeroAndStartsAtTheFirstSale) {
  Table table;
  table.add(0, "2024-03-01", 0).add(0, "2024-03-05", 2).add(0, "2024-03-03", 4).add(0, "2024-03-03", 1);
  table.add(1, "2024-03-07", 9);
  ASSERT_OK_AND_ASSIGN(const auto series, build_series(table.columns(3), {}));
  ASSERT_EQ(series.size(), 3U);
  EXPECT_EQ(series[0].start, *parse_date("2024-03-03"));
  EXPECT_EQ(series[0].value, (std::vector<double>{5, 0, 2, 0, 0}));
  EXPECT_EQ(series[0].masked, (std::vector<std::uint8_t>{0, 0, 0, 0, 0}));
  EXPECT_EQ(series[1].value, (std::vector<double>{9}));
  EXPECT_EQ(series[2].size(), 0U) << "a series without rows is there, empty";
}

TEST(BuildSeries, MasksClosedDaysAndDaysWithoutRowWhenOpenIsKnown) {
  Table table;
  table.add(0, "2024-03-01", 5).add(0, "2024-03-02", 0).add(0, "2024-03-04", 0).add(0, "2024-03-05", 3);
  table.open = {1, 0, 1, 1};
  ASSERT_OK_AND_ASSIGN(const auto series, build_series(table.columns(1), {}));
  EXPECT_EQ(series[0].masked, (std::vector<std::uint8_t>{0, 1, 1, 0, 0}))
      << "closed, no row, open without sales";
  EXPECT_EQ(series[0].open, (std::vector<std::int8_t>{1, 0, -1, 1, 1}));
}

TEST(BuildSeries, KeepsNamedDriversByPeriodAndOnlyAsFarAsTheyAreKnown) {
  Table table;
  for (const char* day : {"2024-03-01", "2024-03-02", "2024-03-03", "2024-03-04", "2024-03-05"})
    table.add(0, day, 7);
  const float unknown = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> warmth = {1, unknown, 3, 4, 5};
  LongTable columns = table.columns(1);
  columns.drivers.push_back({"temperature", DriverKind::kNumber, warmth});
  SeriesOptions options;
  options.cut = *parse_date("2024-03-03");
  options.drivers_until = *parse_date("2024-03-04");
  ASSERT_OK_AND_ASSIGN(const auto series, build_series(columns, options));
  ASSERT_EQ(series[0].drivers.size(), 1U);
  const Driver& driver = series[0].drivers[0];
  EXPECT_EQ(driver.name, "temperature");
  ASSERT_EQ(driver.value.size(), 4U) << "the day after the last known one is not there";
  EXPECT_EQ(driver.value[0], 1);
  EXPECT_TRUE(std::isnan(driver.value[1]));
  EXPECT_EQ(driver.value[3], 4);
  columns.drivers[0].value = columns.drivers[0].value.first(4);
  EXPECT_FALSE(build_series(columns, options));
}

TEST(BuildSeries, SeesNoValueAfterTheCutButKnownDrivers) {
  Table table;
  for (const char* day : {"2024-03-01", "2024-03-02", "2024-03-03", "2024-03-04", "2024-03-05"})
    table.add(0, day, 7);
  table.value[3] = std::numeric_limits<double>::quiet_NaN();
  table.promotion = {0, 1, 0, 1, 1};
  SeriesOptions options;
  options.cut = *parse_date("2024-03-03");
  options.drivers_until = *parse_date("2024-03-04");
  ASSERT_OK_AND_ASSIGN(const auto series, build_series(table.columns(1), options));
  EXPECT_EQ(series[0].refused, "");
  EXPECT_EQ(series[0].size(), 3U);
  EXPECT_EQ(series[0].promotion, (std::vector<std::int8_t>{0, 1, 0, 1})) << "one day ahead is known, not two";
}

TEST(BuildSeries, LeavesOutTheWeeksThatTheTableOrTheCutDivides) {
  Table table;  // from a Friday to a Tuesday
  for (int day = 1; day <= 19; ++day)
    table.add(0, ("2024-03-" + std::string(day < 10 ? "0" : "") + std::to_string(day)).c_str(), 1);
  SeriesOptions options;
  options.grain = Grain::kWeekly;
  ASSERT_OK_AND_ASSIGN(auto series, build_series(table.columns(1), options));
  EXPECT_EQ(series[0].start, *parse_date("2024-03-04"));
  EXPECT_EQ(series[0].value, (std::vector<double>{7, 7}));
  options.drop_partial_periods = false;
  ASSERT_OK_AND_ASSIGN(series, build_series(table.columns(1), options));
  EXPECT_EQ(series[0].start, *parse_date("2024-02-26"));
  EXPECT_EQ(series[0].value, (std::vector<double>{3, 7, 7, 2}));
}

TEST(BuildSeries, AddsUpMonthsAcrossYears) {
  Table table;
  table.add(0, "2023-11-01", 1).add(0, "2023-11-30", 2).add(0, "2024-01-31", 4).add(0, "2024-02-10", 8);
  SeriesOptions options;
  options.grain = Grain::kMonthly;
  ASSERT_OK_AND_ASSIGN(const auto series, build_series(table.columns(1), options));
  EXPECT_EQ(series[0].start, *parse_date("2023-11-01"));
  EXPECT_EQ(series[0].value, (std::vector<double>{3, 0, 4}))
      << "February ends with the cut of the 10th: left out";
  EXPECT_EQ(series[0].date_at(14), *parse_date("2025-01-01"));
}

TEST(BuildSeries, RefusesASeriesWithNanAndKeepsTheOthers) {
  Table table;
  table.add(0, "2024-03-01", 5)
      .add(1, "2024-03-01", std::numeric_limits<double>::infinity())
      .add(0, "2024-03-02", 6);
  ASSERT_OK_AND_ASSIGN(const auto series, build_series(table.columns(2), {}));
  EXPECT_EQ(series[0].refused, "");
  EXPECT_THAT(series[1].refused, ::testing::HasSubstr("2024-03-01 is infinite"));
}

TEST(BuildSeries, NamesTheFaultOfColumnsThatDoNotFit) {
  Table table;
  table.add(0, "2024-03-01", 5).add(3, "2024-03-02", 5);
  EXPECT_ERROR(build_series(table.columns(2), {}), ErrorCode::kInvalidInput, "row 1 has series 3");
  table.open = {1};
  EXPECT_ERROR(build_series(table.columns(4), {}), ErrorCode::kInvalidInput, "has 2 rows");
}

TEST(Periods, StepsForwardAndBackAgree) {
  for (const Grain grain : {Grain::kDaily, Grain::kWeekly, Grain::kMonthly})
    for (std::int32_t day = -800; day < 20'000; day += 37) {
      const Date start = period_start(Date{day}, grain);
      EXPECT_LE(start, Date{day});
      EXPECT_GT(advance_period(start, grain, 1), Date{day});
      for (const int steps : {-30, -1, 0, 1, 13})
        EXPECT_EQ(periods_between(start, advance_period(start, grain, steps), grain), steps);
      if (grain == Grain::kWeekly) {
        EXPECT_EQ(iso_weekday(start), 1);
      }
    }
}

}  // namespace
}  // namespace tillcast::forecast
