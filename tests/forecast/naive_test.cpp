#include "forecast/naive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "forecast/driver_median.h"
#include "forecast/season_product.h"
#include "generated_series.h"

namespace tillcast::forecast {
namespace {

using test::daily_series;
using test::whole_history;
using ::testing::ElementsAre;

TEST(SeasonalNaive, RepeatsTheLastOpenDayOfTheSameWeekday) {
  Series series = daily_series({10, 20, 30, 11, 0, 31});
  series.masked[4] = 1;  // the second 20 was closed
  std::vector<double> out(7);
  seasonal_naive(whole_history(series), 3, out);
  EXPECT_THAT(out, ElementsAre(11, 20, 31, 11, 20, 31, 11));
}

TEST(SeasonalNaive, GivesPlacesNeverSeenTheRecentMean) {
  const Series series = daily_series({4, 6});
  std::vector<double> out(4);
  seasonal_naive(whole_history(series), 3, out);
  EXPECT_THAT(out, ElementsAre(5, 4, 6, 5));
}

TEST(Naive, SkipsClosedDays) {
  Series series = daily_series({4, 6, 0});
  series.masked[2] = 1;
  std::vector<double> out(2);
  naive(whole_history(series), out);
  EXPECT_THAT(out, ElementsAre(6, 6));
  moving_average(whole_history(series), 2, out);
  EXPECT_THAT(out, ElementsAre(5, 5));
}

TEST(DriverMedian, KnowsWeekdayAndPromotionAndIgnoresOutliers) {
  Series series;
  series.start = date_from_civil(2024, 1, 1);
  for (int t = 0; t < 70; ++t) {
    const bool promoted = (t / 7) % 2 == 1;
    series.promotion.push_back(promoted ? 1 : 0);
    series.value.push_back(100.0 + t % 7 + (promoted ? 50 : 0));
  }
  series.value[63] = 1e9;
  series.masked.assign(70, 0);
  series.promotion.insert(series.promotion.end(), {0, 1, -1});
  std::vector<double> out(3);
  driver_median(whole_history(series, 3), {}, out);
  EXPECT_THAT(out, ElementsAre(100, 151, (102 + 152) / 2.0));
}

TEST(DriverMedian, WidensTheCellThatHasTooFewDays) {
  Series series;  // Mondays were never promoted; promotion doubles the other days
  series.start = date_from_civil(2024, 1, 1);
  for (int t = 0; t < 70; ++t) {
    const bool promoted = t % 7 != 0 && (t / 7) % 2 == 1;
    series.promotion.push_back(promoted ? 1 : 0);
    series.value.push_back(promoted ? 200 : 100);
  }
  series.masked.assign(70, 0);
  series.promotion.push_back(1);
  std::vector<double> out(1);
  driver_median(whole_history(series, 1), {}, out);
  EXPECT_DOUBLE_EQ(out[0], 200) << "Monday's 100 times the effect of promotions";
}

TEST(SeasonProduct, FindsWeekdayMonthAndGrowth) {
  Series series;
  series.start = date_from_civil(2020, 1, 6);
  const auto truth = [&](std::size_t t) {
    const Date date = series.date_at(t);
    return 80 * test::kWeek[t % 7] * test::kYear[static_cast<std::size_t>(civil_from_date(date).month - 1)] *
           std::exp(0.08 * static_cast<double>(t) / 365.25);
  };
  test::Noise u(11);
  for (std::size_t t = 0; t < 4 * 365; ++t) series.value.push_back(truth(t) * (0.9 + 0.2 * u()));
  series.masked.assign(series.size(), 0);
  std::vector<double> out(92);
  season_product(whole_history(series), out);
  double error = 0;
  for (std::size_t s = 0; s < out.size(); ++s) error += std::abs(out[s] / truth(series.size() + s) - 1) / 92;
  EXPECT_LT(error, 0.02);
}

}  // namespace
}  // namespace tillcast::forecast
