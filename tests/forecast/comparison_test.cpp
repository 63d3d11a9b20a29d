#include "forecast/comparison.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace tillcast::forecast {
namespace {

PairedAccuracy unit(double actual, double own, double other) {
  PairedAccuracy pair;
  pair.own.add(actual, own, 1);
  pair.other.add(actual, other, 1);
  return pair;
}

TEST(Comparison, SeesAForecastThatIsBetterEverywhere) {
  std::vector<PairedAccuracy> units;
  for (int i = 0; i < 40; ++i)
    units.push_back(unit(100, 100 + (i % 2 == 0 ? 5 : -5), 100 + (i % 2 == 0 ? 10 : -10)));
  const Comparison found = compare_accuracy(units, Metric::kWape);
  EXPECT_DOUBLE_EQ(found.own, 0.05);
  EXPECT_DOUBLE_EQ(found.ratio, 0.5);
  EXPECT_NEAR(found.low, 0.5, 1e-12);
  EXPECT_NEAR(found.high, 0.5, 1e-12);
  EXPECT_EQ(found.better, 1);
}

TEST(Comparison, IsInDoubtWhereOneUnitDecides) {
  std::vector<PairedAccuracy> units;
  for (int i = 0; i < 20; ++i) units.push_back(unit(100, 110, 108));
  units.push_back(unit(1000, 1000, 1300));  // alone makes own the better one
  const Comparison found = compare_accuracy(units, Metric::kWape);
  EXPECT_LT(found.ratio, 1);
  EXPECT_LT(found.better, 0.9);
  EXPECT_GT(found.high, 1);
}

TEST(Comparison, EqualForecastsAreNeitherBetterNorWorse) {
  const std::vector<PairedAccuracy> units = {unit(3, 4, 4), unit(5, 5, 5)};
  EXPECT_EQ(compare_accuracy(units, Metric::kAuto).ratio, 1);
  EXPECT_EQ(compare_accuracy(units, Metric::kAuto).better, 0.5);
}

TEST(Comparison, LeavesOutWhatOnlyOneForecast) {
  std::vector<PairedAccuracy> units = {unit(10, 11, 12), unit(10, 11, 12)};
  units.emplace_back().own.add(10, 1000, 1);
  const Comparison found = compare_accuracy(units, Metric::kWape);
  EXPECT_EQ(found.units, 2U);
  EXPECT_DOUBLE_EQ(found.ratio, 0.5);
  EXPECT_TRUE(std::isnan(compare_accuracy({}, Metric::kWape).own));
}

TEST(Estimate, HasAnIntervalAroundTheValue) {
  std::vector<Accuracy> units(30);
  for (std::size_t i = 0; i < units.size(); ++i) units[i].add(100, 100 + static_cast<double>(i), 1);
  const Estimate wape = estimate_accuracy(units, Measure::kWape);
  EXPECT_DOUBLE_EQ(wape.value, 0.145);
  EXPECT_LT(wape.low, 0.14);
  EXPECT_GT(wape.low, 0.09);
  EXPECT_GT(wape.high, 0.15);
  EXPECT_DOUBLE_EQ(estimate_accuracy(units, Measure::kBias).value, 0.145);
  EXPECT_TRUE(std::isnan(estimate_accuracy({}, Measure::kWape).value));
}

}  // namespace
}  // namespace tillcast::forecast
