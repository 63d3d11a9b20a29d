#include "forecast/accuracy.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

namespace tillcast::forecast {
namespace {

TEST(Accuracy, MeasuresAreTheTextbooks) {
  Accuracy sums;
  sums.add(10, 12, 4);  // e = +2
  sums.add(0, 1, 4);    // e = +1, no relative error
  sums.add(20, 15, 4);  // e = -5
  EXPECT_DOUBLE_EQ(sums.wape(), 8.0 / 30);
  EXPECT_DOUBLE_EQ(sums.mae(), 8.0 / 3);
  EXPECT_DOUBLE_EQ(sums.rmse(), std::sqrt(30.0 / 3));
  EXPECT_DOUBLE_EQ(sums.rmspe(), std::sqrt((0.04 + 0.0625) / 2)) << "zero actuals are ignored";
  EXPECT_DOUBLE_EQ(sums.mase(), 8.0 / 3 / 4);
  EXPECT_DOUBLE_EQ(sums.bias(), -2.0 / 30);
  EXPECT_DOUBLE_EQ(sums.smape(), (4.0 / 22 + 2.0 + 10.0 / 35) / 3);
  EXPECT_DOUBLE_EQ(sums.value(Metric::kWapeBias), 10.0 / 30);
  EXPECT_DOUBLE_EQ(sums.mape(), (0.2 + 0.25) / 2) << "zero actuals are ignored";
  EXPECT_TRUE(std::isnan(sums.rmsse())) << "no squared scale was given";
}

TEST(Accuracy, ScalesAreDifferencesOfTheHistoryFromItsFirstSaleOn) {
  const std::vector<double> values = {0, 0, 4, 6, 0, 3, 5, 9};
  const std::vector<std::uint8_t> masked = {0, 0, 0, 0, 1, 0, 0, 0};
  const ErrorScale scale = error_scale(values, masked, 3);
  // Neighbours: 4-6, 3-5, 5-9 (6-closed and closed-3 are left out). Three apart: 4-3, 6-5, closed-9 is out.
  EXPECT_DOUBLE_EQ(scale.absolute, (2.0 + 2 + 4) / 3);
  EXPECT_DOUBLE_EQ(scale.squared, (4.0 + 4 + 16) / 3);
  EXPECT_DOUBLE_EQ(scale.seasonal, (1.0 + 1) / 2);
  EXPECT_DOUBLE_EQ(error_scale(values, masked, 7).seasonal, scale.absolute) << "shorter than a season";
  EXPECT_DOUBLE_EQ(error_scale({}, {}, 7).squared, 0);
}

TEST(Accuracy, RmsseIsTheM5s) {
  Accuracy sums;
  const ErrorScale scale{2, 3, 8};
  sums.add(10, 12, scale);
  sums.add(7, 3, scale);
  EXPECT_DOUBLE_EQ(sums.rmsse(), std::sqrt((4.0 + 16) / 2 / 8));
  EXPECT_DOUBLE_EQ(sums.mase(), (2.0 + 4) / 2 / 2);
}

TEST(Accuracy, MedianAbsoluteErrorIsTheUsualError) {
  std::array errors = {-1.0, 3.0, -1000.0};
  EXPECT_DOUBLE_EQ(median_absolute_error(errors), 3);
  std::array even = {4.0, -2.0, 1.0, 100.0};
  EXPECT_DOUBLE_EQ(median_absolute_error(even), 3);
  EXPECT_TRUE(std::isnan(median_absolute_error(std::span<double>())));
}

TEST(QuantileAccuracy, PinballIsKoenkersAndScaledByTheSeries) {
  EXPECT_DOUBLE_EQ(pinball(10, 8, 0.9), 1.8);
  EXPECT_DOUBLE_EQ(pinball(8, 10, 0.9), 0.2);
  EXPECT_DOUBLE_EQ(pinball(8, 10, 0.5), 1) << "half the absolute error";
  QuantileAccuracy left;
  left.add(10, 8, 0.9, {0, 2, 0});
  QuantileAccuracy right;
  right.add(8, 10, 0.9, {0, 4, 0});
  right.add(2, 2, 0.9, {0, 0, 0});
  left.merge(right);
  EXPECT_DOUBLE_EQ(left.mean_pinball(), 2.0 / 3);
  EXPECT_DOUBLE_EQ(left.scaled_pinball(), (0.9 + 0.05) / 2) << "the series without a scale is left out";
  EXPECT_DOUBLE_EQ(left.share_below(), 2.0 / 3);
}

TEST(IntervalAccuracy, ScoreIsWidthAndWhatFellOutside) {
  IntervalAccuracy sums;
  sums.add(10, 8, 12);
  sums.add(15, 8, 12);  // 3 above
  sums.add(6, 8, 12);   // 2 below
  sums.add(12, 8, 12);  // on the bound
  EXPECT_DOUBLE_EQ(sums.coverage(), 0.5);
  EXPECT_DOUBLE_EQ(sums.mean_width(), 4);
  EXPECT_DOUBLE_EQ(sums.relative_width(), 16.0 / 43);
  EXPECT_DOUBLE_EQ(sums.score(0.8), (16 + 2 / (1 - 0.8) * 5) / 43);
  IntervalAccuracy twice = sums;
  twice.merge(sums);
  EXPECT_DOUBLE_EQ(twice.score(0.95), sums.score(0.95));
}

TEST(Accuracy, OfNothingIsNan) {
  const Accuracy none;
  for (const Metric metric :
       {Metric::kWape, Metric::kRmse, Metric::kRmspe, Metric::kMase, Metric::kMape, Metric::kRmsse})
    EXPECT_TRUE(std::isnan(none.value(metric))) << metric_name(metric);
}

TEST(Accuracy, MergedPartsAreTheWhole) {
  Accuracy whole, left, right;
  for (int i = 1; i <= 10; ++i) {
    whole.add(i, 11 - i, 2);
    (i < 4 ? left : right).add(i, 11 - i, 2);
  }
  left.merge(right);
  EXPECT_DOUBLE_EQ(left.wape(), whole.wape());
  EXPECT_DOUBLE_EQ(left.rmspe(), whole.rmspe());
  EXPECT_DOUBLE_EQ(left.mase(), whole.mase());
}

TEST(Accuracy, ValueAddedIsTheShareOfErrorRemoved) {
  Accuracy ours, benchmark;
  ours.add(10, 9, 0);
  benchmark.add(10, 6, 0);
  EXPECT_DOUBLE_EQ(value_added(ours, benchmark, Metric::kWape), 0.75);
}

TEST(Metric, NamesReadBack) {
  for (const Metric metric : {Metric::kAuto, Metric::kWape, Metric::kWapeBias, Metric::kRmse, Metric::kRmspe,
                              Metric::kMase, Metric::kMae, Metric::kMape, Metric::kSmape, Metric::kRmsse})
    EXPECT_EQ(find_metric(metric_name(metric)), metric);
  EXPECT_EQ(find_metric("r2"), std::nullopt);
}

TEST(Coverage, CountsTheBoundsAsInside) {
  Coverage coverage;
  coverage.add(10, 10, 12, 9, 13);
  coverage.add(13, 10, 12, 9, 13);
  coverage.add(20, 10, 12, 9, 13);
  EXPECT_DOUBLE_EQ(coverage.share80(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(coverage.share95(), 2.0 / 3);
  EXPECT_DOUBLE_EQ(coverage.mean_width80(), 6.0 / 43);
}

// Two levels: three nodes that sold 60, 30 and 10, of which the last has no scale, and their sum.
TEST(Accuracy, WrmsseIsTheMeanOverLevelsOfRmsseWeighedBySales) {
  WeightedRmsse nodes;
  nodes.add(0.5, 60);
  nodes.add(2, 30);
  nodes.add(std::nan(""), 10);
  nodes.add(7, 0);
  EXPECT_DOUBLE_EQ(nodes.value(), 1);
  WeightedRmsse total;
  total.add(0.25, 100);
  const WeightedRmsse levels[] = {nodes, total, {}};
  EXPECT_DOUBLE_EQ(wrmsse(levels), 0.625);
  EXPECT_TRUE(std::isnan(wrmsse({})));
}

}  // namespace
}  // namespace tillcast::forecast
