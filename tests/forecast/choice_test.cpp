#include "forecast/choice.h"

#include <gtest/gtest.h>

#include "generated_series.h"

namespace tillcast::forecast {
namespace {

SeriesBacktest run(const Series& series, std::size_t horizon) {
  BacktestOptions options;
  options.horizon = horizon;
  return backtest(series, default_models(DemandClass::kSmooth, Grain::kDaily), options);
}

std::string_view chosen_name(const std::vector<Series>& series, std::size_t horizon) {
  std::vector<SeriesBacktest> tests;
  for (const Series& one : series) tests.push_back(run(one, horizon));
  const auto chosen = choose_models(series, tests, 0, 3, {});
  return chosen[0] ? model(tests[0].models[*chosen[0]]).name : "none";
}

TEST(Choice, TakesTheDriverMedianWhereAPromotionRulesDemand) {
  EXPECT_EQ(chosen_name({test::shop_series(700, 42, 1), test::shop_series(700, 42, 2)}, 42), "driver_median");
}

TEST(Choice, TakesTheCalendarProductWhereTheYearRulesDemand) {
  Series series;
  series.start = date_from_civil(2020, 1, 6);
  test::Noise u(3);
  for (std::size_t t = 0; t < 1400; ++t) {
    const auto month = static_cast<std::size_t>(civil_from_date(series.date_at(t)).month - 1);
    series.value.push_back(80 * test::kWeek[t % 7] * test::kYear[month] * (0.8 + 0.4 * u()));
  }
  series.masked.assign(series.size(), 0);
  EXPECT_EQ(chosen_name({series}, 60), "season_product");
}

TEST(Choice, GivesATieToTheSimplerModel) {
  EXPECT_EQ(chosen_name({test::daily_series(std::vector<double>(300, 20.0))}, 14), "seasonal_naive");
}

TEST(Choice, IsNoneWithoutOrigins) { EXPECT_EQ(chosen_name({test::daily_series({1, 2, 3})}, 14), "none"); }

TEST(Choice, FollowsItsClassWhenOneSeriesAloneIsMisleading) {
  // Many series say "seasonal naive is bad"; the one in question had luck with it by a hair.
  std::vector<Series> series;
  for (std::uint32_t seed = 1; seed <= 30; ++seed) series.push_back(test::shop_series(400, 28, seed));
  std::vector<SeriesBacktest> tests;
  for (const Series& one : series) tests.push_back(run(one, 28));
  ChoiceOptions pooled;
  pooled.pooling = 50;
  const auto chosen = choose_models(series, tests, 0, 3, pooled);
  for (std::size_t i = 0; i < series.size(); ++i)
    EXPECT_EQ(tests[i].models[*chosen[i]], tests[0].models[*chosen[0]]);
}

}  // namespace
}  // namespace tillcast::forecast
