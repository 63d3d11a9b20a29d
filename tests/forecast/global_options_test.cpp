#include "forecast/global_options.h"

#include "support/result_matchers.h"

namespace tillcast::forecast {
namespace {

TEST(GlobalOptions, ReadsBackWhatItWrites) {
  ASSERT_OK_AND_ASSIGN(
      const GlobalModelOptions options,
      parse_global_options("rounds=120 rate=0.08, leaves=63 columns=0.15 rows=0.9 leaf=30 l2=0 "
                           "half_life=365 seeds=3 power=1 stop=20 aim=rmspe drop=own_*"));
  EXPECT_EQ(options.booster.rounds, 120);
  EXPECT_EQ(options.booster.learning_rate, 0.08);
  EXPECT_EQ(options.booster.leaves, 63);
  EXPECT_EQ(options.booster.column_share, 0.15);
  EXPECT_EQ(options.booster.row_share, 0.9);
  EXPECT_EQ(options.booster.leaf_rows_min, 30);
  EXPECT_EQ(options.booster.l2, 0);
  EXPECT_EQ(options.half_life, 365);
  EXPECT_EQ(options.seeds, 3);
  EXPECT_EQ(options.booster.tweedie_power, 1);
  EXPECT_EQ(options.booster.early_stopping_rounds, 20);
  EXPECT_EQ(options.aim, Metric::kRmspe);
  ASSERT_OK_AND_ASSIGN(const GlobalModelOptions again, parse_global_options(format_global_options(options)));
  EXPECT_EQ(format_global_options(again), format_global_options(options));
  EXPECT_TRUE(format_global_options(options).ends_with(" power=1 stop=20 aim=rmspe drop=own_*"));
  EXPECT_EQ(again.left_out, options.left_out);
}

TEST(GlobalOptions, WhatIsNotNamedStaysAndColumnsAreLeftOut) {
  GlobalModelOptions start;
  start.booster.rounds = 7;
  ASSERT_OK_AND_ASSIGN(const GlobalModelOptions options,
                       parse_global_options("  drop=own_* drop=month ", start));
  EXPECT_EQ(options.booster.rounds, 7);
  EXPECT_EQ(options.left_out, (std::vector<std::string>{"own_*", "month"}));
}

TEST(GlobalOptions, NamesWhatItDoesNotKnow) {
  EXPECT_ERROR(parse_global_options("depth=4"), ErrorCode::kInvalidInput, "there are rounds, rate, leaves");
  EXPECT_ERROR(parse_global_options("rate=0"), ErrorCode::kInvalidInput, "from 0.001 to 1, found '0'");
  EXPECT_ERROR(parse_global_options("rounds=1.5"), ErrorCode::kInvalidInput, "a whole number");
  EXPECT_ERROR(parse_global_options("rounds"), ErrorCode::kInvalidInput, "found ''");
  EXPECT_ERROR(parse_global_options("aim=wape"), ErrorCode::kInvalidInput, "expected rmspe, mape or rmse");
  EXPECT_ERROR(parse_global_options("rounds=nan"), ErrorCode::kInvalidInput, "rounds");
}

}  // namespace
}  // namespace tillcast::forecast
