#include "forecast/intervals.h"

#include <gtest/gtest.h>

#include <cmath>

#include "forecast/accuracy.h"
#include "generated_series.h"

namespace tillcast::forecast {
namespace {

/// Skewed noise of mean about 1.
double factor(test::Noise& u) { return std::exp(0.4 * (u() + u() + u() - 1.5)); }

TEST(Intervals, AreTheOrderStatisticsOfOneOriginsResiduals) {
  IntervalCalibrator calibrator(1, 1, true);
  for (int error = -49; error <= 49; ++error)
    calibrator.add({DemandClass::kSmooth, 0, 0, 0}, 100.0 + error, 100, 100);
  calibrator.finish(NoProgress());
  // One origin: nothing is stretched. Of 99 residuals the 10th and the 90th hold 80 of 100.
  const Interval interval = calibrator.interval({DemandClass::kSmooth, 0, 0, 0}, 100, 100);
  EXPECT_NEAR(interval.lo80, 60, 1e-9);
  EXPECT_NEAR(interval.hi80, 140, 1e-9);
}

TEST(Intervals, CoverWhatTheyPromiseOnResidualsOfTheSameKind) {
  for (const std::uint32_t seed : {1U, 2U, 3U}) {
    SCOPED_TRACE(seed);
    test::Noise u(seed);
    IntervalCalibrator calibrator(50, 10, true);
    std::vector<double> widths;
    for (std::size_t i = 0; i < 50; ++i) widths.push_back(0.5 + u());
    const auto draw = [&](std::size_t i) { return 100 * std::pow(factor(u), widths[i]); };
    for (std::size_t origin = 0; origin < 3; ++origin)
      for (std::size_t i = 0; i < 50; ++i)
        for (std::size_t step = 0; step < 10; ++step)
          calibrator.add({DemandClass::kSmooth, i, step, origin}, draw(i), 100, 100);
    calibrator.finish(NoProgress());
    Coverage coverage;
    for (std::size_t i = 0; i < 50; ++i)
      for (std::size_t step = 0; step < 400; ++step) {
        const Interval interval = calibrator.interval({DemandClass::kSmooth, i, step % 10, 0}, 100, 100);
        coverage.add(draw(i), interval.lo80, interval.hi80, interval.lo95, interval.hi95);
      }
    EXPECT_NEAR(coverage.share80(), 0.80, 0.03);
    EXPECT_NEAR(coverage.share95(), 0.95, 0.02);
  }
}

/// Origins of 100 series and 4 steps, each with an error of its own that all its series share, besides 2 % of
/// noise.
Interval interval_after(const std::vector<double>& shared_errors) {
  test::Noise u(5);
  IntervalCalibrator calibrator(100, 4, true);
  for (std::size_t origin = 0; origin < shared_errors.size(); ++origin)
    for (std::size_t i = 0; i < 100; ++i)
      for (std::size_t step = 0; step < 4; ++step)
        calibrator.add({DemandClass::kSmooth, i, step, origin},
                       100 * (1 + shared_errors[origin]) + 4 * (u() - 0.5), 100, 100);
  calibrator.finish(NoProgress());
  return calibrator.interval({DemandClass::kSmooth, 0, 0, 0}, 100, 100);
}

TEST(Intervals, DoNotTrustTheSignOfWhatAnOriginsSeriesShare) {
  // Three origins were forecast too low. The fourth may well be forecast too high.
  const Interval interval = interval_after({0.1, 0.15, 0.2});
  EXPECT_GT(interval.hi95, 118);
  EXPECT_LT(interval.lo95, 82);
  EXPECT_LT(interval.lo80, 90);
}

TEST(Intervals, StretchWhenOriginsDifferAsAWhole) {
  // Each of two origins was a surprise, or would have been, to who knew the other one alone.
  const Interval interval = interval_after({0.02, 0.2});
  EXPECT_GT(interval.hi95, 125) << "beyond the largest error seen";
  EXPECT_LT(interval.lo95, 75);
}

TEST(Intervals, AreNotStretchedByOneOddOriginAlone) {
  // Christmas: its own errors are in the pool already.
  const Interval interval = interval_after({0.01, -0.01, 0.02, 0.4});
  EXPECT_LT(interval.hi95, 155);
  EXPECT_GT(interval.lo95, 45);
}

TEST(Intervals, AreNestedHoldTheForecastAndNeverGoBelowZero) {
  test::Noise u(9);
  IntervalCalibrator calibrator(2, 5, true);
  for (std::size_t i = 0; i < 500; ++i)
    calibrator.add({DemandClass::kLumpy, i % 2, i % 5, i % 3}, u() < 0.8 ? 0 : 50 * u(), 2, 3);
  calibrator.finish(NoProgress());
  for (const double forecast : {0.0, 0.01, 1.0, 5.0, 1e6}) {
    const Interval interval = calibrator.interval({DemandClass::kLumpy, 1, 2, 0}, forecast, 3);
    EXPECT_GE(interval.lo95, 0);
    EXPECT_LE(interval.lo95, interval.lo80);
    EXPECT_LE(interval.lo80, forecast);
    EXPECT_GE(interval.hi80, forecast);
    EXPECT_GE(interval.hi95, interval.hi80);
  }
}

TEST(Intervals, SayWhenThereAreTooFewResiduals) {
  IntervalCalibrator calibrator(1, 1, true);
  for (int i = 0; i < 38; ++i) calibrator.add({DemandClass::kSmooth, 0, 0, 0}, 10 + i, 20, 20);
  calibrator.finish(NoProgress());
  EXPECT_TRUE(calibrator.thin(DemandClass::kSmooth));
  IntervalCalibrator enough(1, 1, true);
  for (int i = 0; i < 39; ++i) enough.add({DemandClass::kSmooth, 0, 0, 0}, 10 + i, 20, 20);
  enough.finish(NoProgress());
  EXPECT_FALSE(enough.thin(DemandClass::kSmooth));
}

}  // namespace
}  // namespace tillcast::forecast
