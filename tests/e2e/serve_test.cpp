#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
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
  // The server has no part in what the user pipes into a command.
  const auto piped =
      run_process({"/bin/sh", "-c", "echo 'SELECT 40 + 2 AS n' | \"$0\" sql -f - --data \"$1\"",
                   TILLCAST_BINARY, shop().string()});
  EXPECT_EQ(piped.exit_code, 0) << piped.err;
  EXPECT_EQ(piped.out, "n\n42\n");
  const auto unknown = tillcast({"forecast", "backtest", "nothing", "--data", shop().string()});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("there is no forecast plan 'nothing'"));
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

TEST_F(Serve, QuantilesAndSumsAreTheSameOverHttpAndTheCommandLine) {
  RunningServer server(shop());
  ASSERT_GT(server.port(), 0);
  const std::string id = "total_daily/total";
  const std::string answer =
      http(server.port(), "POST", "/api/v1/forecast",
           R"({"items":[{"series_id":")" + id + R"("}],"horizon":9,"quantiles":[0.1,0.95],"sum":true})");
  EXPECT_THAT(answer, HasSubstr("200 OK"));
  const auto predict = [&id](std::vector<std::string> words) {
    std::vector<std::string> call = {"forecast",      "predict",     id,        "--data",
                                     shop().string(), "--horizon",   "9",       "--format",
                                     "csv",           "--quantiles", "0.95,0.1"};
    call.insert(call.end(), words.begin(), words.end());
    return tillcast(call);
  };
  const auto points = predict({});
  EXPECT_EQ(points.exit_code, 0) << points.err;
  EXPECT_THAT(points.out, HasSubstr("date,forecast,low_80,high_80,low_95,high_95,q0.1,q0.95\n"));
  const auto sum = predict({"--sum"});
  EXPECT_EQ(sum.exit_code, 0) << sum.err;
  EXPECT_THAT(sum.out, HasSubstr("from,to,periods,forecast,low_80,high_80,low_95,high_95,q0.1,q0.95\n"));
  // The last figure of each is the quantile at 0.95.
  const auto figure = [](const std::string& text, std::size_t end) {
    const auto from = text.rfind(text.find("\"value\":") == std::string::npos ? "," : "\"value\":", end);
    return std::strtod(text.c_str() + from + (text[from] == ',' ? 1 : 8), nullptr);
  };
  EXPECT_NEAR(figure(answer, std::string::npos), figure(sum.out, std::string::npos), 0.006);
  EXPECT_NEAR(figure(answer, answer.find("\"sum\"")), figure(points.out, std::string::npos), 0.006);
  const auto stored = tillcast({"sql", "--data", shop().string(), "--format", "csv",
                                "SELECT round(value, 2) AS value FROM forecast_quantile WHERE series_id = "
                                "'total_daily/total' AND share = 0.1 ORDER BY business_date LIMIT 1"});
  const auto first = points.out.find('\n') + 1;
  const std::string line = points.out.substr(first, points.out.find('\n', first) - first);
  const auto last = line.rfind(',');
  EXPECT_EQ(std::strtod(stored.out.c_str() + 6, nullptr),
            std::strtod(&line[line.rfind(',', last - 1) + 1], nullptr));
  const auto refused =
      tillcast({"forecast", "predict", id, "--data", shop().string(), "--quantiles", "0.5,2"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err,
              HasSubstr("--quantiles: expected shares from 0.001 to 0.999 such as 0.1,0.5,0.9, found '2'"));
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
