#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <regex>

#include "support/process.h"
#include "support/temp_dir.h"

namespace tillcast::test {
namespace {

using ::testing::HasSubstr;

class RealData : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto found = datasets();
    if (!found)
      TILLCAST_SKIP_OR_FAIL("the real data sets are not here; name their folder with TILLCAST_DATASETS");
    datasets_ = *found;
    ASSERT_EQ(tillcast({"init", shop().string()}).exit_code, 0);
  }
  std::filesystem::path shop() const { return folder_.file("shop"); }
  std::string sql(const std::string& statement) const {
    const auto result = tillcast({"sql", "--data", shop().string(), "--format", "csv", statement});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out.substr(result.out.find('\n') + 1);
  }
  void expect_ground_truth() const {
    const auto acceptance =
        std::filesystem::path(TILLCAST_SOURCE_DIR) / "tests/sql/acceptance/online_retail.test_slow";
    const auto checker = std::filesystem::path(TILLCAST_BINARY).parent_path() / "sql_test";
    const auto result = run_process(
        {checker.string(), "--database", (shop() / "warehouse.duckdb").string(), acceptance.string()});
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  }
  TempDir folder_;
  std::filesystem::path datasets_;
};

TEST_F(RealData, OnlineRetailCsvThenXlsxGivesEveryNumberOfTheGroundTruthAndTheSecondRunChangesNone) {
  const auto csv = datasets_ / "online-retail/online-retail.csv";
  const auto first = tillcast({"run", "--data", shop().string(), "--input", csv.string()});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(first.err, HasSubstr("541,909 rows in = 541,909 silver.sale_line + 0 rejects"));
  expect_ground_truth();
  const std::string before = sql("SELECT sum(hash(t)), count(*) FROM fact_sale_line AS t");
  const std::string forecasts = sql("SELECT sum(hash(t)), count(*) FROM forecast_point AS t");

  const auto second = tillcast({"run", "--data", shop().string(), "--input", csv.string()});
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_THAT(second.err, HasSubstr("already loaded"));
  EXPECT_EQ(sql("SELECT sum(hash(t)), count(*) FROM fact_sale_line AS t"), before);
  EXPECT_EQ(sql("SELECT sum(hash(t)), count(*) FROM forecast_point AS t"), forecasts);

  // The same rows from the workbook are the same events: all of them are known.
  const auto xlsx = datasets_ / "online-retail/Online Retail.xlsx";
  const auto third = tillcast({"run", "--data", shop().string(), "--input", xlsx.string()});
  EXPECT_EQ(third.exit_code, 0) << third.err;
  EXPECT_THAT(third.err, HasSubstr("541,909 rows in = 0 silver.sale_line + 541,909 rejects"));
  EXPECT_EQ(sql("SELECT sum(hash(t)), count(*) FROM fact_sale_line AS t"), before);
}

TEST_F(RealData, OnlineRetailXlsxGivesEveryNumberOfTheGroundTruth) {
  const auto result = tillcast({"run", "--no-forecast", "--data", shop().string(), "--input",
                                (datasets_ / "online-retail/Online Retail.xlsx").string()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  expect_ground_truth();
}

TEST_F(RealData, RebuildingTheWarehouseFromTheLakeGivesIdenticalTables) {
  const auto result = tillcast({"run", "--no-forecast", "--data", shop().string(), "--input",
                                (datasets_ / "online-retail/online-retail.csv").string()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::string statement =
      "SELECT (SELECT sum(hash(t)) FROM fact_sale_line AS t), (SELECT sum(hash(t)) FROM fact_order AS t), "
      "(SELECT sum(hash(t)) FROM demand_daily AS t), "
      "(SELECT sum(hash(t)) FROM fact_return AS t), (SELECT sum(hash(t)) FROM customer_metrics AS t)";
  const std::string before = sql(statement);
  for (const char* name : {"warehouse.duckdb", "warehouse.duckdb.wal"})
    std::filesystem::remove(shop() / name);
  const auto rebuilt = tillcast({"build", "--data", shop().string()});
  ASSERT_EQ(rebuilt.exit_code, 0) << rebuilt.err;
  EXPECT_EQ(sql(statement), before);
}

// The local models; .ci/run looks at a run with the models that learn from all stores, which takes minutes.
TEST_F(RealData, RossmannForecastsAllStoresBetterThanTheBars) {
  std::ofstream(shop() / "tillcast.toml", std::ios::app)
      << "[[forecast.plan]]\nname = \"store_daily\"\nmeasure = \"sales\"\nby = [\"store\"]\n"
         "frequency = \"daily\"\nhorizon = 42\nmetric = \"rmspe\"\nglobal = \"off\"\n";
  const auto result =
      tillcast({"run", "--data", shop().string(), "--input", (datasets_ / "rossmann/train.csv").string(),
                "--input", (datasets_ / "rossmann/store.csv").string()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("1,017,209 rows in = 1,017,209 silver.store_day + 0 rejects"));
  EXPECT_EQ(sql("SELECT count(*) FROM forecast_series WHERE plan = 'store_daily'"), "1115\n");
  EXPECT_EQ(sql("SELECT min(n), max(n) FROM (SELECT count(*) AS n FROM forecast_point WHERE plan = "
                "'store_daily' GROUP BY series_id)"),
            "42,42\n");
  EXPECT_EQ(sql("SELECT rmspe <= 0.135 AND coverage80 BETWEEN 0.76 AND 0.84 AND coverage95 BETWEEN 0.925 AND "
                "0.97 FROM forecast_run WHERE plan = 'store_daily'"),
            "true\n")
      << sql("SELECT rmspe, coverage80, coverage95 FROM forecast_run");
  EXPECT_EQ(sql("SELECT count(*) FROM forecast_point WHERE mean < 0 OR lo95 > lo80 OR lo80 > mean OR mean > "
                "hi80 OR hi80 > hi95"),
            "0\n");
}

}  // namespace
}  // namespace tillcast::test
