#include "forecast/explain.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "generated_series.h"

namespace tillcast::forecast {
namespace {

double sum_of(const ForecastParts& parts) {
  return std::accumulate(parts.begin(), parts.end(), 0.0,
                         [](double sum, const ForecastPart& part) { return sum + part.value; });
}

double part(const ForecastParts& parts, std::string_view name) {
  const auto at = std::ranges::find(parts, name, &ForecastPart::name);
  return at == parts.end() ? 0 : at->value;
}

BacktestOptions options_for(std::size_t horizon) {
  BacktestOptions options;
  options.horizon = horizon;
  return options;
}

TEST(PartsOfProduct, AddUpDependOnNoOrderAndLeaveNeutralFactorsOut) {
  const ForecastParts factors = {{"level", 200}, {"a", 1.5}, {"b", 0.8}, {"neutral", 1}};
  const ForecastParts parts = parts_of_product(factors);
  EXPECT_NEAR(sum_of(parts), 240, 1e-9);
  EXPECT_EQ(part(parts, "level"), 200);
  EXPECT_EQ(part(parts, "neutral"), 0);
  EXPECT_GT(part(parts, "a"), 0);
  EXPECT_LT(part(parts, "b"), 0);
  const ForecastParts turned = parts_of_product(ForecastParts{{"level", 200}, {"b", 0.8}, {"a", 1.5}});
  EXPECT_NEAR(part(turned, "a"), part(parts, "a"), 1e-9);
  EXPECT_NEAR(sum_of(parts_of_product(ForecastParts{{"level", 200}, {"a", 1.5}, {"b", 0}})), 0, 1e-9);
  EXPECT_NEAR(sum_of(parts_of_product(ForecastParts{{"level", 0}, {"a", 1.5}})), 0, 1e-9);
}

TEST(Explain, TheHistoryIsGivenBackAndPromotionsAndWeekdaysAreSeen) {
  const Series series = test::shop_series(420, 14, 3);
  const auto explained = HistoryExplanation(series, 14, options_for(14)).past(28);
  ASSERT_EQ(explained.size(), 28U);
  double promotion = 0;
  for (std::size_t i = 0; i < 28; ++i) {
    const std::size_t at = 420 - 28 + i;
    EXPECT_NEAR(sum_of(explained[i]), series.value[at], 1e-6 * std::max(1.0, series.value[at]));
    promotion += part(explained[i], "promotion") > 0 ? 1 : 0;
    if (series.promotion[at] == 0) {
      EXPECT_EQ(part(explained[i], "promotion"), 0);
    }
  }
  EXPECT_EQ(promotion, 12) << "six open days in every second week";
}

TEST(Explain, ForecastsAddUpAndNothingIsLearntFromThem) {
  const Series series = test::shop_series(420, 14, 3);
  std::vector<double> steps(14, 900.0);
  steps[6] = steps[13] = 0;  // Sundays
  const HistoryExplanation explanation(series, 14, options_for(14));
  const auto explained = explanation.of(steps);
  ASSERT_EQ(explained.size(), 14U);
  for (std::size_t step = 0; step < 14; ++step) {
    EXPECT_NEAR(sum_of(explained[step]), steps[step], 1e-6);
    EXPECT_EQ(explained[step][0].name, step % 7 == 6 ? "closed" : "level");
  }
  // Ten times the forecast has the same level: what was added is the rest.
  std::vector<double> wild = steps;
  for (double& one : wild) one *= 10;
  const auto other = explanation.of(wild);
  EXPECT_NEAR(part(other[0], "level"), part(explained[0], "level"), 1e-9);
  EXPECT_GT(part(other[0], "rest"), 5000);
}

TEST(Explain, AShortOrEmptyHistoryStillAddsUp) {
  for (const std::vector<double>& values : {std::vector<double>{}, {3}, {0, 0, 0}}) {
    const Series series = test::daily_series(values);
    const std::vector<double> steps = {2, 0, 1.5};
    const auto explained = HistoryExplanation(series, 3, options_for(3)).of(steps);
    ASSERT_EQ(explained.size(), 3U);
    for (std::size_t step = 0; step < 3; ++step) EXPECT_NEAR(sum_of(explained[step]), steps[step], 1e-9);
  }
}

}  // namespace
}  // namespace tillcast::forecast
