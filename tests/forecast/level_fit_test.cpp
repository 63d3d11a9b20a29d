#include "forecast/level_fit_internal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "forecast/ets.h"
#include "generated_series.h"

namespace tillcast::forecast {
namespace {

double squares_of(std::span<const double> values, double alpha, double level) {
  double sum = 0;
  for (const double value : values) {
    const double error = value - level;
    sum += error * error;
    level += alpha * error;
  }
  return sum;
}

/// The least sum of squares over a grid of alphas, each with the best first level: the sum is a parabola in
/// it.
double least_squares_of(std::span<const double> values, double around) {
  double least = squares_of(values, 0.2, around);
  const double width = std::max(std::abs(around), 1.0);
  for (int i = 1; i < 5000; ++i) {
    const double alpha = i / 5000.0;
    const double low = squares_of(values, alpha, around - width);
    const double middle = squares_of(values, alpha, around);
    const double high = squares_of(values, alpha, around + width);
    const double bend = low - 2 * middle + high;
    const double best = around + (bend > 0 ? width * (low - high) / (2 * bend) : 0);
    least = std::min(least, squares_of(values, alpha, best));
  }
  return least;
}

std::vector<double> walk(std::size_t count, double step, double noise, std::uint32_t seed) {
  test::Noise u(seed);
  std::vector<double> values;
  double level = 100;
  for (std::size_t i = 0; i < count; ++i) {
    level += step * (u() - 0.5);
    values.push_back(level + noise * (u() - 0.5));
  }
  return values;
}

TEST(LevelFit, FindsTheLeastSquaresOfAllAlphasAndLevels) {
  const std::vector<std::vector<double>> cases = {test::reference_series("weekly"),
                                                  test::reference_series("walk"),
                                                  test::reference_series("rare"),
                                                  walk(30, 1, 10, 1),
                                                  walk(1000, 5, 5, 2),
                                                  walk(2000, 0, 50, 3),
                                                  {5, 9, 2}};
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(i);
    const LevelFit fit = fit_level(cases[i], cases[i][0], 0.2, 1e-4, 1 - 1e-4);
    EXPECT_NEAR(fit.squares, squares_of(cases[i], fit.alpha, fit.level), 1e-9 * fit.squares);
    EXPECT_LE(fit.squares, least_squares_of(cases[i], cases[i][0]) * (1 + 1e-6));
  }
}

TEST(LevelFit, KeepsItsDigitsFarFromZeroAndItsAlphaWhereNothingMoves) {
  std::vector<double> far = walk(500, 5, 5, 7);
  const LevelFit near_fit = fit_level(far, far[0], 0.2, 1e-4, 1 - 1e-4);
  for (double& value : far) value += 1e7;
  const LevelFit far_fit = fit_level(far, far[0], 0.2, 1e-4, 1 - 1e-4);
  EXPECT_NEAR(far_fit.alpha, near_fit.alpha, 1e-3);
  EXPECT_NEAR(far_fit.squares, near_fit.squares, 1e-4 * near_fit.squares);

  const std::vector<double> still(50, 3.0);
  const LevelFit fit = fit_level(still, 3.0, 0.2, 1e-4, 1 - 1e-4);
  EXPECT_EQ(fit.alpha, 0.2);
  EXPECT_EQ(fit.level, 3.0);
  EXPECT_EQ(fit.squares, 0.0);
}

TEST(LevelFit, MaskedPeriodsTeachAnEtsLevelNothing) {
  Series series = test::daily_series(walk(300, 5, 5, 11));
  const std::vector<double> all = series.value;
  Series shorter = test::daily_series({});
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i % 7 == 6) {
      series.masked[i] = 1;
      series.value[i] = -1e6;
    } else {
      shorter.value.push_back(all[i]);
      shorter.masked.push_back(0);
    }
  }
  BacktestOptions options;
  const EtsFit fit = ets_fit(history_at(series, series.size(), options), {});
  const EtsFit expected = ets_fit(history_at(shorter, shorter.size(), options), {});
  EXPECT_EQ(fit.weights.alpha, expected.weights.alpha);
  EXPECT_EQ(fit.initial.level, expected.initial.level);
  EXPECT_EQ(fit.aicc, expected.aicc);
}

}  // namespace
}  // namespace tillcast::forecast
