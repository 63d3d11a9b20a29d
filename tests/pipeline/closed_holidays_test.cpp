// Holidays on which shops close, through the Engine: forecast, update, longer horizon, monitor, cut.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>

#include "pipeline/engine.h"
#include "pipeline/settings.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::pipeline {
namespace {

constexpr Date kFirst = date_from_civil(2021, 10, 4);
constexpr Date kCut = date_from_civil(2023, 12, 15);

bool is_day(Date day, int month, int of_month) {
  const CivilDate civil = civil_from_date(day);
  return civil.month == month && civil.day == of_month;
}

/// Four shops with lines alone: nobody trades at Christmas, New Year and on Good Friday, two do on the day
/// after Christmas.
bool trades(int store, Date day) {
  if (is_day(day, 12, 25) || is_day(day, 1, 1)) return false;
  if (day == date_from_civil(2022, 4, 15) || day == date_from_civil(2023, 4, 7)) return false;
  return !is_day(day, 12, 26) || store <= 2;
}

class ClosedHolidays : public ::testing::Test {
 protected:
  using Trades = std::function<bool(int, Date)>;

  void start(const std::string& toml = "") {
    std::filesystem::remove_all(folder_.file("shop"));
    ASSERT_OK(Engine::init(folder_.file("shop"), false));
    folder_.write("shop/tillcast.toml",
                  "[forecast]\ncountry = \"Germany\"\nthreads = 1\norigins = 2\nrefit_days = 1000\n" + toml +
                      "[[forecast.plan]]\nname = \"all\"\nhorizon = 28\n[[forecast.plan]]\nname = "
                      "\"stores\"\nby = [\"store\"]\nhorizon = 28\n");
    auto config = load_settings(folder_.file("shop"), {}, {});
    ASSERT_OK(config);
    auto opened = Engine::open(folder_.file("shop"), std::move(*config));
    ASSERT_OK(opened);
    engine_ = std::move(*opened);
  }
  // Days [from, to].
  void run(Date from, Date to, const Trades& open = trades) {
    std::string text = "product_id,product_name,product_price,store_id,store_name,quantity,date\n";
    for (Date day = from; day <= to; ++day.days) {
      for (int store = 1; store <= 4; ++store) {
        if (!open(store, day)) continue;
        const int units = 40 + 10 * store + 5 * iso_weekday(day) + (day.days * 7919 + store * 104729) % 7;
        text += "1,Tea,2.50," + std::to_string(store) + ",Shop " + std::to_string(store) + "," +
                std::to_string(units) + "," + format_date(day) + "\n";
      }
    }
    RunOptions options;
    options.inputs = {folder_.write("lines-" + format_date(from) + ".csv", text)};
    StageObserver silent;
    ASSERT_OK_AND_ASSIGN(const auto report, engine_->run(options, silent));
    ASSERT_FALSE(report.checks_failed());
  }
  std::string sql(const std::string& statement) {
    auto result = engine_->sql(statement, 0);
    if (!result) return result.error().message;
    std::string text;
    for (std::size_t i = 0; i < result->rows(); ++i)
      for (std::size_t c = 0; c < result->columns.size(); ++c) text += result->text(i, c) + " ";
    return text;
  }
  // Series that are closed on a day ahead, and those that are open.
  std::string closed_on(const std::string& day) {
    return sql(
        "SELECT series_id FROM forecast_point WHERE is_closed AND mean = 0 AND hi95 = 0 AND "
        "business_date = DATE '" +
        day + "' ORDER BY 1");
  }
  std::string days_closed(const std::string& series) {
    return sql("SELECT business_date FROM forecast_point WHERE is_closed AND series_id = '" + series +
               "' ORDER BY 1");
  }

  test::TempDir folder_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(ClosedHolidays, WhatWasClosedEachYearIsClosedAheadInForecastUpdateAndLongerHorizon) {
  start();
  run(kFirst, kCut);
  EXPECT_EQ(days_closed("all/total"), "2023-12-25 2024-01-01 ");
  EXPECT_EQ(closed_on("2023-12-25"), "all/total stores/1 stores/2 stores/3 stores/4 ");
  EXPECT_EQ(closed_on("2024-01-01"), "all/total stores/1 stores/2 stores/3 stores/4 ");
  EXPECT_EQ(closed_on("2023-12-26"), "stores/3 stores/4 ") << "the others have always traded";
  EXPECT_EQ(sql("SELECT count(*) FROM forecast_point WHERE mean <= 0 AND NOT is_closed"), "0 ");

  run(Date{kCut.days + 1}, Date{kCut.days + 3});
  EXPECT_EQ(sql("SELECT DISTINCT model_version FROM forecast_series"), "1 ") << "an update without a fit";
  EXPECT_EQ(days_closed("all/total"), "2023-12-25 2024-01-01 ");
  EXPECT_EQ(days_closed("stores/4"), "2023-12-25 2023-12-26 2024-01-01 ");

  ASSERT_OK_AND_ASSIGN(const auto answers, engine_->forecast({{{"all/total"}, {"stores/3"}}, 120, {}}));
  for (const auto& answer : answers) {
    ASSERT_OK(answer);
    ASSERT_EQ(answer->points.size(), 120U);
    for (const auto& point : answer->points) {
      const bool good_friday = point.date == date_from_civil(2024, 3, 29);
      const bool open = !good_friday && trades(answer->info.id == "all/total" ? 1 : 3, point.date);
      EXPECT_EQ(point.mean > 0, open) << format_date(point.date);
    }
  }
}

TEST_F(ClosedHolidays, SalesAfterTheCutDoNotOpenThem) {
  const std::string points =
      "SELECT count(*), sum(hash(series_id, business_date, mean, lo80, hi95, is_closed)) FROM forecast_point";
  const Date end = date_from_civil(2024, 1, 10);
  start("cut = \"2023-12-15\"\n");
  run(kFirst, end);
  const std::string before = sql(points);
  EXPECT_EQ(days_closed("stores/1"), "2023-12-25 2024-01-01 ");
  start("cut = \"2023-12-15\"\n");
  run(kFirst, end, [](int store, Date day) { return day > kCut ? day.days % 3 != 0 : trades(store, day); });
  EXPECT_EQ(sql(points), before);
}

TEST_F(ClosedHolidays, AClosedDayForecastOpenCountsAgainstUsAndOneForecastClosedNowhere) {
  start();
  const Date first_cut = date_from_civil(2022, 12, 15);
  run(date_from_civil(2022, 2, 1), first_cut);
  EXPECT_EQ(closed_on("2022-12-25"), "") << "nobody can know yet";
  const std::string judged =
      "SELECT count(*), max(actual), min(mean) > 0 FROM forecast_outcome WHERE business_date = DATE '";
  run(Date{first_cut.days + 1}, date_from_civil(2023, 1, 20));
  EXPECT_EQ(sql(judged + "2022-12-25'"), "5 0.0 true ");
  EXPECT_EQ(sql(judged + "2022-12-26' AND series_id = 'stores/4'"), "1 0.0 true ");

  run(date_from_civil(2023, 1, 21), kCut);
  EXPECT_EQ(days_closed("stores/4"), "2023-12-25 2023-12-26 2024-01-01 ");
  run(Date{kCut.days + 1}, date_from_civil(2024, 1, 5),
      [](int store, Date day) { return is_day(day, 1, 1) || trades(store, day); });
  EXPECT_EQ(sql(judged + "2023-12-25'"), "0   ");
  EXPECT_EQ(sql("SELECT count(*), min(actual) > 0, max(mean), max(hi80), max(seasonal_naive) FROM "
                "forecast_outcome WHERE business_date = DATE '2024-01-01' AND series_id = 'stores/4'"),
            "1 true 0.0 0.0 0.0 ")
      << "an open day forecast closed";
}

}  // namespace
}  // namespace tillcast::pipeline
