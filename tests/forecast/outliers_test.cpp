#include "forecast/outliers.h"

#include <gtest/gtest.h>

#include "generated_series.h"

namespace tillcast::forecast {
namespace {

TEST(CapOutliers, MovesAHugeOrderToTheLimitAndLeavesTheRest) {
  Series series = test::daily_series(test::reference_series("weekly"));
  series.value[100] = 50'000;
  const CappedValues result = cap_outliers(test::whole_history(series), DemandClass::kSmooth, {});
  EXPECT_EQ(result.capped, 1U);
  EXPECT_LT(result.value[100], 150);
  for (std::size_t i = 0; i < series.size(); ++i)
    EXPECT_EQ(result.value[i] == series.value[i], i != 100) << i;
}

TEST(CapOutliers, KnowsPromotionDaysForWhatTheyAre) {
  Series series = test::daily_series(test::reference_series("weekly"));
  series.promotion.assign(series.size(), 0);
  for (std::size_t i = 0; i < series.size(); i += 14) {
    series.value[i] *= 5;
    series.promotion[i] = 1;
  }
  EXPECT_EQ(cap_outliers(test::whole_history(series), DemandClass::kSmooth, {}).capped, 0U);
}

TEST(CapOutliers, CapsSizesOfRareDemandFromAboveOnly) {
  Series series = test::daily_series(test::reference_series("rare"));
  series.value[60] = 5'000;
  const CappedValues result = cap_outliers(test::whole_history(series), DemandClass::kIntermittent, {});
  EXPECT_EQ(result.capped, 1U);
  EXPECT_LT(result.value[60], 2'500);
  EXPECT_EQ(result.value[61], series.value[61]);
}

TEST(CapOutliers, CanBeSwitchedOff) {
  Series series = test::daily_series(test::reference_series("weekly"));
  series.value[100] = 50'000;
  OutlierOptions off;
  off.enabled = false;
  EXPECT_EQ(cap_outliers(test::whole_history(series), DemandClass::kSmooth, off).capped, 0U);
}

}  // namespace
}  // namespace tillcast::forecast
