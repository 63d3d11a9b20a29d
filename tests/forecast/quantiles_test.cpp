#include "forecast/quantiles.h"

#include <gtest/gtest.h>

#include <cmath>

#include "forecast/forecast.h"
#include "forecast/history_quantiles.h"
#include "generated_series.h"
#include "support/result_matchers.h"

namespace tillcast::forecast {
namespace {

/// Units a day that come in bursts: 0 on most days, geometric sizes, more on Saturdays.
Series count_series(std::size_t days, std::uint32_t seed) {
  test::Noise u(seed);
  const double share = 0.2 + 0.4 * u();
  std::vector<double> values;
  for (std::size_t t = 0; t < days; ++t) {
    const double sold = t % 7 == 5 ? std::min(1.0, 1.8 * share) : share;
    const bool any = u() < sold;
    const double size = 1 + std::floor(std::log(u() + 1e-9) / std::log(0.45));
    values.push_back(any ? size : 0);
  }
  return test::daily_series(values);
}

TEST(Quantiles, RefuseSharesThatAreNone) {
  EXPECT_STREQ(find_share_fault(kDefaultQuantileShares), "");
  EXPECT_STRNE(find_share_fault(std::vector<double>{0.1, 0.1}), "");
  EXPECT_STRNE(find_share_fault(std::vector<double>{0.0, 0.5}), "");
  EXPECT_STRNE(find_share_fault(std::vector<double>{0.5, 1.0}), "");
}

TEST(Quantiles, InterpolateBetweenAndHoldBeyond) {
  const std::vector<double> shares = {0.1, 0.5, 0.9};
  const std::vector<float> values = {1, 3, 11};
  EXPECT_DOUBLE_EQ(interpolate_quantile(shares, values, 0.3), 2);
  EXPECT_DOUBLE_EQ(interpolate_quantile(shares, values, 0.5), 3);
  EXPECT_DOUBLE_EQ(interpolate_quantile(shares, values, 0.01), 1);
  EXPECT_DOUBLE_EQ(interpolate_quantile(shares, values, 0.99), 11);
}

TEST(HistoryQuantiles, GiveRecentValuesAndTheSameWeekdayMoreWeight) {
  std::vector<double> values;
  for (std::size_t t = 0; t < 140; ++t) values.push_back(t % 7 == 0 ? 50 : t < 70 ? 1 : 9);
  const Series series = test::daily_series(values);
  const History history = test::whole_history(series);
  const HistoryQuantiles quantiles(history, {.half_life = 10});
  const std::vector<double> shares = {0.1, 0.5, 0.9};
  std::vector<double> out(3);
  quantiles.quantiles(1, shares, out);  // not the weekday of the 50s
  EXPECT_EQ(out, (std::vector<double>{9, 9, 9}));
  quantiles.quantiles(0, shares, out);
  EXPECT_EQ(out[2], 50);
  EXPECT_EQ(out[1], 9);
  EXPECT_TRUE(quantiles.whole_numbers());
  EXPECT_EQ(HistoryQuantiles::moved(0, 5), 0) << "a day without sales stays one";
  EXPECT_EQ(HistoryQuantiles::moved(2, -5), 0);
}

TEST(Quantiles, OfCountsAreWholeNonCrossingAndHoldTheirShare) {
  constexpr std::size_t kDays = 500;
  constexpr std::size_t kAhead = 14;
  std::vector<Series> known;
  std::vector<Series> complete;
  for (std::uint32_t seed = 1; seed <= 120; ++seed) {
    complete.push_back(count_series(kDays + kAhead, seed));
    known.push_back(complete.back());
    known.back().value.resize(kDays);
    known.back().masked.resize(kDays);
  }
  ForecastOptions options;
  options.backtest.horizon = kAhead;
  options.models = {ModelId::kSeasonalNaive, ModelId::kTsb};
  options.threads = 1;
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const ForecastRun run, forecast_all(known, options, progress));
  ASSERT_EQ(run.quantile_shares.size(), kDefaultQuantileShares.size());
  const std::size_t shares = run.quantile_shares.size();
  std::vector<QuantileAccuracy> scores(shares);
  std::vector<double> below(shares, 0.0);
  for (std::size_t i = 0; i < known.size(); ++i) {
    const std::vector<float>& quantiles = run.series[i].quantiles;
    ASSERT_EQ(quantiles.size(), kAhead * shares);
    for (std::size_t step = 0; step < kAhead; ++step)
      for (std::size_t q = 0; q < shares; ++q) {
        const float value = quantiles[step * shares + q];
        EXPECT_EQ(value, std::floor(value));
        EXPECT_GE(value, q == 0 ? 0 : quantiles[step * shares + q - 1]);
        const double actual = complete[i].value[kDays + step];
        scores[q].add(actual, static_cast<double>(value), run.quantile_shares[q], {});
        below[q] += actual < static_cast<double>(value) ? 1 : 0;
      }
  }
  for (std::size_t q = 0; q < shares; ++q) {
    // For counts the share lies between what is below and what is at or below the quantile.
    SCOPED_TRACE(run.quantile_shares[q]);
    EXPECT_GE(scores[q].share_below() + 0.03, run.quantile_shares[q]);
    EXPECT_LE(below[q] / static_cast<double>(scores[q].count) - 0.03, run.quantile_shares[q]);
  }
  ASSERT_FALSE(run.coverage.empty());
  EXPECT_EQ(run.coverage[0].quantiles.size(), shares);
  EXPECT_GT(run.coverage[0].quantiles[0].count, 0U);
  const auto of_class = static_cast<std::size_t>(DemandClass::kIntermittent);
  EXPECT_LT(run.recipes[of_class].residual_weight, 1) << "the history of counts tells more than residuals";
}

TEST(Quantiles, AtOtherSharesAgreeWithTheIntervals) {
  std::vector<Series> series;
  for (std::uint32_t seed = 1; seed <= 10; ++seed) series.push_back(test::shop_series(400, 28, seed));
  ForecastOptions options;
  options.backtest.horizon = 28;
  options.models = {ModelId::kSeasonalNaive, ModelId::kDriverMedian};
  options.quantile_shares = {0.1, 0.5, 0.9};
  options.threads = 1;
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const ForecastRun run, forecast_all(series, options, progress));
  for (const SeriesForecast& one : run.series) {
    ASSERT_EQ(one.quantiles.size(), 28U * 3);
    for (std::size_t step = 0; step < 28; ++step) {
      const ForecastPoint& point = one.points[step];
      if (point.closed) {
        EXPECT_EQ(one.quantiles[step * 3 + 2], 0);
        continue;
      }
      EXPECT_NEAR(one.quantiles[step * 3 + 2], std::max(point.hi80, 0.0), 1e-3 * point.hi80 + 1e-3);
      EXPECT_GT(one.quantiles[step * 3 + 1], 0);
    }
  }
  options.quantile_shares = {0.9, 0.1};
  EXPECT_FALSE(forecast_all(series, options, progress));
}

}  // namespace
}  // namespace tillcast::forecast
