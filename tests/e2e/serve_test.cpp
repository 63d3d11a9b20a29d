#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "e2e/job_client.h"

namespace tillcast::test {
namespace {

using ::testing::HasSubstr;

class Serve : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TempDir;
    make_forecast_shop(*folder_, 2, 10, 400);
  }
  static void TearDownTestSuite() { delete folder_; }
  static std::filesystem::path shop() { return folder_->file("shop"); }
  static inline TempDir* folder_ = nullptr;
};

TEST_F(Serve, AnswersHealthKpisSeriesAndForecasts) {
  RunningServer server(shop());
  ASSERT_GT(server.port(), 0);
  EXPECT_THAT(http(server.port(), "GET", "/livez"), HasSubstr("200 OK"));
  EXPECT_THAT(http(server.port(), "GET", "/readyz"), HasSubstr("200 OK"));
  EXPECT_THAT(http(server.port(), "GET", "/openapi.json"), HasSubstr("\"openapi\""));
  EXPECT_THAT(http(server.port(), "GET", "/api/v1/kpis"), HasSubstr("net_sales"));
  EXPECT_THAT(http(server.port(), "GET", "/api/v1/series?plan=total_daily&limit=3"),
              HasSubstr("total_daily/total"));
  const std::string history = http(server.port(), "GET", "/api/v1/series/total_daily%2Ftotal");
  EXPECT_THAT(history, HasSubstr("200 OK"));
  EXPECT_THAT(history, HasSubstr("history"));
  const std::string forecast =
      http(server.port(), "POST", "/api/v1/forecast",
           R"({"items":[{"series_id":"total_daily/total"},{"series_id":"none"}],"horizon":7})");
  EXPECT_THAT(forecast, HasSubstr("200 OK"));
  std::size_t dates = 0;
  for (std::size_t at = 0; (at = forecast.find("\"date\"", at)) != std::string::npos; ++at) ++dates;
  EXPECT_EQ(dates, 7U) << "7 days are 7 points; the unknown series has none";
  EXPECT_THAT(http(server.port(), "GET", "/"), HasSubstr("<html"));
  EXPECT_EQ(server.stop(SIGTERM), 0);
}

TEST_F(Serve, OtherCommandsWorkThroughTheOwner) {
  RunningServer server(shop());
  ASSERT_GT(server.port(), 0);
  const auto counted = tillcast(
      {"sql", "--data", shop().string(), "--format", "csv", "SELECT count(*) > 0 AS some FROM fact_order"});
  EXPECT_EQ(counted.exit_code, 0) << counted.err;
  EXPECT_EQ(counted.out, "some\ntrue\n");
  const auto wrong = tillcast({"sql", "--data", shop().string(), "SELECT nothing"});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.err, HasSubstr("nothing"));
  const auto more = folder_->write("more.csv",
                                   "product_id,product_name,product_price,store_id,store_name,quantity,"
                                   "date\n1,Tea,2.50,7,North,3,2024-01-02\n");
  const auto loaded =
      tillcast({"run", "--data", shop().string(), "--input", "more.csv"},
               {.environment = {}, .directory = folder_->path(), .kill_after = {}, .at_kill = {}});
  EXPECT_EQ(loaded.exit_code, 0) << loaded.err;
  EXPECT_THAT(loaded.err, HasSubstr("1 rows in = 1 silver.sale_line"));
  const auto second_owner = tillcast({"serve", "--port", "0", "--data", shop().string()});
  EXPECT_EQ(second_owner.exit_code, 1);
  EXPECT_THAT(second_owner.err, HasSubstr(std::to_string(server.pid())));
}

TEST_F(Serve, AfterKillNineTheNextStartServesAgain) {
  {
    RunningServer server(shop());
    ASSERT_GT(server.port(), 0);
    server.stop(SIGKILL);
  }
  RunningServer again(shop());
  ASSERT_GT(again.port(), 0);
  EXPECT_THAT(http(again.port(), "GET", "/readyz"), HasSubstr("200 OK"));
}

}  // namespace
}  // namespace tillcast::test
