#include "forecast/future_drivers.h"

#include <gtest/gtest.h>

namespace tillcast::forecast {
namespace {

// Promotions Monday to Friday of every second week, closed on Sundays.
Series fortnightly(std::size_t days) {
  Series series;
  series.start = date_from_civil(2024, 1, 1);  // a Monday
  for (std::size_t day = 0; day < days; ++day) {
    const bool sunday = day % 7 == 6;
    series.value.push_back(sunday ? 0 : 100);
    series.masked.push_back(sunday ? 1 : 0);
    series.promotion.push_back(day % 14 < 5 ? 1 : 0);
  }
  return series;
}

TEST(FutureDrivers, CarriesAFortnightlyRhythmOn) {
  Series series = fortnightly(200);
  EXPECT_EQ(extend_promotions(series, 42), PromotionPlan::kInferred);
  ASSERT_EQ(series.promotion.size(), 242U);
  for (std::size_t day = 200; day < 242; ++day) EXPECT_EQ(series.promotion[day], day % 14 < 5 ? 1 : 0) << day;
}

TEST(FutureDrivers, KeepsWhatIsKnownAhead) {
  Series series = fortnightly(200);
  for (std::size_t day = 0; day < 42; ++day) series.promotion.push_back(static_cast<std::int8_t>(day % 2));
  const auto before = series.promotion;
  EXPECT_EQ(extend_promotions(series, 42), PromotionPlan::kKnown);
  EXPECT_EQ(series.promotion, before);
  series.promotion.resize(210);
  EXPECT_EQ(extend_promotions(series, 42), PromotionPlan::kInferred);
  EXPECT_TRUE(std::equal(before.begin(), before.begin() + 210, series.promotion.begin()));
}

TEST(FutureDrivers, InventsNoPlanWithoutARhythm) {
  Series series = fortnightly(200);
  std::uint32_t state = 7;
  for (auto& flag : series.promotion) {
    state = state * 1664525 + 1013904223;
    flag = static_cast<std::int8_t>(state >> 31);
  }
  EXPECT_EQ(extend_promotions(series, 42), PromotionPlan::kUnknown);
  EXPECT_EQ(series.promotion.size(), 200U);
  Series plain = fortnightly(200);
  plain.promotion.assign(200, 0);
  EXPECT_EQ(extend_promotions(plain, 42), PromotionPlan::kNone);
}

}  // namespace
}  // namespace tillcast::forecast
