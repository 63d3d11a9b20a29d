#include "forecast/accuracy.h"

#include <gtest/gtest.h>

#include <cmath>

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
}

TEST(Accuracy, OfNothingIsNan) {
  const Accuracy none;
  for (const Metric metric : {Metric::kWape, Metric::kRmse, Metric::kRmspe, Metric::kMase})
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
  for (const Metric metric :
       {Metric::kAuto, Metric::kWape, Metric::kWapeBias, Metric::kRmse, Metric::kRmspe, Metric::kMase})
    EXPECT_EQ(find_metric(metric_name(metric)), metric);
  EXPECT_EQ(find_metric("mape"), std::nullopt);
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

}  // namespace
}  // namespace tillcast::forecast
