// What the forecast commands say of what is not there, and what they print for programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/civil_time.h"
#include "e2e/job_client.h"

namespace tillcast::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ForecastCommands : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(tillcast({"init", shop().string()}).exit_code, 0);
    std::ofstream(shop() / "tillcast.toml", std::ios::trunc)
        << "[[forecast.plan]]\nname = \"stores\"\nmeasure = \"units\"\nby = [\"store\"]\nhorizon = 7\n";
  }
  std::filesystem::path shop() const { return folder_.file("shop"); }
  ProcessResult call(std::vector<std::string> words) const {
    words.insert(words.end(), {"--data", shop().string()});
    return tillcast(words);
  }
  void load(int days, int quantity) const {
    std::string text = "product_id,product_name,product_price,store_id,store_name,quantity,date\n";
    for (int day = 0; day < days; ++day)
      for (int store = 1; store <= 6; ++store)
        text += "1,Tea,2.50,S" + std::to_string(store) + ",Shop," +
                std::to_string(quantity * (store * 5 + (day * 7919 + store * 31) % 7)) + "," +
                format_date(Date{date_from_civil(2024, 1, 1).days + day}) + "\n";
    const auto done = call({"run", "--input", folder_.write("sales.csv", text).string()});
    ASSERT_EQ(done.exit_code, 0) << done.err;
  }
  TempDir folder_;
};

TEST_F(ForecastCommands, BeforeThereIsAForecastTheySayWhatMakesOne) {
  for (const char* command : {"accuracy", "backtest", "monitor"}) {
    const auto asked = call({"forecast", command});
    EXPECT_EQ(asked.exit_code, 1);
    EXPECT_THAT(asked.err, AllOf(HasSubstr("nothing is forecast yet"), HasSubstr("`tillcast run`")))
        << command;
    EXPECT_THAT(asked.err, Not(HasSubstr("Catalog")));
  }
  EXPECT_THAT(call({"forecast", "accuracy", "stores", "--json", folder_.file("a.json").string()}).err,
              HasSubstr("no forecast plan 'stores'; nothing is forecast yet"));
}

TEST_F(ForecastCommands, NamesThatAreNotThereAreToldAndEveryFormatIsForPrograms) {
  load(60, 1);
  for (const char* command : {"accuracy", "backtest"}) {
    const auto asked = call({"forecast", command, "nosuch"});
    EXPECT_EQ(asked.exit_code, 1);
    EXPECT_THAT(asked.err, HasSubstr("there is no forecast plan 'nosuch'; there are: stores")) << command;
  }
  EXPECT_THAT(call({"forecast", "accuracy"}).out,
              AllOf(HasSubstr("rmspe_seasonal_naive"), Not(HasSubstr("…"))));
  EXPECT_THAT(call({"forecast", "monitor"}).out, AllOf(HasSubstr("coverage80"), HasSubstr("coverage95")));
  EXPECT_EQ(call({"forecast", "monitor", "--series", "stores/S1"}).exit_code, 0);
  EXPECT_THAT(call({"forecast", "monitor", "--series", "stores/none"}).err,
              HasSubstr("no series 'stores/none'"));

  const auto unseen = call({"forecast", "predict", "stores/S01", "--horizon", "2", "--format", "csv"});
  EXPECT_EQ(unseen.exit_code, 0);
  EXPECT_THAT(unseen.err, HasSubstr("never seen: "));
  EXPECT_THAT(unseen.out, StartsWith("date,forecast,low_80,high_80,low_95,high_95\n2024-03-01,"));
  const auto json = call({"forecast", "predict", "stores/S1", "--horizon", "1", "--format", "json"});
  EXPECT_THAT(json.out, StartsWith("[\n {\"date\":\"2024-03-01\",\"forecast\":"));
  const auto nobody = call({"forecast", "predict", "--list", "--search", "zzzz"});
  EXPECT_EQ(nobody.out, "");
  EXPECT_THAT(nobody.err, HasSubstr("no series has 'zzzz'"));

  RunningServer server(shop());
  ASSERT_GT(server.port(), 0);
  EXPECT_THAT(call({"forecast", "fit", "stores2"}).err, Not(HasSubstr("was changed")));
  std::ofstream(shop() / "tillcast.toml", std::ios::app)
      << "[[forecast.plan]]\nname = \"stores2\"\nmeasure = \"units\"\nby = [\"store\"]\n";
  EXPECT_THAT(call({"forecast", "fit", "stores2"}).err,
              AllOf(HasSubstr("there are: stores"),
                    HasSubstr("tillcast.toml was changed since this server read it")));
  EXPECT_EQ(get(server.port(), "/api/v1/alerts?plan=nope").status, 404);
}

TEST_F(ForecastCommands, AFileOfZeroQuantitiesIsSaidToGiveNoForecast) {
  std::ofstream(shop() / "tillcast.toml", std::ios::trunc) << "";
  std::string text = "product_id,product_name,product_price,store_id,store_name,quantity,date\n";
  for (const char* day : {"2024-01-01", "2024-01-02"})
    text += std::string("1,Tea,2.50,1,Shop,0,") + day + "\n";
  const auto done = call({"run", "--input", folder_.write("zero.csv", text).string()});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.err, HasSubstr("nothing is forecast: "));
}

}  // namespace
}  // namespace tillcast::test
