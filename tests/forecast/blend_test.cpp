#include "forecast/blend.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "forecast/blend_backtest.h"
#include "forecast/forecast.h"
#include "forecast/top_level_scaling.h"
#include "generated_series.h"

namespace tillcast::forecast {
namespace {

using enum ModelId;

TEST(Blend, TakesTheBestOfEachFamilyAndWeighsItByItsError) {
  const std::array models = {kSeasonalNaive, kMovingAverage, kTsb, kDynamicTheta};
  const std::array scores = {0.0, -0.2, -0.3, -0.25};
  const std::vector<double> weights = blend_weights(models, scores, BlendOptions{.power = 5});
  EXPECT_EQ(weights[0], 0);  // benchmarks are no members
  EXPECT_EQ(weights[1], 0);  // tsb is the better level
  EXPECT_NEAR(weights[3] / weights[2], std::exp(-5 * 0.05), 1e-12);
  EXPECT_NEAR(weights[2] + weights[3], 1, 1e-12);
}

TEST(Blend, UsesOneModelAloneWhenItIsFarBetterOrNoBetterThanTheNaive) {
  const std::array models = {kSeasonalNaive, kMovingAverage, kDynamicTheta};
  EXPECT_EQ(blend_weights(models, std::array{0.0, -1.0, -0.1}, {}), (std::vector<double>{0, 1, 0}));
  EXPECT_EQ(blend_weights(models, std::array{0.0, 0.001, -0.001}, {}), (std::vector<double>{1, 0, 0}));
}

TEST(Blend, LeavesOutRefusedModelsAndIsEmptyWithoutAny) {
  const std::array models = {kMovingAverage, kDynamicTheta};
  EXPECT_EQ(blend_weights(models, std::array<double, 2>{NAN, -0.1}, {}), (std::vector<double>{0, 1}));
  EXPECT_EQ(blend_weights(models, std::array<double, 2>{NAN, NAN}, {}), (std::vector<double>{0, 0}));
}

TEST(Blend, CombinesAsAskedAndDoesNotReadRowsOfNoWeight) {
  const std::vector<double> a = {1}, b = {2}, c = {9}, unread = {NAN};
  const std::array<std::span<const double>, 4> rows = {a, b, c, unread};
  const std::array third = {1 / 3.0, 1 / 3.0, 1 / 3.0, 0.0};
  std::vector<double> out(1);
  combine(rows, third, BlendKind::kMean, out);
  EXPECT_NEAR(out[0], 4, 1e-12);
  combine(rows, third, BlendKind::kMedian, out);
  EXPECT_EQ(out[0], 2);
}

std::vector<Series> noisy_panel() {
  std::vector<Series> series;
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    test::Noise u(seed);
    std::vector<double> values;
    for (std::size_t t = 0; t < 300; ++t) values.push_back(20 * test::kWeek[t % 7] * (0.5 + u()));
    series.push_back(test::daily_series(std::move(values)));
  }
  return series;
}

TEST(Blend, ColumnAtAnOriginKnowsOnlyTheOriginsBefore) {
  const std::vector<Series> series = noisy_panel();
  BacktestOptions options;
  options.horizon = 14;
  const std::vector<std::uint8_t> all(series.size(), 1);
  const auto column = [&](bool spoil_newest) {
    std::vector<Series> own = series;
    std::vector<SeriesBacktest> tests;
    for (Series& one : own) {
      tests.push_back(
          backtest(one, std::array{kSeasonalNaive, kMovingAverage, kDynamicTheta, kAutoEts}, options));
      if (spoil_newest)  // what came after the newest origin must not reach its weights
        for (std::size_t s = 0; s < 14; ++s)
          one.value[tests.back().period(0, s)] = 1000.0 * static_cast<double>(s);
    }
    ChoiceOptions choice;
    choice.metric = Metric::kRmse;
    add_blend(own, all, all, choice, options, tests, NoProgress());
    const auto steps = tests[0].forecast(tests[0].models.size() - 1, 0);
    return std::vector<float>(steps.begin(), steps.end());
  };
  EXPECT_EQ(column(false), column(true));
}

TEST(Blend, OfARunIsTheWeighedSumOfItsMembersForecasts) {
  ForecastOptions options;
  options.backtest.horizon = 14;
  options.threads = 1;
  options.choice.metric = Metric::kRmse;
  options.choice.blend.kind = BlendKind::kMean;
  NoProgress progress;
  const std::vector<Series> series = noisy_panel();
  const auto forecast = [&](std::vector<ModelId> models) {
    options.models = std::move(models);
    auto run = forecast_all(series, options, progress);
    EXPECT_TRUE(run);
    return run->series[0];
  };
  const SeriesForecast blend = forecast({kMovingAverage, kDynamicTheta, kBlend});
  ASSERT_EQ(blend.model, kBlend) << blend.reason;
  const SeriesForecast average = forecast({kMovingAverage});
  const SeriesForecast theta = forecast({kDynamicTheta});
  for (std::size_t s = 0; s < 14; ++s)
    EXPECT_NEAR(blend.points[s].mean, 0.5 * (average.points[s].mean + theta.points[s].mean), 1e-9);
}

TEST(TopLevelScaling, GoesTheAskedShareOfTheWay) {
  EXPECT_NEAR(scaling_factor(50, 100, 1), 2, 1e-12);
  EXPECT_NEAR(scaling_factor(80, 100, 0.5), std::sqrt(1.25), 1e-12);
  EXPECT_EQ(scaling_factor(1, 100, 1), 2);
  EXPECT_EQ(scaling_factor(0, 100, 1), 1);
  EXPECT_EQ(scaling_factor(50, NAN, 1), 1);
}

TEST(TopLevelScaling, ActsWhereTheSumWasForecastWellAndNotWhereItWasNot) {
  const ScalingTrial low{{10, 20, 30}, {7, 14, 21}, 60};
  EXPECT_EQ(learn_scaling_share(std::array{low, low}), 1);
  const ScalingTrial misled{{10, 20, 30}, {10, 20, 30}, 120};
  EXPECT_EQ(learn_scaling_share(std::array{misled, misled}), 0);
  EXPECT_EQ(learn_scaling_share({}), 0);
}

TEST(TopLevelScaling, FollowsHalfOfTheTrendOfTheTotal) {
  std::vector<Series> series;
  for (std::size_t i = 0; i < 4; ++i) {
    Series one;
    one.grain = Grain::kWeekly;
    one.start = date_from_civil(2024, 1, 1);
    for (std::size_t t = 0; t < 40; ++t) one.value.push_back(10 + static_cast<double>(t));
    one.masked.assign(40, 0);
    series.push_back(std::move(one));
  }
  BacktestOptions options;
  options.horizon = 8;
  const std::vector<std::uint8_t> all(4, 1);
  // Last 8 weeks: 45.5 on average, 3.5 weeks before the end; half of a slope of 1 from there on.
  EXPECT_NEAR(forecast_total(series, all, 0, options), 4 * 8 * (45.5 + 0.5 * (3.5 + 4.5)), 1e-6);
}

}  // namespace
}  // namespace tillcast::forecast
