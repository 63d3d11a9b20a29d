// Checks reconciliation against tests/data/forecast/reconcile_references.txt, the dense textbook formulas on
// the same inputs (scripts/make_reconcile_references.py), and on 30,000 leaves.
#include "forecast/reconcile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <fstream>
#include <map>
#include <sstream>

#include "crossed_levels.h"
#include "generated_series.h"
#include "support/result_matchers.h"

namespace tillcast::forecast {
namespace {

constexpr std::size_t kLeaves = 8;
constexpr std::size_t kSteps = 2;
constexpr std::size_t kErrors = 12;

/// Total, two countries, three categories that cross them.
Hierarchy small_hierarchy() {
  LevelLabels total{"total", {}};
  LevelLabels country{"country", {}};
  LevelLabels category{"category", {}};
  for (std::size_t leaf = 0; leaf < kLeaves; ++leaf) {
    total.label.emplace_back("all");
    country.label.emplace_back(leaf >= 5 ? "B" : "A");
    category.label.push_back(std::to_string(leaf % 3));
  }
  auto made = make_hierarchy(std::vector<LevelLabels>{total, country, category}, kLeaves);
  return std::move(made).value();
}

struct Inputs {
  std::vector<double> forecast;
  std::vector<double> error;
};

Inputs small_inputs(const Hierarchy& hierarchy) {
  test::Noise u(7);
  std::vector<double> sizes;
  for (std::size_t leaf = 0; leaf < kLeaves; ++leaf) sizes.push_back(static_cast<double>(leaf + 1));
  Inputs inputs;
  for (const double size : aggregate(hierarchy, sizes, 1))
    for (std::size_t step = 0; step < kSteps; ++step) inputs.forecast.push_back(10 * size * (0.5 + u()));
  std::vector<double> leaf_error;
  for (std::size_t leaf = 0; leaf < kLeaves; ++leaf)
    for (std::size_t k = 0; k < kErrors; ++k) {
      const double first = u();
      leaf_error.push_back(static_cast<double>(leaf + 1) * (first + u() - 1));
    }
  inputs.error = aggregate(hierarchy, leaf_error, kErrors);
  for (double& one : inputs.error) one += u() - 0.5;
  return inputs;
}

std::map<std::string, std::vector<double>> references() {
  std::map<std::string, std::vector<double>> values;
  std::ifstream file(TILLCAST_SOURCE_DIR "/tests/data/forecast/reconcile_references.txt");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    for (double value = 0; words >> value;) values[name].push_back(value);
  }
  return values;
}

constexpr ReconcileMethod kMinT[] = {ReconcileMethod::kOls, ReconcileMethod::kWlsStruct,
                                     ReconcileMethod::kWlsVar, ReconcileMethod::kMintShrink};

/// Asks to stop from the start.
class Stopped final : public Progress {
 public:
  void update(std::uint64_t, std::uint64_t) override {}
  bool cancelled() const override { return true; }
};

TEST(Reconcile, MinTEqualsTheDenseFormulas) {
  const Hierarchy hierarchy = small_hierarchy();
  const Inputs inputs = small_inputs(hierarchy);
  const auto expected = references();
  for (const ReconcileMethod method : kMinT) {
    const std::string name(reconcile_method_name(method));
    SCOPED_TRACE(name);
    ASSERT_OK_AND_ASSIGN(const Reconciled found,
                         reconcile(hierarchy, {inputs.forecast, kSteps, inputs.error, kErrors},
                                   {.method = method, .non_negative = false}));
    const std::vector<double>& wanted = expected.at(name);
    ASSERT_EQ(found.forecast.size(), wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(found.forecast[i], wanted[i], 1e-7);
    if (method == ReconcileMethod::kMintShrink) {
      EXPECT_NEAR(found.shrinkage, expected.at("shrinkage")[0], 1e-9);
    }
  }
}

TEST(Reconcile, NonNegativeIsTheBestOfAllSetsOfLeavesAtZero) {
  const Hierarchy hierarchy = small_hierarchy();
  Inputs inputs = small_inputs(hierarchy);
  for (std::size_t leaf = 0; leaf < kLeaves; leaf += 2)
    for (std::size_t step = 0; step < kSteps; ++step)
      inputs.forecast[hierarchy.leaf_node(leaf) * kSteps + step] -= 60;
  const auto expected = references();
  for (const ReconcileMethod method : kMinT) {
    const std::string name(reconcile_method_name(method));
    SCOPED_TRACE(name);
    ASSERT_OK_AND_ASSIGN(
        const Reconciled found,
        reconcile(hierarchy, {inputs.forecast, kSteps, inputs.error, kErrors}, {.method = method}));
    const std::vector<double>& wanted = expected.at(name + "_non_negative");
    for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(found.forecast[i], wanted[i], 1e-6);
    EXPECT_GE(std::ranges::min(found.forecast), 0);
    EXPECT_LE(incoherence(hierarchy, found.forecast, kSteps), 1e-9);
  }
}

TEST(Reconcile, ScalingKeepsItsLevelAndBottomUpTheLeaves) {
  const Hierarchy hierarchy = small_hierarchy();
  const Inputs inputs = small_inputs(hierarchy);
  const BaseForecasts base{inputs.forecast, kSteps, {}, 0};
  ASSERT_OK_AND_ASSIGN(const Reconciled top,
                       reconcile(hierarchy, base, {.method = ReconcileMethod::kTopDown}));
  EXPECT_NEAR(top.forecast[0], inputs.forecast[0], 1e-9);
  ASSERT_OK_AND_ASSIGN(const Reconciled middle,
                       reconcile(hierarchy, base, {.method = ReconcileMethod::kMiddleOut, .middle = 2}));
  for (std::size_t i = 3 * kSteps; i < 6 * kSteps; ++i)
    EXPECT_NEAR(middle.forecast[i], inputs.forecast[i], 1e-9);
  ASSERT_OK_AND_ASSIGN(const Reconciled up,
                       reconcile(hierarchy, base, {.method = ReconcileMethod::kBottomUp}));
  for (std::size_t i = 6 * kSteps; i < up.forecast.size(); ++i) EXPECT_EQ(up.forecast[i], inputs.forecast[i]);
  for (const auto* one : {&top, &middle, &up}) EXPECT_LE(incoherence(hierarchy, one->forecast, kSteps), 1e-9);
}

TEST(Reconcile, ClosedLeavesStayAtZeroAndGroupsWithoutLeafForecastsShareEqually) {
  const Hierarchy hierarchy = small_hierarchy();
  const Inputs inputs = small_inputs(hierarchy);
  std::vector<std::uint8_t> closed(kLeaves * kSteps, 0);
  closed[3 * kSteps] = 1;
  const BaseForecasts base{inputs.forecast, kSteps, inputs.error, kErrors, closed};
  for (const ReconcileMethod method : {ReconcileMethod::kMintShrink, ReconcileMethod::kTopDown}) {
    ASSERT_OK_AND_ASSIGN(const Reconciled found, reconcile(hierarchy, base, {.method = method}));
    EXPECT_EQ(found.forecast[hierarchy.leaf_node(3) * kSteps], 0);
    EXPECT_GT(found.forecast[hierarchy.leaf_node(3) * kSteps + 1], 0);
    EXPECT_LE(incoherence(hierarchy, found.forecast, kSteps), 1e-9);
  }
  std::vector<double> nothing = inputs.forecast;
  std::fill(nothing.begin() + 6 * kSteps, nothing.end(), 0.0);
  ASSERT_OK_AND_ASSIGN(const Reconciled shared, reconcile(hierarchy, {nothing, kSteps, {}, 0, closed},
                                                          {.method = ReconcileMethod::kTopDown}));
  EXPECT_NEAR(shared.forecast[hierarchy.leaf_node(0) * kSteps], nothing[0] / 7, 1e-9);
  EXPECT_NEAR(shared.forecast[0], nothing[0], 1e-9);
}

TEST(Reconcile, StopsOnRequest) {
  const Hierarchy hierarchy = small_hierarchy();
  const Inputs inputs = small_inputs(hierarchy);
  Stopped progress;
  const auto found =
      reconcile(hierarchy, {inputs.forecast, kSteps, inputs.error, kErrors}, {.progress = &progress});
  EXPECT_EQ(found.error().code, ErrorCode::kCancelled);
}

TEST(Reconcile, RefusesWhatDoesNotFit) {
  const Hierarchy hierarchy = small_hierarchy();
  Inputs inputs = small_inputs(hierarchy);
  EXPECT_FALSE(reconcile(hierarchy, {inputs.forecast, kSteps + 1, {}, 0}, {.method = ReconcileMethod::kOls}));
  EXPECT_FALSE(
      reconcile(hierarchy, {inputs.forecast, kSteps, {}, 0}, {.method = ReconcileMethod::kMintShrink}));
  inputs.forecast[4] = NAN;
  EXPECT_FALSE(reconcile(hierarchy, {inputs.forecast, kSteps, {}, 0}, {.method = ReconcileMethod::kOls}));
  EXPECT_FALSE(make_hierarchy(std::vector<LevelLabels>{{"total", {"a"}}}, 2));
  EXPECT_FALSE(find_reconcile_method("magic"));
  EXPECT_EQ(find_reconcile_method("mint"), ReconcileMethod::kMintShrink);
}

TEST(Reconcile, ThirtyThousandLeavesTakeSeconds) {
  constexpr std::size_t kStores = 10;
  constexpr std::size_t kProducts = 3000;
  constexpr std::size_t kHorizon = 4;
  constexpr std::size_t kMany = kStores * kProducts;
  ASSERT_OK_AND_ASSIGN(const Hierarchy hierarchy,
                       make_hierarchy(test::crossed_levels(kStores, kProducts), kMany));
  test::Noise u(3);
  std::vector<double> leaves(kMany * kHorizon);
  for (double& one : leaves) one = u() < 0.4 ? 0 : 3 * u();
  std::vector<double> forecast = aggregate(hierarchy, leaves, kHorizon);
  for (std::size_t i = 0; i < hierarchy.upper_nodes() * kHorizon; ++i) forecast[i] *= 0.8 + 0.3 * u();
  std::vector<double> leaf_error(kMany * kErrors);
  for (double& one : leaf_error) one = u() - 0.5;
  const std::vector<double> error = aggregate(hierarchy, leaf_error, kErrors);
  const std::clock_t started = std::clock();
  ASSERT_OK_AND_ASSIGN(const Reconciled found,
                       reconcile(hierarchy, {forecast, kHorizon, error, kErrors}, {}));
  const double seconds = static_cast<double>(std::clock() - started) / CLOCKS_PER_SEC;
  EXPECT_LE(incoherence(hierarchy, found.forecast, kHorizon), 1e-6);
  EXPECT_GE(std::ranges::min(found.forecast), 0);
  RecordProperty("cpu_milliseconds", static_cast<int>(1000 * seconds));
  EXPECT_LT(seconds, 20);
}

}  // namespace
}  // namespace tillcast::forecast
