#include "forecast/sample_paths.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "forecast/error_windows.h"
#include "forecast/forecast.h"
#include "generated_series.h"
#include "support/result_matchers.h"

namespace tillcast::forecast {
namespace {

constexpr std::size_t kSteps = 14;
constexpr double kCarry = 0.85;

/// Demand of 100 a day with noise that carries on from day to day; about Normal, standard deviation 10.
class Demand {
 public:
  explicit Demand(std::uint32_t seed) : u_(seed) {
    for (int i = 0; i < 50; ++i) next();
  }
  double next() {
    const double normal = (u_() + u_() + u_() + u_() + u_() + u_() - 3) * std::sqrt(2.0);
    noise_ = kCarry * noise_ + std::sqrt(1 - kCarry * kCarry) * normal;
    return 100 + 10 * noise_;
  }

 private:
  test::Noise u_;
  double noise_ = 0;
};

constexpr std::array<double, 9> kShares = {0.005, 0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975, 0.995};
constexpr std::array<double, 9> kNormal = {-2.576, -1.960, -1.282, -0.674, 0, 0.674, 1.282, 1.960, 2.576};

std::vector<float> true_quantiles() {
  std::vector<float> quantiles;
  for (std::size_t step = 0; step < kSteps; ++step)
    for (const double normal : kNormal) quantiles.push_back(static_cast<float>(100 + 10 * normal));
  return quantiles;
}

std::vector<float> carried_errors(std::size_t windows, std::uint32_t seed) {
  std::vector<float> errors;
  for (std::size_t window = 0; window < windows; ++window) {
    Demand demand(seed + static_cast<std::uint32_t>(window) * 7919U);
    for (std::size_t step = 0; step < kSteps; ++step)
      errors.push_back(static_cast<float>(demand.next() - 100));
  }
  return errors;
}

/// Share of true sums over all steps inside [low, high].
double coverage_of_sum(double low, double high) {
  int inside = 0;
  constexpr int kTrials = 4000;
  for (int trial = 0; trial < kTrials; ++trial) {
    Demand demand(100003U * static_cast<std::uint32_t>(trial + 1));
    double sum = 0;
    for (std::size_t step = 0; step < kSteps; ++step) sum += demand.next();
    inside += sum >= low && sum <= high ? 1 : 0;
  }
  return static_cast<double>(inside) / kTrials;
}

TEST(SamplePaths, CoverSumsOfAutocorrelatedDemandWhereSumsOfQuantilesDoNot) {
  const std::vector<double> bounds = {0.1, 0.9};
  for (const std::size_t windows : {400, 6}) {
    SCOPED_TRACE(windows);
    ASSERT_OK_AND_ASSIGN(const SamplePaths paths, sample_paths(kShares, true_quantiles(),
                                                               carried_errors(windows, 11), {.paths = 2000}));
    ASSERT_OK_AND_ASSIGN(const std::vector<double> sum, sum_quantiles(paths, 0, kSteps - 1, bounds));
    EXPECT_NEAR(coverage_of_sum(sum[0], sum[1]), 0.80, windows > 30 ? 0.03 : 0.08);
  }
  const double added = 12.82 * kSteps;  // quantiles of single days added up
  EXPECT_GT(coverage_of_sum(1400 - added, 1400 + added), 0.88);
  const double independent = 12.82 * std::sqrt(static_cast<double>(kSteps));
  EXPECT_LT(coverage_of_sum(1400 - independent, 1400 + independent), 0.5);
}

TEST(SamplePaths, HaveTheQuantilesOfEachStepAndRepeatForASeed) {
  ASSERT_OK_AND_ASSIGN(const SamplePaths paths, sample_paths(kShares, true_quantiles(), carried_errors(50, 3),
                                                             {.paths = 1000, .seed = 5}));
  EXPECT_EQ(paths.count(), 1000U);
  for (std::size_t step = 0; step < kSteps; ++step) {
    const std::vector<double> shares = {0.1, 0.5, 0.9};
    ASSERT_OK_AND_ASSIGN(const std::vector<double> found, sum_quantiles(paths, step, step, shares));
    EXPECT_NEAR(found[0], 87.18, 0.2);
    EXPECT_NEAR(found[1], 100, 0.2);
    EXPECT_NEAR(found[2], 112.82, 0.2);
  }
  ASSERT_OK_AND_ASSIGN(const SamplePaths again, sample_paths(kShares, true_quantiles(), carried_errors(50, 3),
                                                             {.paths = 1000, .seed = 5}));
  EXPECT_EQ(paths.value, again.value);
  ASSERT_OK_AND_ASSIGN(const SamplePaths other, sample_paths(kShares, true_quantiles(), carried_errors(50, 3),
                                                             {.paths = 1000, .seed = 6}));
  EXPECT_NE(paths.value, other.value);
}

TEST(SamplePaths, OfCountsAreCountsAndWithoutErrorsTogether) {
  const std::vector<double> shares = {0.25, 0.5, 0.75};
  const std::vector<float> quantiles = {0, 0, 2, 0, 1, 3};
  ASSERT_OK_AND_ASSIGN(const SamplePaths paths, sample_paths(shares, quantiles, {}, {.paths = 500}));
  double together = 0;
  for (std::size_t path = 0; path < paths.count(); ++path) {
    for (const float value : paths.path(path)) EXPECT_EQ(value, std::floor(value));
    together += paths.path(path)[0] > 0 && paths.path(path)[1] >= 2 ? 1 : 0;
  }
  EXPECT_NEAR(together / 500, 0.4375, 0.01);  // as often as either
}

TEST(PathRanks, GiveTheSumsOfTheirPathsForAnySteps) {
  const auto errors = carried_errors(60, 3);
  const SamplePathOptions options{.paths = 500, .seed = 9};
  const PathRanks ranks(errors, kSteps, kSteps, options);
  ASSERT_OK_AND_ASSIGN(const SamplePaths paths, sample_paths(kShares, true_quantiles(), errors, options));
  const std::vector<double> asked = {0.05, 0.5, 0.95};
  const std::vector<std::size_t> days = {3, 4, 5, 6};
  const auto of_days = [](std::size_t count) {
    std::vector<float> quantiles = true_quantiles();
    quantiles.resize(count * kShares.size());
    return quantiles;
  };
  ASSERT_OK_AND_ASSIGN(const auto by_ranks, sum_quantiles(ranks, kShares, of_days(4), days, asked));
  ASSERT_OK_AND_ASSIGN(const auto by_paths, sum_quantiles(paths, 3, 6, asked));
  for (std::size_t i = 0; i < asked.size(); ++i) EXPECT_NEAR(by_ranks[i], by_paths[i], 0.01);
  const std::vector<std::size_t> apart = {0, 13};
  ASSERT_OK_AND_ASSIGN(const auto far, sum_quantiles(ranks, kShares, of_days(2), apart, asked));
  EXPECT_NEAR(far[1], 200, 3);
  const std::vector<std::size_t> outside = {kSteps};
  EXPECT_FALSE(sum_quantiles(ranks, kShares, of_days(1), outside, asked));
}

TEST(PathRanks, ReachFurtherThanTheErrorsByTheirMeanCorrelation) {
  const PathRanks ranks(carried_errors(60, 3), kSteps, 2 * kSteps, {.paths = 2000});
  std::vector<std::size_t> days(kSteps);
  for (std::size_t i = 0; i < kSteps; ++i) days[i] = kSteps + i;
  const std::vector<double> bounds = {0.1, 0.9};
  ASSERT_OK_AND_ASSIGN(const auto sum, sum_quantiles(ranks, kShares, true_quantiles(), days, bounds));
  EXPECT_NEAR(coverage_of_sum(sum[0], sum[1]), 0.80, 0.08);
}

TEST(ErrorWindows, ComeFromSeriesOfTheClassAndElseFromAllOfTheLevel) {
  ForecastRun run;
  for (int i = 0; i < 8; ++i) {
    SeriesForecast& one = run.series.emplace_back();
    one.demand_class = i < 6 ? DemandClass::kSmooth : DemandClass::kLumpy;
    one.points.resize(2);
    one.errors = {3, 4, -3, 4};
  }
  run.series[5].errors.clear();  // too short for a back-test
  const std::vector<std::string> levels = {"", "", "", "", "", "", "", "total"};
  const auto all = error_windows(run, levels, 500);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(windows_for(all, "", "smooth").errors.size(), 5U * 4);
  EXPECT_EQ(windows_for(all, "", "erratic").errors.size(), 6U * 4);
  EXPECT_EQ(windows_for(all, "total", "erratic").errors.size(), 4U);
  EXPECT_TRUE(windows_for(all, "store", "smooth").errors.empty());
  EXPECT_NEAR(all[0].errors[0], 3 / std::sqrt(12.5), 1e-6);
  EXPECT_LE(windows_for(error_windows(run, {}, 4), "", "smooth").errors.size(), 4U * 2);
}

TEST(SamplePaths, RefuseWhatDoesNotFit) {
  const std::vector<float> errors(kSteps + 1, 1.0F);
  EXPECT_FALSE(sample_paths(kShares, true_quantiles(), errors, {}));
  EXPECT_FALSE(sample_paths(std::vector<double>{0.5, 0.1}, true_quantiles(), {}, {}));
  ASSERT_OK_AND_ASSIGN(const SamplePaths paths, sample_paths(kShares, true_quantiles(), {}, {.paths = 10}));
  EXPECT_FALSE(sum_quantiles(paths, 3, kSteps, kShares));
  EXPECT_FALSE(sum_quantiles(paths, 3, 2, kShares));
}

TEST(SamplePaths, OfARunUseTheErrorsOfTheirClass) {
  std::vector<Series> series;
  for (std::uint32_t seed = 1; seed <= 15; ++seed) series.push_back(test::shop_series(300, 14, seed));
  ForecastOptions options;
  options.backtest.horizon = 14;
  options.models = {ModelId::kSeasonalNaive, ModelId::kDriverMedian};
  options.keep_errors = true;
  options.threads = 1;
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const ForecastRun run, forecast_all(series, options, progress));
  EXPECT_EQ(run.series[2].errors.size(), 3U * 14);
  ASSERT_OK_AND_ASSIGN(const SamplePaths paths, sample_paths(run, 2, {.paths = 200}));
  const std::vector<double> middle = {0.5};
  ASSERT_OK_AND_ASSIGN(const std::vector<double> week, sum_quantiles(paths, 0, 6, middle));
  double mean = 0;
  for (std::size_t step = 0; step < 7; ++step) mean += run.series[2].points[step].mean;
  EXPECT_NEAR(week[0], mean, 0.1 * mean);
  EXPECT_FALSE(sample_paths(run, 99, {}));
}

}  // namespace
}  // namespace tillcast::forecast
