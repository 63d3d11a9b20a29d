// Sums of a plan's series over levels, through whole runs: what is stored adds up.
#include "pipeline/plan_levels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/opened_shop.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::pipeline {
namespace {

using ::testing::HasSubstr;

/// Three stores that sell four items each, as the store-item data set writes them.
class Levels : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(Engine::init(folder_.file("shop"), false));
    std::string text = "date,store,item,sales\n";
    for (int day = 0; day < 220; ++day)
      for (int store = 1; store <= 3; ++store)
        for (int item = 1; item <= 4; ++item) {
          const std::int32_t date = date_from_civil(2017, 1, 2).days + day;
          const int units = store * item * (5 + day % 7) + (day * 7919 + store * 31 + item * 17) % 13;
          text += format_date(Date{date}) + "," + std::to_string(store) + "," + std::to_string(item) + "," +
                  std::to_string(units) + "\n";
        }
    file_ = folder_.write("train.csv", text);
  }
  void settings(const std::string& more) const {
    folder_.write("shop/tillcast.toml",
                  "[[forecast.plan]]\nname = \"items\"\nmeasure = \"units\"\nby = [\"store\", \"product\"]\n"
                  "horizon = 7\n" +
                      more);
  }
  std::unique_ptr<Engine> open() const { return test::open_shop(folder_.file("shop")); }
  Result<RunReport> run() {
    RunOptions options;
    options.inputs = {file_};
    StageObserver silent;
    return open()->run(options, silent);
  }
  std::string sql(const std::string& statement) const { return test::cells_of(*open(), statement); }
  /// Largest gap between a stored group and the sum of its stored series, as a share.
  std::string worst_gap(const std::string& level, const std::string& key) const {
    return sql("WITH one AS (SELECT s.level, s." + key +
               " AS key, p.business_date, p.mean FROM forecast_point p JOIN forecast_series s USING (plan, "
               "series_id)), up AS (SELECT key, business_date, mean FROM one WHERE level = '" +
               level +
               "'), down AS (SELECT key, business_date, sum(mean) AS mean FROM one WHERE level = '' GROUP BY "
               "ALL) SELECT count(*), max(abs(up.mean - down.mean) / greatest(1, down.mean)) < 1e-6 FROM up "
               "JOIN down USING (key, business_date)");
  }

  test::TempDir folder_;
  std::filesystem::path file_;
};

TEST_F(Levels, StoredForecastsAddUpAtEveryLevel) {
  for (const std::string way : {"mint", "top_down", "bottom_up"}) {
    SCOPED_TRACE(way);
    settings("reconcile = \"" + way + "\"\n");
    ASSERT_OK(run());
    EXPECT_EQ(sql("SELECT level, count(*) FROM forecast_series GROUP BY 1 ORDER BY 1"),
              " 12 category 1 product 4 store 3 total 1 ")
        << "no country is known";
    EXPECT_EQ(sql("SELECT DISTINCT level = '', model_version, variant FROM forecast_series ORDER BY ALL"),
              "false 1  true 1 champion ");
    EXPECT_EQ(
        sql("SELECT DISTINCT starts_with(series_id, 'items/@'), model_version, variant FROM forecast_point "
            "ORDER BY ALL"),
        "false 1 champion true 1  ");
    if (way == "mint") {  // the others are served without a back-test of the series themselves
      EXPECT_EQ(sql("SELECT count(DISTINCT level) FROM forecast_coverage WHERE demand_class = 'all'"), "5 ");
    }
    EXPECT_EQ(worst_gap("store", "store_id"), "21 true ");
    EXPECT_EQ(worst_gap("product", "product_id"), "28 true ");
    EXPECT_EQ(
        sql("SELECT abs(sum(CASE WHEN level = 'total' THEN mean END) / sum(CASE WHEN level = '' THEN mean "
            "END) - 1) < 1e-6 FROM forecast_point JOIN forecast_series USING (plan, series_id)"),
        "true ");
    EXPECT_EQ(
        sql("SELECT count(*) FROM forecast_point WHERE NOT (lo95 <= lo80 AND lo80 <= mean AND mean <= hi80 "
            "AND hi80 <= hi95 AND lo95 >= 0)"),
        "0 ");
  }
}

TEST_F(Levels, AGroupIsShownWithItsHistory) {
  settings("reconcile = \"top_down\"\nlevels = [\"total\", \"store\"]\n");
  ASSERT_OK(run());
  EXPECT_EQ(sql("SELECT level, count(*) FROM forecast_series GROUP BY 1 ORDER BY 1"), " 12 store 3 total 1 ");
  std::vector<HistoryPoint> history;
  const auto engine = open();
  ASSERT_OK_AND_ASSIGN(const auto total, engine->series_forecast("items/@total", history));
  EXPECT_EQ(total.points.size(), 7U);
  EXPECT_EQ(total.info.label, "All stores and products");
  ASSERT_EQ(history.size(), 220U);
  double sum = 0;
  for (int store = 1; store <= 3; ++store)
    for (int item = 1; item <= 4; ++item) sum += store * item * 5 + (store * 31 + item * 17) % 13;
  EXPECT_EQ(history[0].value, sum);
  ASSERT_OK_AND_ASSIGN(const auto store, engine->series_forecast("items/@store:2", history));
  EXPECT_EQ(store.info.store_id, "2");
}

TEST_F(Levels, AGroupOfTheLargestSeriesIsShownWithTheirHistoryAlone) {
  settings("reconcile = \"top_down\"\nlevels = [\"total\"]\ntop = 2\n");
  ASSERT_OK(run());
  std::vector<HistoryPoint> total;
  std::vector<HistoryPoint> first;
  std::vector<HistoryPoint> second;
  const auto engine = open();
  ASSERT_OK(engine->series_forecast("items/@total", total));
  ASSERT_OK(engine->series_forecast("items/3|4", first));
  ASSERT_OK(engine->series_forecast("items/3|3", second));
  ASSERT_EQ(total.size(), 220U);
  for (std::size_t day = 0; day < total.size(); ++day)
    ASSERT_EQ(total[day].value, first[day].value + second[day].value) << "day " << day;
}

TEST_F(Levels, BeyondTheStoredPeriodsAGroupIsStillTheSumOfItsSeries) {
  for (const std::string way : {"mint", "bottom_up"}) {
    SCOPED_TRACE(way);
    settings("reconcile = \"" + way + "\"\n");
    ASSERT_OK(run());
    const auto engine = open();
    ForecastRequest request;
    for (int store = 1; store <= 3; ++store)
      for (int item = 1; item <= 4; ++item)
        request.items.push_back({"items/" + std::to_string(store) + "|" + std::to_string(item)});
    for (const char* group : {"items/@total", "items/@store:2", "items/@product:3"})
      request.items.push_back({group});
    request.horizon = 20;
    ASSERT_OK_AND_ASSIGN(const auto answers, engine->forecast(request));
    for (std::size_t step = 7; step < 20; ++step) {
      double total = 0;
      double store = 0;
      double product = 0;
      for (std::size_t i = 0; i < 12; ++i) {
        const double mean = answers[i]->points[step].mean;
        total += mean;
        if (i / 4 == 1) store += mean;
        if (i % 4 == 2) product += mean;
      }
      EXPECT_NEAR(answers[12]->points[step].mean, total, 1e-9 * total);
      EXPECT_NEAR(answers[13]->points[step].mean, store, 1e-9 * store);
      EXPECT_NEAR(answers[14]->points[step].mean, product, 1e-9 * product);
      EXPECT_LT(answers[12]->points[step].intervals[1].low, total);
      EXPECT_GT(answers[12]->points[step].intervals[1].high, total);
      EXPECT_EQ(answers[12]->points[step].date, answers[0]->points[step].date);
    }
    ASSERT_TRUE(answers[12]->extension);
    EXPECT_EQ(answers[12]->extension->model, "bottom_up");
    EXPECT_FALSE(answers[12]->extension->refitted);
  }
}

TEST_F(Levels, ALevelOfWhichNothingIsKnownIsLeftOutWithANote) {
  class Notes final : public StageObserver {
   public:
    void note(const std::string& line) override { text += line + "\n"; }
    std::string text;
  };
  settings("reconcile = \"bottom_up\"\n");
  RunOptions options;
  options.inputs = {file_};
  Notes notes;
  ASSERT_OK(open()->run(options, notes));
  EXPECT_THAT(notes.text, HasSubstr("items: level country is left out: no country is known"));
}

TEST_F(Levels, TheAccuracyReportJudgesTheSums) {
  settings("");
  ASSERT_OK(run());
  EXPECT_EQ(sql("SELECT level, series, points FROM forecast_accuracy_detail WHERE level <> 'all' ORDER BY 1"),
            "product 4 28 store 3 21 total 1 7 ")
      << "levels with one group are the total";
  EXPECT_EQ(
      sql("SELECT model, demand_class, steps, is_newest FROM forecast_accuracy_detail WHERE level = 'total'"),
      "chosen all all true ");
  EXPECT_EQ(
      sql("SELECT t.wape < a.wape AND t.wape_seasonal_naive > 0 FROM forecast_accuracy_detail t, "
          "forecast_accuracy_detail a WHERE t.level = 'total' AND a.level = 'all' AND a.model = 'chosen' AND "
          "a.demand_class = 'all' AND a.steps = 'all'"),
      "true ")
      << "errors of the series cancel in part";
  EXPECT_EQ(
      sql("SELECT a.wrmsse > 0 AND abs(a.wrmsse - (SELECT avg(weighted_rmsse) FROM "
          "forecast_accuracy_detail)) < "
          "1e-9 AND a.wrmsse_seasonal_naive > 0 FROM forecast_accuracy_detail a WHERE a.wrmsse IS NOT NULL"),
      "true ")
      << "one row has the measure of all levels and the series";
}

TEST_F(Levels, WithoutReconcilingNothingIsAdded) {
  settings("");
  ASSERT_OK(run());
  EXPECT_EQ(sql("SELECT level, count(*) FROM forecast_series GROUP BY 1"), " 12 ");
}

TEST_F(Levels, ALevelThatThePlanCannotHaveIsRefusedByName) {
  folder_.write("shop/tillcast.toml",
                "[[forecast.plan]]\nname = \"items\"\nby = [\"product\"]\nlevels = [\"country\"]\n");
  const auto config = load_settings(folder_.file("shop"), {}, {});
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message, HasSubstr("the level country needs by = [\"store\"]"));
  settings("reconcile = \"magic\"\n");
  EXPECT_FALSE(load_settings(folder_.file("shop"), {}, {}));
}

TEST(SumSeries, IsClosedOnlyWhereAllPartsAre) {
  forecast::Series a;
  a.start = Date{100};
  a.value = {1, 2, 3, 4};
  a.masked = {0, 0, 1, 0};
  a.open = {1, 1, 0, 1, 0};
  forecast::Series b;
  b.start = Date{102};
  b.value = {10, 20};
  b.masked = {1, 0};
  b.open = {0, 1, 1};
  const forecast::Series* const parts[] = {&a, &b};
  const forecast::Series sum = sum_series(parts);
  EXPECT_EQ(sum.start, Date{100});
  EXPECT_EQ(sum.value, (std::vector<double>{1, 2, 0, 24}));
  EXPECT_EQ(sum.masked, (std::vector<std::uint8_t>{0, 0, 1, 0}));
  EXPECT_EQ(sum.open, (std::vector<std::int8_t>{1, 1, 0, 1, 1}));
}

}  // namespace
}  // namespace tillcast::pipeline
