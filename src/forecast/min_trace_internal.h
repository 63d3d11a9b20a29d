#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/progress.h"
#include "forecast/hierarchy.h"

namespace tillcast::forecast {

/// Covariance of the errors of all nodes as MinT uses it: diag(variance) + F F', F = factor [node][rank].
struct ErrorCovariance {
  std::vector<double> variance;  ///< per node, > 0
  std::vector<double> factor;
  std::size_t rank = 0;
  double shrinkage = 0;
};

/// Variances of errors around 0, shrunk covariances: the weight of the diagonal by Schäfer & Strimmer 2005
/// (Stat. Appl. Genet. Mol. Biol. 4), from products of observations instead of nodes: O(nodes * errors^2).
/// @param error  [node][observation], at least two observations
ErrorCovariance shrunk_covariance(std::span<const double> error, std::size_t errors);
/// Variances alone: mean squared errors, those of 0 raised a little above it.
std::vector<double> error_variances(std::span<const double> error, std::size_t errors);

/// Forecasts of the leaves that make all nodes coherent with least variance, step by step. The nodes' sums
/// and the leaves that stay 0 are constraints G y = 0, and y = f - W G' (G W G')^-1 G f: one sparse equation
/// for each upper node and each leaf at 0, by LDL' (Eigen), or by conjugate gradients where many groups of
/// several levels cross and a factor could be too large: preconditioned by the diagonal and the errors'
/// product, so that errors of any rank cost one solution instead of one each.
class MinTrace {
 public:
  /// A factor of so many crossing groups has rows of their number, which is no longer sparse.
  static constexpr std::size_t kFactorMax = 4000;

  /// @param factor_max  crossing groups (upper nodes beside those of the largest level) from which on
  /// conjugate gradients are used
  /// @param progress  asked while a step is solved; where it says so, solve() ends early with a result that
  /// is none
  MinTrace(const Hierarchy& hierarchy, const ErrorCovariance& covariance, const Progress& progress,
           std::size_t factor_max = kFactorMax);
  ~MinTrace();
  MinTrace(const MinTrace&) = delete;
  MinTrace& operator=(const MinTrace&) = delete;

  /// @param forecast  of one step, one per node; @param closed  per leaf, 1 = stays 0; may be empty
  /// @param leaves    the result, one per leaf
  void solve(std::span<const double> forecast, std::span<const std::uint8_t> closed, bool non_negative,
             std::span<double> leaves);
  /// Whether by conjugate gradients.
  bool iterative() const { return iterative_; }

 private:
  struct System;
  const System& system_for(const std::vector<std::uint8_t>& held);

  const Hierarchy& hierarchy_;
  const ErrorCovariance& covariance_;
  const Progress& progress_;
  bool iterative_ = false;
  std::vector<std::unique_ptr<System>> systems_;  ///< the first and the newest one: many steps share theirs
};

}  // namespace tillcast::forecast
