// Promotion, roll-back and experiments on the command line, through the server that owns the data directory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "e2e/job_client.h"

namespace tillcast::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kStores = 12;

class ModelCommands : public ::testing::Test {
 protected:
  // Three files, each with the days of the one before and four weeks more.
  void SetUp() override {
    for (const char* cut : {"2023-06-19", "2023-07-17", "2023-08-14"}) {
      const auto sales = seven_column_sales(folder_.path(), kStores, 6, 240, "1", cut);
      folder_.write("until-" + std::string(cut) + ".csv", sales.before);
    }
    ASSERT_EQ(tillcast({"init", shop().string()}).exit_code, 0);
    std::ofstream settings(shop() / "tillcast.toml", std::ios::trunc);
    // Nothing is 99 % better than a champion: every later version is a challenger.
    settings << "[forecast]\norigins = 3\ngate_margin_percent = 99\n\n[[forecast.plan]]\nname = "
                "\"shops\"\nmeasure = \"units\"\nby = [\"store\"]\nhorizon = 14\n";
    settings.close();
    EXPECT_THAT(call({"model", "ls"}).err, HasSubstr("no model versions yet; `tillcast forecast fit`"));
    const auto first = call({"run", "--input", folder_.file("until-2023-06-19.csv").string()});
    ASSERT_EQ(first.exit_code, 0) << first.err;
  }
  std::filesystem::path shop() const { return folder_.file("shop"); }

  ProcessResult call(std::vector<std::string> words, const std::string& user = "anna") const {
    words.insert(words.end(), {"--data", shop().string()});
    return tillcast(
        words, {.environment = {"TILLCAST_USER=" + user}, .directory = {}, .kill_after = {}, .at_kill = {}});
  }
  void load(const std::string& until) const {
    const auto loaded = call({"ingest", folder_.file("until-" + until + ".csv").string()});
    ASSERT_EQ(loaded.exit_code, 0) << loaded.err;
    const auto built = call({"build"});
    ASSERT_EQ(built.exit_code, 0) << built.err;
  }
  /// Series by the variant that readers are told.
  static std::map<std::string, int> variants(int port, int expected_version = 0) {
    std::map<std::string, int> count;
    std::string items;
    for (int store = 1; store <= kStores; ++store) {
      const std::string number = std::to_string(1000 + store).substr(1);
      items += (items.empty() ? "" : ",") + std::string(R"({"series_id":"shops/S)") + number + "\"}";
    }
    const auto answer = ask(port, {"POST", "/api/v1/forecast", R"({"horizon":7,"items":[)" + items + "]}"});
    EXPECT_EQ(answer.status, 200) << answer.text;
    if (answer.status != 200) return count;
    EXPECT_EQ(answer.json["failed"].GetInt(), 0) << answer.text;
    for (const auto& item : answer.json["items"].GetArray()) {
      const auto& forecast = item["forecast"];
      ++count[forecast["variant"].GetString()];
      if (expected_version > 0) {
        EXPECT_EQ(forecast["model_version"].GetInt(), expected_version);
      }
    }
    return count;
  }

  TempDir folder_;
};

TEST_F(ModelCommands, AChallengerIsTriedOnAShareSwitchedToAndTakenBackWhileTheServerServes) {
  RunningServer server(shop());
  ASSERT_GT(server.port(), 0);
  const int port = server.port();
  load("2023-07-17");
  const auto fitted = call({"forecast", "fit", "shops"});
  ASSERT_EQ(fitted.exit_code, 0) << fitted.err;
  EXPECT_THAT(fitted.err,
              AllOf(HasSubstr("waits as challenger"), HasSubstr("model promote shops 2 --force")));

  const auto refused = call({"model", "promote", "shops", "2"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("the gate made version 2"), HasSubstr("99 % better"),
                                 HasSubstr("experiment create shops NAME"), HasSubstr("--force")));
  EXPECT_THAT(call({"model", "promote", "shops", "9"}).err, HasSubstr("no version 9; there are: 1, 2"));
  EXPECT_THAT(call({"model", "promote", "shop", "2"}).err, HasSubstr("no forecast plan 'shop'"));
  EXPECT_EQ(get(port, "/api/v1/models/shops").json["champion"].GetInt(), 1) << "nothing of it was done";
  EXPECT_THAT(call({"model", "show", "shops", "2"}).out, HasSubstr("shops version 2, challenger"));
  EXPECT_THAT(call({"model", "diff", "shops", "1", "2"}).out, HasSubstr("data_until"));

  EXPECT_THAT(call({"experiment", "create", "shops", "spring sale"}).err, HasSubstr("'spring sale'"));
  EXPECT_THAT(call({"experiment", "create", "shops", "spring", "--share", "100"}).err, HasSubstr("1 to 99"));
  EXPECT_THAT(call({"experiment", "status", "shop"}).err, HasSubstr("there are some of: shops"));
  const auto created = call({"experiment", "create", "shops", "spring", "--share", "40"});
  ASSERT_EQ(created.exit_code, 0) << created.err;
  EXPECT_THAT(created.out, AllOf(HasSubstr("challenger on 40 % of the series"), HasSubstr("running"),
                                 HasSubstr("no forecasts came due yet")));
  const auto split = variants(port);
  ASSERT_EQ(split.size(), 2U) << "both variants forecast";
  EXPECT_EQ(split.at("champion") + split.at("challenger"), kStores);
  EXPECT_THAT(call({"experiment", "switch", "shops"}).err, HasSubstr("--to challenger"));
  EXPECT_THAT(call({"model", "promote", "shops", "2", "--force"}).err, HasSubstr("experiment 'spring'"));
  EXPECT_THAT(call({"model", "rollback", "shops"}).err, HasSubstr("experiment 'spring'"));

  load("2023-08-14");
  const auto updated = call({"forecast", "update", "shops"});
  ASSERT_EQ(updated.exit_code, 0) << updated.err;
  EXPECT_EQ(variants(port), split) << "the same series, whatever comes";
  const auto status = call({"experiment", "status", "shops"});
  for (const auto& [variant, series] : split) {
    EXPECT_THAT(status.out,
                ::testing::ContainsRegex(variant + " +[12] +" + std::to_string(series) + " +" +
                                         std::to_string(series * 14) + " +0\\.[0-9]+ \\(0\\.[0-9]+ to"))
        << "every series of the variant was measured on the 14 days that were forecast";
  }
  const auto ratio = status.out.find("sample ratio: p = ");
  ASSERT_NE(ratio, std::string::npos) << status.out;
  EXPECT_GT(std::atof(status.out.c_str() + ratio + 18), 0.001);
  EXPECT_THAT(status.out, Not(HasSubstr("split is broken")));

  const auto switched = call({"experiment", "switch", "shops", "--to", "challenger"}, "bert");
  ASSERT_EQ(switched.exit_code, 0) << switched.err;
  EXPECT_EQ(variants(port, 2), (std::map<std::string, int>{{"champion", kStores}}));
  const auto models = get(port, "/api/v1/models/shops");
  EXPECT_EQ(models.json["champion"].GetInt(), 2);
  const auto& change = models.json["changes"][models.json["changes"].Size() - 1];
  EXPECT_STREQ(change["by"].GetString(), "bert");
  EXPECT_STREQ(change["reason"].GetString(), "experiment 'spring'");
  EXPECT_TRUE(models.json["experiments"][0]["ended_at"].IsString());
  EXPECT_THAT(call({"experiment", "status"}).out, HasSubstr("switched to the challenger"));
  EXPECT_THAT(call({"experiment", "stop", "shops"}).err, HasSubstr("no running experiment"));

  const auto back = call({"model", "rollback", "shops", "--reason", "overshoots"});
  ASSERT_EQ(back.exit_code, 0) << back.err;
  EXPECT_EQ(variants(port, 1).at("champion"), kStores);
  const auto forced = call({"model", "promote", "shops", "2", "--force", "--reason", "knows the new shops"});
  ASSERT_EQ(forced.exit_code, 0) << forced.err;
  EXPECT_EQ(forced.out, "version 2 is the champion of shops\n");
  EXPECT_EQ(variants(port, 2).at("champion"), kStores);
  EXPECT_EQ(server.stop(SIGTERM), 0);

  // The same without a server: all of it was stored.
  const auto shown = call({"model", "show", "shops"});
  EXPECT_THAT(shown.out, AllOf(HasSubstr("anna (forced)"), HasSubstr("knows the new shops"),
                               HasSubstr("roll-back: overshoots")));
  EXPECT_EQ(call({"model", "ls", "--verify"}).exit_code, 0);
}

}  // namespace
}  // namespace tillcast::test
