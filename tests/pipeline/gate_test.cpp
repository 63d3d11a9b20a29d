// What makes no champion, and lets none go: a refit that knows no new horizon, a cut before the data, no
// series.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "database/database.h"
#include "pipeline/small_shop.h"
#include "support/result_matchers.h"

namespace tillcast::pipeline {
namespace {

using ::testing::HasSubstr;

class Gate : public ::testing::Test {
 protected:
  std::filesystem::path shop() const { return small_.folder.file("shop"); }
  std::string points() const {
    const auto found = small_.engine->sql(
        "SELECT count(*), sum(hash(series_id, business_date, mean, lo80, hi95)) FROM forecast_point", 0);
    return found ? found->text(0, 0) + " " + found->text(0, 1) : found.error().message;
  }
  void reopen(const std::vector<std::string>& settings) {
    small_.engine.reset();
    auto config = load_settings(shop(), {}, settings);
    ASSERT_OK(config);
    auto opened = Engine::open(shop(), std::move(*config));
    ASSERT_OK(opened);
    small_.engine = std::move(*opened);
  }
  void expect_one_champion() const {
    for (const char* plan : {"stores", "all"}) {
      ASSERT_OK_AND_ASSIGN(const auto models, small_.engine->models_of(plan, 0));
      EXPECT_EQ(models.versions.size(), 1U);
      EXPECT_EQ(models.aliases.champion, 1);
    }
  }

  test::SmallShop small_;
};

class Notes final : public StageObserver {
 public:
  void note(const std::string& line) override { all += line + "\n"; }
  std::string all;
};

TEST_F(Gate, ARefitSoonerThanOneHorizonTiesAndTheChampionStays) {
  small_.run("more.csv", 180, 186);
  StageObserver silent;
  ASSERT_OK_AND_ASSIGN(const auto fitted, small_.engine->fit_forecasts({}, silent));
  ASSERT_EQ(fitted.size(), 2U);
  for (const auto& plan : fitted) {
    EXPECT_EQ(plan.fitted_version, 2);
    EXPECT_EQ(plan.model_version, 1);
    EXPECT_THAT(plan.verdict, HasSubstr("a tie: "));
    EXPECT_THAT(plan.verdict, HasSubstr("better in 50 %"));
    ASSERT_OK_AND_ASSIGN(const auto models, small_.engine->models_of(plan.plan, 0));
    EXPECT_EQ(models.aliases.champion, 1);
    EXPECT_EQ(models.aliases.challenger, 2);
    EXPECT_EQ(models.versions[0].metrics.at("gate_champion_ratio"), 1);
  }
}

TEST_F(Gate, ACutBeforeTheDataIsAnErrorAndTheChampionStays) {
  const std::string before = points();
  reopen({"forecast.cut=1999-01-01"});
  StageObserver silent;
  for (const bool fits : {false, true}) {
    const auto done =
        fits ? small_.engine->fit_forecasts({}, silent) : small_.engine->update_forecasts({}, silent);
    EXPECT_ERROR(done, ErrorCode::kInvalidInput, "up to the cut 1999-01-01; the data begin on 2023-01-02");
  }
  expect_one_champion();
  EXPECT_EQ(points(), before);
}

TEST_F(Gate, APlanThatHasLostItsSeriesKeepsItsChampionAndSaysSo) {
  const std::string before = points();
  small_.engine.reset();
  {
    ASSERT_OK_AND_ASSIGN(auto database, database::Database::open(shop() / "warehouse.duckdb"));
    ASSERT_OK_AND_ASSIGN(auto connection, database.connect());
    ASSERT_OK(connection.execute("DELETE FROM demand_daily"));
  }
  reopen({});
  Notes notes;
  ASSERT_OK_AND_ASSIGN(const auto reports, small_.engine->fit_forecasts({}, notes));
  EXPECT_THAT(notes.all, HasSubstr("stores: no series has sales; version 1 and its forecasts are kept"));
  EXPECT_EQ(reports.at(0).fitted_version, 0);
  EXPECT_EQ(reports.at(0).model_version, 1);
  EXPECT_EQ(reports.at(0).series, 3);
  EXPECT_TRUE(reports.at(0).unchanged);
  expect_one_champion();
  EXPECT_EQ(points(), before);
}

}  // namespace
}  // namespace tillcast::pipeline
