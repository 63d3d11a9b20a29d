#include "registry/experiment.h"

#include <gtest/gtest.h>

#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::registry {
namespace {

Experiment experiment(int share, const std::string& salt = "s") {
  return {"spring", "shops", 1, 2, share, salt, "2026-01-01T00:00:00Z", "", ""};
}

int challengers(const Experiment& asked, int series) {
  int count = 0;
  for (int i = 0; i < series; ++i) count += in_challenger_share(asked, "shops/" + std::to_string(i)) ? 1 : 0;
  return count;
}

TEST(Experiment, SplitsByIdAndShareAloneAndTheSameEveryTime) {
  EXPECT_NEAR(challengers(experiment(50), 10'000), 5000, 200);
  EXPECT_NEAR(challengers(experiment(10), 10'000), 1000, 120);
  // Known answers: another hash, order or machine would move series between the variants.
  std::string split;
  for (int i = 0; i < 24; ++i)
    split += in_challenger_share(experiment(50), "shops/" + std::to_string(i)) ? '1' : '0';
  EXPECT_EQ(split, "011101110011001100011011");
}

TEST(Experiment, AnotherSaltSplitsIndependently) {
  int both = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string id = "shops/" + std::to_string(i);
    both += in_challenger_share(experiment(50), id) && in_challenger_share(experiment(50, "t"), id) ? 1 : 0;
  }
  EXPECT_NEAR(both, 2500, 200);
}

TEST(Experiment, SampleRatioCheckKnowsAFairSplitFromABrokenOne) {
  // chi-square of 520 : 480 at one half is 1.6; its upper tail with one degree of freedom is 0.2059.
  EXPECT_NEAR(sample_ratio_probability(520, 480, 50), 0.2059, 1e-4);
  EXPECT_LT(sample_ratio_probability(600, 400, 50), 0.001);
  EXPECT_NEAR(sample_ratio_probability(900, 100, 10), 1, 1e-12);
  EXPECT_EQ(sample_ratio_probability(0, 0, 50), 1);
}

TEST(Experiment, StateIsStoredWhole) {
  const test::TempDir dir;
  EXPECT_TRUE(read_experiments(dir.path()).value().empty());
  Experiment over = experiment(30);
  over.ended_at = "2026-02-01T00:00:00Z";
  over.outcome = "stopped: \"enough\"";
  ASSERT_OK(store_experiments(dir.path(), {over, experiment(50)}));
  ASSERT_OK_AND_ASSIGN(const auto found, read_experiments(dir.path()));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].outcome, over.outcome);
  EXPECT_FALSE(found[0].running());
  EXPECT_EQ(found[1].share_percent, 50);
  EXPECT_TRUE(found[1].running());
}

}  // namespace
}  // namespace tillcast::registry
