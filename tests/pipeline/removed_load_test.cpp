// A load that was taken out again, and the champion that had learnt from it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/small_shop.h"
#include "support/result_matchers.h"

namespace tillcast::pipeline {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class Notes final : public StageObserver {
 public:
  void note(const std::string& line) override { all += line + "\n"; }
  std::string all;
};

class RemovedLoad : public ::testing::Test {
 protected:
  static constexpr const char* kWhy = "learnt from commit 2 (absurd.csv), which was taken out";

  // Three weeks of fifty times the sales, and a champion of plan stores that learnt from them; then they go.
  void learn_and_remove() {
    std::string text = "product_id,product_name,product_price,store_id,store_name,quantity,date\n";
    for (int day = 180; day < 201; ++day) {
      for (int store = 1; store <= small_.stores; ++store)
        text += "1,Tea,2.50," + std::to_string(store) + ",Shop " + std::to_string(store) + ",2500," +
                format_date(Date{test::kFirst.days + day}) + "\n";
    }
    test::load_only(*small_.engine, small_.folder.write("absurd.csv", text));
    const std::vector<std::string> plans = {"stores"};
    ASSERT_OK(small_.engine->fit_forecasts(plans, notes_));
    ASSERT_OK(small_.engine->promote_model({"stores", 2, "", "anna", true}, notes_));
    EXPECT_EQ(small_.engine->models_of("stores", 2)->versions.at(0).settings.at("lake_commits"), "2");
    ASSERT_OK(small_.engine->lake_remove("2", notes_));
  }
  PlanReport run() {
    auto report = small_.engine->run({}, notes_);
    EXPECT_OK(report);
    return report ? report->plans.at(0) : PlanReport{};
  }

  test::SmallShop small_;
  Notes notes_;
};

TEST_F(RemovedLoad, ItsChampionIsNoneForTheNextRun) {
  learn_and_remove();
  const std::vector<std::string> plans = {"stores"};
  ASSERT_OK_AND_ASSIGN(const auto updated, small_.engine->update_forecasts(plans, notes_));
  EXPECT_EQ(updated[0].model_version, 2);
  EXPECT_THAT(notes_.all, HasSubstr("champion 2 " + std::string(kWhy) +
                                    "; `tillcast forecast fit stores` makes another"));
  EXPECT_ERROR(small_.engine->refit_series("stores/1", notes_), ErrorCode::kConflict, kWhy);

  const PlanReport after = run();
  EXPECT_EQ(after.model_version, 3) << "although version 1 was fitted on the same data";
  EXPECT_THAT(after.verdict, StartsWith("champion 2 " + std::string(kWhy) + "; "));
  EXPECT_FALSE(small_.engine->models_of("stores", 3)->versions.at(0).metrics.contains("gate_champion_ratio"));
  EXPECT_TRUE(run().unchanged);
}

TEST_F(RemovedLoad, AFitWithoutItWinsThoughItDoesNotBeatTheOldChampion) {
  small_.engine.reset();
  small_.engine = test::open_shop(small_.folder.file("shop"), {"forecast.gate_margin_percent=99"});
  learn_and_remove();
  test::load_only(*small_.engine, small_.folder.write("right.csv", test::sales(180, 201)));
  const std::vector<std::string> plans = {"stores"};
  ASSERT_OK_AND_ASSIGN(const auto fitted, small_.engine->fit_forecasts(plans, notes_));
  EXPECT_EQ(fitted.at(0).fitted_version, 3);
  EXPECT_EQ(fitted.at(0).model_version, 3) << fitted.at(0).verdict;
}

TEST_F(RemovedLoad, OneThatCameAfterTheFitLeavesTheChampion) {
  test::load_only(*small_.engine, small_.folder.write("later.csv", test::sales(180, 187)));
  ASSERT_OK(small_.engine->lake_remove("2", notes_));
  const PlanReport after = run();
  EXPECT_EQ(after.fitted_version, 0);
  EXPECT_EQ(after.model_version, 1);
}

}  // namespace
}  // namespace tillcast::pipeline
