// Quantiles and sums of stored forecasts through the Engine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "database/database.h"
#include "pipeline/opened_shop.h"
#include "pipeline/plan_quantiles.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::size_t kStored = 14;
constexpr Date kFirst = date_from_civil(2023, 1, 2);  // a Monday
constexpr const char* kPlans =
    "[forecast]\nthreads = 1\n[[forecast.plan]]\nname = \"stores\"\nmeasure = \"units\"\nby = [\"store\"]\n"
    "horizon = 14\n[[forecast.plan]]\nname = \"few\"\nmeasure = \"revenue\"\nby = [\"store\"]\nhorizon = 14\n"
    "quantiles = [0.99, 0.2]\n[[forecast.plan]]\nname = \"bare\"\nmeasure = \"units\"\nby = []\nhorizon = "
    "14\n"
    "quantiles = []\n";

/// Six stores that trade from Monday to Saturday with noise that lasts for days.
std::string sales() {
  std::string text = "product_id,product_name,product_price,store_id,store_name,quantity,date\n";
  std::vector<double> lasting(7, 0.0);
  std::uint32_t state = 1;
  const auto noise = [&state] {
    state = state * 1664525U + 1013904223U;
    return static_cast<double>(state >> 16U) / 32768.0 - 1;
  };
  for (int i = 0; i < 240; ++i) {
    for (int store = 1; store <= 6; ++store) {
      const auto at = static_cast<std::size_t>(store);
      lasting[at] = 0.7 * lasting[at] + 5 * noise();
      if (i % 7 == 6) continue;
      const int quantity =
          std::max(1, static_cast<int>(30 + 5 * store + 3 * (i % 7) + lasting[at] + 4 * noise()));
      text += "1,Tea,2.55," + std::to_string(store) + ",Shop " + std::to_string(store) + "," +
              std::to_string(quantity) + "," + format_date(Date{kFirst.days + i}) + "\n";
    }
  }
  return text;
}

class Quantiles : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<test::TempDir>();
    ASSERT_OK(Engine::init(folder_->file("shop"), false));
    folder_->write("shop/tillcast.toml", kPlans);
    open();
    RunOptions options;
    options.inputs = {folder_->write("sales.csv", sales())};
    StageObserver observer;
    ASSERT_OK(engine_->run(options, observer));
  }
  static void TearDownTestSuite() {
    engine_.reset();
    folder_.reset();
  }
  static void open() {
    engine_.reset();
    engine_ = test::open_shop(folder_->file("shop"));
  }
  static Result<SeriesForecast> ask(const std::string& id, std::optional<int> horizon,
                                    std::vector<double> quantiles, bool sum = false,
                                    std::vector<Date> dates = {}) {
    auto answers = engine_->forecast({{{id}}, horizon, std::move(dates), false, std::move(quantiles), sum});
    if (!answers) return answers.error();
    return answers->front();
  }
  static std::vector<double> column(const std::string& statement) {
    std::vector<double> values;
    auto rows = engine_->sql(statement, 0);
    EXPECT_OK(rows);
    for (std::size_t i = 0; rows && i < rows->rows(); ++i) values.push_back(rows->number(i, 0).value_or(-1));
    return values;
  }
  static std::vector<double> stored(const std::string& id) {
    return column("SELECT value FROM forecast_quantile WHERE series_id = '" + id +
                  "' ORDER BY business_date, share");
  }

  static inline std::unique_ptr<test::TempDir> folder_;
  static inline std::unique_ptr<Engine> engine_;
};

TEST_F(Quantiles, AreStoredAsTheRunMadeThemAndAnsweredAsStored) {
  const auto shares =
      column("SELECT DISTINCT share FROM forecast_quantile WHERE plan = 'stores' ORDER BY share");
  ASSERT_THAT(shares, ElementsAre(0.005, 0.025, 0.1, 0.165, 0.25, 0.5, 0.75, 0.835, 0.9, 0.975, 0.995));
  const auto values = stored("stores/2");
  ASSERT_EQ(values.size(), kStored * shares.size());
  ASSERT_OK_AND_ASSIGN(const auto answer, ask("stores/2", 14, shares));
  EXPECT_EQ(answer.quantiles, values);
  EXPECT_EQ(answer.quantile_shares, shares);
  // The run makes the intervals of the same quantiles.
  for (std::size_t i = 0; i < kStored; ++i) {
    const auto& point = answer.points[i];
    const double* const of_point = &values[i * shares.size()];
    EXPECT_TRUE(std::is_sorted(of_point, of_point + shares.size()));
    EXPECT_DOUBLE_EQ(point.intervals[0].low, std::min(of_point[2], point.mean));
    EXPECT_DOUBLE_EQ(point.intervals[0].high, std::max(of_point[8], point.mean));
    EXPECT_DOUBLE_EQ(point.intervals[1].high, std::max(of_point[9], point.mean));
    EXPECT_EQ(of_point[8] == 0, point.mean == 0) << "only closed days have no demand";
  }
  ASSERT_OK_AND_ASSIGN(const auto plain, ask("stores/2", 14, {}));
  EXPECT_THAT(plain.quantiles, IsEmpty());
  EXPECT_FALSE(plain.sum.has_value());
  ASSERT_OK_AND_ASSIGN(const auto as_stored, ask("stores/2", std::nullopt, {0.5}, true));
  EXPECT_EQ(as_stored.quantiles.size(), kStored);
  EXPECT_EQ(as_stored.sum->periods, static_cast<int>(kStored));
}

TEST_F(Quantiles, BetweenTheStoredSharesLieOnALineAndKeepTheOrderAsked) {
  ASSERT_OK_AND_ASSIGN(const auto found, ask("few/3", 1, {0.975, 0.9, 0.94}));
  EXPECT_NEAR(found.quantiles[2],
              found.quantiles[1] + (0.94 - 0.9) / 0.075 * (found.quantiles[0] - found.quantiles[1]), 1e-3);
  // Units come in whole numbers, and so do their quantiles.
  ASSERT_OK_AND_ASSIGN(const auto units, ask("stores/3", 14, {0.333, 0.61}, true));
  for (const double value : units.quantiles) EXPECT_EQ(value, std::floor(value));
  for (const double value : units.sum->quantiles) EXPECT_EQ(value, std::floor(value));
}

TEST_F(Quantiles, OfASumAreNarrowerThanSumsOfQuantilesAndWiderThanIfDaysWereIndependent) {
  const std::vector<double> shares = {0.1, 0.5, 0.9};
  ASSERT_OK_AND_ASSIGN(const auto found, ask("stores/4", 14, shares, true));
  ASSERT_TRUE(found.sum.has_value());
  const auto& sum = *found.sum;
  double mean = 0;
  double low = 0;
  double high = 0;
  double squares = 0;
  for (std::size_t i = 0; i < kStored; ++i) {
    mean += found.points[i].mean;
    low += found.quantiles[3 * i];
    high += found.quantiles[3 * i + 2];
    squares += std::pow(found.quantiles[3 * i + 2] - found.quantiles[3 * i], 2);
  }
  EXPECT_DOUBLE_EQ(sum.mean, mean);
  EXPECT_EQ(sum.from, found.points.front().date);
  EXPECT_EQ(sum.to, found.points.back().date);
  EXPECT_GT(sum.quantiles[0], low);
  EXPECT_LT(sum.quantiles[2], high);
  EXPECT_GT(sum.quantiles[2] - sum.quantiles[0], 1.05 * std::sqrt(squares));
  EXPECT_LT(sum.quantiles[2] - sum.quantiles[0], 0.95 * (high - low));
  EXPECT_EQ(sum.intervals[0].low, std::min(sum.quantiles[0], sum.mean));
  EXPECT_LE(sum.intervals[1].low, sum.intervals[0].low);
  EXPECT_GE(sum.intervals[1].high, sum.intervals[0].high);
  ASSERT_OK_AND_ASSIGN(const auto again, ask("stores/4", 14, shares, true));
  EXPECT_EQ(again.sum->quantiles, sum.quantiles);
}

TEST_F(Quantiles, SumsTakeAnyDatesEachPeriodOnce) {
  ASSERT_OK_AND_ASSIGN(const auto all, ask("stores/1", 14, {0.2, 0.9}));
  const Date third = all.points[2].date;
  const Date ninth = all.points[8].date;
  ASSERT_OK_AND_ASSIGN(const auto found,
                       ask("stores/1", std::nullopt, {0.2, 0.9}, true, {ninth, third, ninth}));
  EXPECT_EQ(found.points.size(), 3U);
  EXPECT_EQ(found.quantiles[0], all.quantiles[16]);
  EXPECT_EQ(found.sum->periods, 2);
  EXPECT_EQ(found.sum->from, third);
  EXPECT_EQ(found.sum->to, ninth);
  EXPECT_DOUBLE_EQ(found.sum->mean, all.points[2].mean + all.points[8].mean);
  ASSERT_OK_AND_ASSIGN(const auto one, ask("stores/1", std::nullopt, {0.2, 0.9}, true, {third}));
  EXPECT_NEAR(one.sum->quantiles[0], one.quantiles[0], 1);
  EXPECT_NEAR(one.sum->quantiles[1], one.quantiles[1], 1);
}

TEST_F(Quantiles, GoOnBeyondTheStoredHorizonInsideTheirIntervals) {
  const std::vector<double> shares = {0.025, 0.1, 0.5, 0.9, 0.975, 0.99};
  ASSERT_OK_AND_ASSIGN(const auto found, ask("stores/5", 40, shares, true));
  ASSERT_EQ(found.quantiles.size(), 40 * shares.size());
  for (std::size_t i = 0; i < 40; ++i) {
    const double* const of_point = &found.quantiles[i * shares.size()];
    EXPECT_TRUE(std::is_sorted(of_point, of_point + shares.size())) << i;
    if (i < kStored) continue;
    const auto& point = found.points[i];
    EXPECT_NEAR(of_point[3], point.intervals[0].high, 0.02 * point.mean + 1) << i;
    EXPECT_NEAR(of_point[0], point.intervals[1].low, 0.02 * point.mean + 1) << i;
    EXPECT_EQ(of_point[5] == 0, point.mean == 0) << i;
  }
  EXPECT_EQ(found.sum->periods, 40);
  EXPECT_LT(found.sum->quantiles[1], found.sum->mean);
  EXPECT_GT(found.sum->quantiles[3], found.sum->mean);
}

TEST_F(Quantiles, WrongOnesAreNamed) {
  const auto message = [](const Result<SeriesForecast>& answer) {
    return answer ? std::string("no error") : answer.error().message;
  };
  EXPECT_THAT(message(ask("stores/1", 7, {0.5, 1.5})),
              HasSubstr("quantiles[1] must be 0.001 to 0.999, found 1.5"));
  EXPECT_THAT(message(ask("stores/1", 7, {NAN})), HasSubstr("quantiles[0] must be 0.001 to 0.999"));
  EXPECT_THAT(message(ask("stores/1", 7, std::vector<double>(21, 0.5))),
              HasSubstr("at most 20 shares, found 21"));
  EXPECT_THAT(message(ask("stores/1", 7, {0.999})),
              HasSubstr("0.999 lies outside 0.005 to 0.995, what plan 'stores'"));
  EXPECT_THAT(message(ask("bare/total", 7, {0.5})), HasSubstr("plan 'bare' keeps no quantiles"));
  EXPECT_THAT(message(ask("bare/total", 7, {}, true)), HasSubstr("plan 'bare' keeps no quantiles"));
  std::vector<ForecastItem> many(1000, {"stores/1"});
  const auto large = engine_->forecast({many, 366, {}, false, {0.1, 0.5, 0.9}, false});
  ASSERT_FALSE(large.has_value());
  EXPECT_THAT(large.error().message, HasSubstr("must be at most 1000000, found 1098000"));
  const auto sums = engine_->forecast({many, 366, {}, false, {0.1, 0.9}, true});
  ASSERT_FALSE(sums.has_value());
  EXPECT_THAT(sums.error().message,
              HasSubstr("a sum counts as one more) must be at most 1000000, found 1098000"));
}

TEST_F(Quantiles, OfAPlanAreThoseItChoseWithThoseOfTheIntervals) {
  const auto shares =
      column("SELECT DISTINCT share FROM forecast_quantile WHERE plan = 'few' ORDER BY share");
  EXPECT_THAT(shares, ElementsAre(0.025, 0.1, 0.2, 0.5, 0.9, 0.975, 0.99));
  EXPECT_THAT(column("SELECT count(*) FROM forecast_quantile WHERE plan = 'bare'"), ElementsAre(0));
  EXPECT_THAT(column("SELECT count(*) FROM forecast_error_window WHERE plan = 'bare'"), ElementsAre(0));
  EXPECT_THAT(column("SELECT count(*) FROM forecast_error_window WHERE plan = 'few' AND len(errors) = 14"),
              ElementsAre(6 * 4));
}

TEST_F(Quantiles, ComeAndChangeWithoutAFit) {
  const auto before = stored("stores/6");
  {
    engine_.reset();
    ASSERT_OK_AND_ASSIGN(auto database, database::Database::open(folder_->file("shop/warehouse.duckdb")));
    ASSERT_OK_AND_ASSIGN(auto connection, database.connect());
    // As an older program left it.
    ASSERT_OK(
        connection.execute("DROP VIEW forecast_quantile; DROP TABLE forecast_error_window; ALTER TABLE "
                           "forecast_point DROP COLUMN quantiles; ALTER TABLE forecast_series DROP COLUMN "
                           "quantile_shares; UPDATE forecast_run SET run_id = 'older'"));
  }
  open();
  ASSERT_OK_AND_ASSIGN(const auto without, ask("stores/6", 14, {}));
  EXPECT_EQ(without.points.size(), kStored);
  EXPECT_FALSE(ask("stores/6", 14, {0.5}).has_value());
  StageObserver observer;
  ASSERT_OK(engine_->update_forecasts({}, observer));
  EXPECT_EQ(stored("stores/6"), before);

  std::string changed = kPlans;
  changed.replace(changed.find("quantiles = []"), 14, "quantiles = [0.75]");
  folder_->write("shop/tillcast.toml", changed);
  open();
  ASSERT_OK(engine_->update_forecasts({}, observer));
  EXPECT_THAT(column("SELECT DISTINCT share FROM forecast_quantile WHERE plan = 'bare' ORDER BY share"),
              ElementsAre(0.025, 0.1, 0.5, 0.75, 0.9, 0.975));
  ASSERT_OK_AND_ASSIGN(const auto now, ask("bare/total", 7, {0.75}, true));
  EXPECT_EQ(now.model_version, 1);
  EXPECT_GT(now.sum->quantiles[0], 0);
}

TEST(PlanQuantiles, AreReadInAnyOrderAndRefusedByName) {
  ASSERT_OK_AND_ASSIGN(const auto shares, parse_shares("0.9, 0.1,0.9"));
  EXPECT_THAT(shares, ElementsAre(0.1, 0.9));
  EXPECT_THAT(*parse_shares(""), IsEmpty());
  for (const char* const bad : {"0", "1", "0.5x", "nan", "-0.5", "0.9,,0.1", "0.9995"}) {
    const auto wrong = parse_shares(bad);
    ASSERT_FALSE(wrong.has_value()) << bad;
    EXPECT_THAT(wrong.error().message, HasSubstr("expected shares from 0.001 to 0.999")) << bad;
  }
  EXPECT_EQ(shares_text({0.005, 0.5, 0.995}), "0.005,0.5,0.995");
  EXPECT_EQ(stored_shares(ForecastPlan{}).size(), 11U);
}

}  // namespace
}  // namespace tillcast::pipeline
