// The two ways in which MinT solves its equations, on the same problems.
#include "forecast/min_trace_internal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "crossed_levels.h"
#include "generated_series.h"
#include "support/result_matchers.h"

namespace tillcast::forecast {
namespace {

constexpr std::size_t kStores = 12;
constexpr std::size_t kProducts = 40;
constexpr std::size_t kLeaves = kStores * kProducts;
constexpr std::size_t kErrors = 9;

Hierarchy crossed_hierarchy() {
  std::vector<LevelLabels> levels = test::crossed_levels(kStores, kProducts);
  LevelLabels region_product{"region_product", {}};
  for (std::size_t leaf = 0; leaf < kLeaves; ++leaf)
    region_product.label.push_back(levels[1].label[leaf] + "/" + levels[4].label[leaf]);
  levels.push_back(std::move(region_product));
  return make_hierarchy(levels, kLeaves).value();
}

struct Problem {
  Hierarchy hierarchy = crossed_hierarchy();
  std::vector<double> forecast;
  std::vector<double> error;
  std::vector<std::uint8_t> closed;
};

/// @param low  share by which the upper nodes lie too low: leaves are then pushed below 0
Problem problem_of(std::uint32_t seed, double low) {
  Problem problem;
  test::Noise u(seed);
  std::vector<double> leaves(kLeaves);
  for (double& one : leaves) one = u() < 0.4 ? 0 : 3 * u();
  problem.forecast = aggregate(problem.hierarchy, leaves, 1);
  for (std::size_t i = 0; i < problem.hierarchy.upper_nodes(); ++i) problem.forecast[i] *= 1 - low * u();
  std::vector<double> leaf_error(kLeaves * kErrors);
  for (std::size_t i = 0; i < leaf_error.size(); ++i)
    leaf_error[i] = (u() - 0.5) * (0.2 + 2 * static_cast<double>(i / kErrors % 7));
  problem.error = aggregate(problem.hierarchy, leaf_error, kErrors);
  for (double& one : problem.error) one += 0.2 * (u() - 0.5);
  problem.closed.assign(kLeaves, 0);
  for (std::size_t leaf = 0; leaf < kLeaves; leaf += 17) problem.closed[leaf] = 1;
  return problem;
}

std::vector<ErrorCovariance> covariances(const Problem& problem) {
  ErrorCovariance equal;
  equal.variance.assign(problem.hierarchy.nodes(), 1.0);
  ErrorCovariance own;
  own.variance = error_variances(problem.error, kErrors);
  return {equal, own, shrunk_covariance(problem.error, kErrors)};
}

TEST(MinTrace, ConjugateGradientsFindWhatTheFactorFinds) {
  constexpr std::size_t kNever = static_cast<std::size_t>(-1);
  const NoProgress silent;
  for (const std::uint32_t seed : {1U, 2U, 3U}) {
    for (const bool non_negative : {false, true}) {
      const Problem problem = problem_of(seed, non_negative ? 0.6 : 0.3);
      const std::vector<ErrorCovariance> all = covariances(problem);
      EXPECT_GT(all.back().rank, 0U);
      for (std::size_t c = 0; c < all.size(); ++c) {
        SCOPED_TRACE("seed " + std::to_string(seed) + ", covariance " + std::to_string(c) +
                     (non_negative ? ", not negative" : ""));
        MinTrace direct(problem.hierarchy, all[c], silent, kNever);
        MinTrace iterative(problem.hierarchy, all[c], silent, 0);
        EXPECT_FALSE(direct.iterative());
        EXPECT_TRUE(iterative.iterative());
        std::vector<double> expected(kLeaves);
        std::vector<double> found(kLeaves);
        // Twice: the second step meets the equations of the first one.
        for (const double scale : {1.0, 1.3}) {
          std::vector<double> forecast = problem.forecast;
          for (double& one : forecast) one *= scale;
          direct.solve(forecast, problem.closed, non_negative, expected);
          iterative.solve(forecast, problem.closed, non_negative, found);
          const double largest = std::ranges::max(expected);
          for (std::size_t leaf = 0; leaf < kLeaves; ++leaf)
            ASSERT_NEAR(found[leaf], expected[leaf], 1e-7 * largest) << leaf;
          for (std::size_t leaf = 0; leaf < kLeaves; leaf += 17) ASSERT_EQ(found[leaf], 0);
          if (non_negative) {
            EXPECT_GT(std::ranges::count(found, 0.0), static_cast<std::ptrdiff_t>(kLeaves / 17 + 1));
          }
        }
      }
    }
  }
}

TEST(MinTrace, ManyCrossingGroupsAreSolvedByGradients) {
  const Problem problem = problem_of(1, 0.3);
  ErrorCovariance equal;
  equal.variance.assign(problem.hierarchy.nodes(), 1.0);
  const NoProgress silent;
  const std::size_t crossing = problem.hierarchy.upper_nodes() - 3 * kProducts;
  EXPECT_TRUE(MinTrace(problem.hierarchy, equal, silent, crossing - 1).iterative());
  EXPECT_FALSE(MinTrace(problem.hierarchy, equal, silent, crossing).iterative());
  EXPECT_FALSE(MinTrace(problem.hierarchy, equal, silent).iterative());
}

}  // namespace
}  // namespace tillcast::forecast
