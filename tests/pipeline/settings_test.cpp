#include "pipeline/settings.h"

#include <gtest/gtest.h>

#include <regex>

#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::pipeline {
namespace {

TEST(Settings, TheTemplateOfInitIsValidAndChangesNothing) {
  const test::TempDir folder;
  folder.write("tillcast.toml", settings_template());
  ASSERT_OK_AND_ASSIGN(const auto config, load_settings(folder.path(), {}, {}));
  for (const auto& shown : config.show()) EXPECT_EQ(shown.origin, "default") << shown.key;
}

TEST(Settings, EveryLineOfTheTemplateMayBeSwitchedOn) {
  const test::TempDir folder;
  std::string text;
  const std::string commented = settings_template();
  std::size_t from = 0;
  for (std::size_t end; (end = commented.find('\n', from)) != std::string::npos; from = end + 1) {
    std::string line = commented.substr(from, end - from);
    const bool assignment = std::regex_search(line, std::regex("^# [a-z_]+ = "));
    const bool table = line.starts_with("# [[");
    text += (assignment || table ? line.substr(2) : line) + "\n";
  }
  folder.write("tillcast.toml", text);
  ASSERT_OK_AND_ASSIGN(const auto config, load_settings(folder.path(), {}, {}));
  ASSERT_OK_AND_ASSIGN(const auto plans, configured_plans(config));
  ASSERT_EQ(plans.size(), 1U);
  ForecastPlan expected{"product_weekly", "units", {"product"}, "weekly", 8, 500, "auto"};
  expected.drivers = {"promotion"};
  expected.levels = {"total"};
  expected.quantiles = {0.5, 0.99};
  expected.cut = date_from_civil(2015, 6, 19);
  EXPECT_EQ(plans[0], expected);
  ASSERT_OK_AND_ASSIGN(const auto files, configured_driver_files(config));
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(files[0], (DriverFile{"weather.csv", {"temperature"}}));
}

TEST(Settings, PlansAreCheckedWordByWord) {
  const auto plan = [](const std::string& body) {
    const test::TempDir folder;
    folder.write("tillcast.toml", "[[forecast.plan]]\n" + body);
    return load_settings(folder.path(), {}, {});
  };
  EXPECT_ERROR(plan("measure = \"units\"\n"), ErrorCode::kInvalidInput, "needs a name");
  EXPECT_ERROR(plan("name = \"a b\"\n"), ErrorCode::kInvalidInput, "found 'a b'");
  EXPECT_ERROR(plan("name = \"a\"\nhorizn = 3\n"), ErrorCode::kInvalidInput, "did you mean 'horizon'?");
  EXPECT_ERROR(plan("name = \"a\"\nhorizon = 0\n"), ErrorCode::kInvalidInput, "from 1 to 366, found '0'");
  EXPECT_ERROR(plan("name = \"a\"\nfrequency = \"hourly\"\n"), ErrorCode::kInvalidInput,
               "daily, weekly or monthly");
  EXPECT_ERROR(plan("name = \"a\"\ntrees = \"depth=3\"\n"), ErrorCode::kInvalidInput,
               "'a': trees: there is no setting of trees 'depth'");
  EXPECT_ERROR(plan("name = \"a\"\nfrequency = \"weekly\"\ntrees = \"rounds=3\"\n"), ErrorCode::kInvalidInput,
               "daily plans");
  EXPECT_ERROR(plan("name = \"a\"\nmeasure = \"sales\"\nby = [\"product\"]\n"), ErrorCode::kInvalidInput,
               "per store and day only");
  EXPECT_ERROR(plan("name = \"a\"\n[[forecast.plan]]\nname = \"a\"\n"), ErrorCode::kInvalidInput,
               "two [[forecast.plan]]");
  EXPECT_ERROR(plan("name = \"a\"\n[forecast]\ncountry = \"Germny\"\n"), ErrorCode::kInvalidInput,
               "no holiday calendar for 'Germny'");
  EXPECT_ERROR(plan("name = \"a\"\nglobal = \"yes\"\n"), ErrorCode::kInvalidInput, "auto, on, off or blend");
  EXPECT_ERROR(plan("name = \"a\"\nglobal = \"blend\"\nfrequency = \"monthly\"\n"), ErrorCode::kInvalidInput,
               "is for daily plans");
  EXPECT_ERROR(plan("name = \"a\"\nglobal = \"on\"\nfrequency = \"weekly\"\n"), ErrorCode::kInvalidInput,
               "no such model by week");
  EXPECT_ERROR(plan("name = \"a\"\ncut = \"19.6.2015\"\n"), ErrorCode::kInvalidInput, "found '19.6.2015'");
  EXPECT_ERROR(
      plan("name = \"a\"\nquantiles = [0.5, 1]\n"), ErrorCode::kInvalidInput,
      "[[forecast.plan]] 'a': quantiles: expected shares from 0.001 to 0.999 such as 0.1,0.5,0.9, found '1'");
  EXPECT_OK(plan("name = \"a\"\nquantiles = []\n"));
  EXPECT_ERROR(plan("name = \"a\"\n[[forecast.drivers]]\ncolumns = [\"x\"]\n"), ErrorCode::kInvalidInput,
               "needs a file");
  EXPECT_ERROR(plan("name = \"a\"\n[[forecast.drivers]]\nfile = \"w.csv\"\ncategorie = \"x\"\n"),
               ErrorCode::kInvalidInput, "did you mean 'categories'?");
  EXPECT_OK(plan("name = \"a\"\nby = [\"product\", \"store\"]\n"));
}

TEST(Settings, TheTemplateNamesEveryKeyAndMetric) {
  const std::string text = settings_template();
  for (const char* word : {"trees", "cut", "flags", "wape_bias", "mae", "mape", "smape", "rmsse"})
    EXPECT_NE(text.find(word), std::string::npos) << word;
}

TEST(Settings, ValuesThatNothingCanBeMadeOfAreRefused) {
  const auto with = [](const std::vector<std::string>& words) {
    const test::TempDir folder;
    return load_settings(folder.path(), {}, words);
  };
  for (const char* origins : {"0", "1", "101"})
    EXPECT_ERROR(with({std::string("forecast.origins=") + origins}), ErrorCode::kInvalidInput,
                 "must be 2 to 100");
  EXPECT_ERROR(with({"forecast.country=Germany", "forecast.region=ZZ"}), ErrorCode::kInvalidInput,
               "of Germany knows no region 'ZZ'; it knows bw, by");
  EXPECT_ERROR(with({"forecast.country=Denmark", "forecast.region=ZZ"}), ErrorCode::kInvalidInput,
               "knows none");
  EXPECT_OK(with({"forecast.country=Germany", "forecast.region=Bayern"}));
  EXPECT_OK(with({"forecast.country=DE", "forecast.region=BY"}));
  EXPECT_OK(with({"forecast.country=DE", "forecast.region=ZZ", "forecast.holidays=own.csv"}));
}

TEST(Settings, OverridesNeedAKeyAndAValue) {
  const test::TempDir folder;
  const std::string words[] = {"serve.port"};
  EXPECT_ERROR(load_settings(folder.path(), {}, words), ErrorCode::kInvalidInput, "--set takes key=value");
}

}  // namespace
}  // namespace tillcast::pipeline
