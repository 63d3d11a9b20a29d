#include <Eigen/Cholesky>
#include <Eigen/SparseCholesky>
#include <Eigen/SparseCore>
#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "forecast/min_trace_internal.h"

namespace tillcast::forecast {
namespace {

using Sparse = Eigen::SparseMatrix<double>;

constexpr int kPivotsMax = 60;  // rounds of the active set

}  // namespace

std::vector<double> error_variances(std::span<const double> error, std::size_t errors) {
  const std::size_t nodes = error.size() / errors;
  std::vector<double> variance(nodes, 0.0);
  double sum = 0;
  for (std::size_t node = 0; node < nodes; ++node) {
    for (const double one : error.subspan(node * errors, errors)) variance[node] += one * one;
    variance[node] /= static_cast<double>(errors);
    sum += variance[node];
  }
  constexpr double kFloorShare = 1e-6;  // a node that never erred is trusted most, not without limit
  const double floor = sum > 0 ? kFloorShare * sum / static_cast<double>(nodes) : 1.0;
  for (double& one : variance) one = std::max(one, floor);
  return variance;
}

ErrorCovariance shrunk_covariance(std::span<const double> error, std::size_t errors) {
  const std::size_t nodes = error.size() / errors;
  ErrorCovariance result;
  const std::vector<double> variance = error_variances(error, errors);
  const auto t = static_cast<double>(errors);
  // Standardised errors x: r_ij = sum_t x_ti x_tj / T. Sums over all pairs of nodes follow from the T x T
  // matrix of products of observations.
  Eigen::MatrixXd products =
      Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(errors), static_cast<Eigen::Index>(errors));
  Eigen::VectorXd x(static_cast<Eigen::Index>(errors));
  double own_correlations = 0;
  double own_variances = 0;
  for (std::size_t node = 0; node < nodes; ++node) {
    double fourth = 0;
    double second = 0;
    for (std::size_t k = 0; k < errors; ++k) {
      const double one = error[node * errors + k] / std::sqrt(variance[node]);
      x[static_cast<Eigen::Index>(k)] = one;
      second += one * one;
      fourth += one * one * one * one;
    }
    products.selfadjointView<Eigen::Lower>().rankUpdate(x);
    own_correlations += second * second / (t * t);
    own_variances += fourth - second * second / t;
  }
  products.triangularView<Eigen::StrictlyUpper>() = products.transpose();
  const double correlations = products.squaredNorm() / (t * t) - own_correlations;
  const double variances =
      (products.diagonal().squaredNorm() - products.squaredNorm() / t - own_variances) / (t * (t - 1));
  constexpr double kShrinkageMin = 1e-3;
  result.shrinkage = correlations > 0 ? std::clamp(variances / correlations, kShrinkageMin, 1.0) : 1.0;
  result.variance = variance;
  for (double& one : result.variance) one *= result.shrinkage;
  if (result.shrinkage < 1) {
    result.rank = errors;
    result.factor.assign(error.begin(), error.end());
    // A node raised above a variance of 0 has that variance alone.
    for (double& one : result.factor) one *= std::sqrt((1 - result.shrinkage) / t);
  }
  return result;
}

/// The equations of one set of leaves held at 0: (G D G' + (G F) (G F)') x = right.
struct MinTrace::System {
  std::vector<std::uint8_t> held;  ///< per leaf
  std::vector<std::size_t> rows;   ///< leaves with a row of their own, after the upper nodes
  Sparse matrix;                   ///< G D G'
  Eigen::SimplicialLDLT<Sparse> factor;
  Eigen::MatrixXd constrained;  ///< G F
  Eigen::MatrixXd solved;       ///< P^-1 G F; P = G D G', or its diagonal where the way is iterative
  Eigen::LLT<Eigen::MatrixXd> core;
  Eigen::VectorXd diagonal;  ///< of G D G'; iterative alone
  bool iterative = false;

  Eigen::MatrixXd solve_sparse(const Eigen::MatrixXd& right) const {
    if (!iterative) return factor.solve(right);
    return diagonal.cwiseInverse().asDiagonal() * right;
  }
  /// Solves with P + (G F) (G F)' (Woodbury's identity): the whole equations, or what preconditions them.
  Eigen::VectorXd solve_near(const Eigen::VectorXd& right) const {
    Eigen::VectorXd x = solve_sparse(right);
    if (constrained.cols() > 0) x -= solved * core.solve(constrained.transpose() * x);
    return x;
  }
  Eigen::VectorXd times(const Eigen::VectorXd& x) const {
    Eigen::VectorXd product = matrix.selfadjointView<Eigen::Lower>() * x;
    if (constrained.cols() > 0) product += constrained * (constrained.transpose() * x);
    return product;
  }
  /// @param start  a solution of equations much the same, or empty
  Eigen::VectorXd solve(const Eigen::VectorXd& right, const Eigen::VectorXd& start,
                        const Progress& progress) const {
    return iterative ? solve_by_gradients(right, start, progress) : solve_near(right);
  }

 private:
  /// Conjugate gradients (Hestenes & Stiefel 1952), preconditioned by the diagonal and the covariances'
  /// product.
  Eigen::VectorXd solve_by_gradients(const Eigen::VectorXd& right, const Eigen::VectorXd& start,
                                     const Progress& progress) const {
    constexpr double kTolerance = 1e-11;
    Eigen::VectorXd x = start.size() == right.size() ? start : Eigen::VectorXd::Zero(right.size());
    Eigen::VectorXd rest = right - times(x);
    const double enough = kTolerance * right.norm();
    Eigen::VectorXd near = solve_near(rest);
    Eigen::VectorXd direction = near;
    double size = rest.dot(near);
    for (Eigen::Index round = 0; round < 2 * right.size() && rest.norm() > enough; ++round) {
      if (round % 8 == 7 && progress.cancelled()) break;
      const Eigen::VectorXd moved = times(direction);
      const double step = size / direction.dot(moved);
      x += step * direction;
      rest -= step * moved;
      near = solve_near(rest);
      const double next = rest.dot(near);
      direction = near + next / size * direction;
      size = next;
    }
    return x;
  }
};

MinTrace::MinTrace(const Hierarchy& hierarchy, const ErrorCovariance& covariance, const Progress& progress,
                   std::size_t factor_max)
    : hierarchy_(hierarchy), covariance_(covariance), progress_(progress) {
  std::size_t largest = 0;
  for (const HierarchyLevel& level : hierarchy.levels) largest = std::max(largest, level.groups());
  iterative_ = hierarchy.upper_nodes() - largest > factor_max;
}

MinTrace::~MinTrace() = default;

const MinTrace::System& MinTrace::system_for(const std::vector<std::uint8_t>& held) {
  for (const auto& system : systems_)
    if (system->held == held) return *system;
  auto made = std::make_unique<System>();
  System& system = *made;
  system.held = held;
  system.iterative = iterative_;
  const std::size_t upper = hierarchy_.upper_nodes();
  for (std::size_t leaf = 0; leaf < hierarchy_.leaves; ++leaf)
    if (held[leaf] != 0) system.rows.push_back(leaf);
  const auto size = static_cast<Eigen::Index>(upper + system.rows.size());
  const auto rank = static_cast<Eigen::Index>(covariance_.rank);

  std::vector<Eigen::Triplet<double>> entries;
  std::vector<std::size_t> above(hierarchy_.levels.size());
  entries.reserve(upper);
  for (std::size_t node = 0; node < upper; ++node)
    entries.emplace_back(static_cast<int>(node), static_cast<int>(node), covariance_.variance[node]);
  const auto above_of = [&](std::size_t leaf) {
    for (std::size_t l = 0; l < above.size(); ++l)
      above[l] = hierarchy_.levels[l].first_node + static_cast<std::size_t>(hierarchy_.levels[l].group[leaf]);
  };
  for (std::size_t leaf = 0; leaf < hierarchy_.leaves; ++leaf) {
    above_of(leaf);
    const double variance = covariance_.variance[upper + leaf];
    for (const std::size_t a : above)
      for (const std::size_t b : above)
        entries.emplace_back(static_cast<int>(a), static_cast<int>(b), variance);
  }
  for (std::size_t k = 0; k < system.rows.size(); ++k) {
    const auto row = static_cast<int>(upper + k);
    above_of(system.rows[k]);
    const double variance = covariance_.variance[upper + system.rows[k]];
    entries.emplace_back(row, row, variance);
    for (const std::size_t a : above) {
      entries.emplace_back(row, static_cast<int>(a), -variance);
      entries.emplace_back(static_cast<int>(a), row, -variance);
    }
  }
  system.matrix.resize(size, size);
  system.matrix.setFromTriplets(entries.begin(), entries.end());
  // Rounding can make a row of a leaf at 0 that is alone in its groups depend on theirs.
  for (Eigen::Index i = 0; i < size; ++i) system.matrix.coeffRef(i, i) *= 1 + 1e-12;
  if (iterative_) {
    system.diagonal = system.matrix.diagonal();
  } else {
    system.factor.compute(system.matrix);
    TILLCAST_CHECK(system.factor.info() == Eigen::Success, "variances of a hierarchy are positive");
  }
  system.constrained.resize(size, rank);
  if (rank > 0) {
    system.constrained.setZero();
    for (std::size_t node = 0; node < upper; ++node) {
      for (Eigen::Index k = 0; k < rank; ++k)
        system.constrained(static_cast<Eigen::Index>(node), k) =
            covariance_.factor[node * covariance_.rank + static_cast<std::size_t>(k)];
    }
    for (std::size_t leaf = 0; leaf < hierarchy_.leaves; ++leaf) {
      above_of(leaf);
      const double* of_leaf = &covariance_.factor[(upper + leaf) * covariance_.rank];
      for (const std::size_t a : above)
        for (Eigen::Index k = 0; k < rank; ++k)
          system.constrained(static_cast<Eigen::Index>(a), k) -= of_leaf[k];
    }
    for (std::size_t r = 0; r < system.rows.size(); ++r) {
      for (Eigen::Index k = 0; k < rank; ++k)
        system.constrained(static_cast<Eigen::Index>(upper + r), k) =
            covariance_.factor[(upper + system.rows[r]) * covariance_.rank + static_cast<std::size_t>(k)];
    }
    system.solved = system.solve_sparse(system.constrained);
    Eigen::MatrixXd core = system.constrained.transpose() * system.solved;
    core.diagonal().array() += 1;
    system.core.compute(core);
  }
  if (systems_.size() > 1) systems_.pop_back();
  systems_.push_back(std::move(made));
  return *systems_.back();
}

void MinTrace::solve(std::span<const double> forecast, std::span<const std::uint8_t> closed,
                     bool non_negative, std::span<double> leaves) {
  const std::size_t upper = hierarchy_.upper_nodes();
  std::vector<std::uint8_t> held(hierarchy_.leaves, 0);
  if (!closed.empty()) std::ranges::copy(closed, held.begin());
  double size = 1e-300;
  for (const double one : forecast) size = std::max(size, std::abs(one));
  std::size_t fewest =
      hierarchy_.leaves + 1;  // wrong leaves: block pivoting (Kim & Park 2011) until it stalls
  int patience = 3;
  Eigen::VectorXd last;
  for (int round = 0; round < kPivotsMax && !progress_.cancelled(); ++round) {
    const System& system = system_for(held);
    Eigen::VectorXd right(system.matrix.rows());
    std::vector<double> sums(upper, 0.0);
    for (const HierarchyLevel& level : hierarchy_.levels)
      for (std::size_t leaf = 0; leaf < hierarchy_.leaves; ++leaf)
        sums[level.first_node + static_cast<std::size_t>(level.group[leaf])] += forecast[upper + leaf];
    for (std::size_t node = 0; node < upper; ++node)
      right[static_cast<Eigen::Index>(node)] = forecast[node] - sums[node];
    for (std::size_t k = 0; k < system.rows.size(); ++k)
      right[static_cast<Eigen::Index>(upper + k)] = forecast[upper + system.rows[k]];
    // The upper nodes' part of the last solution is near this one's: only some leaves changed sides.
    Eigen::VectorXd start;
    if (iterative_ && last.size() > 0) {
      start = Eigen::VectorXd::Zero(right.size());
      start.head(static_cast<Eigen::Index>(upper)) = last;
    }
    const Eigen::VectorXd x = system.solve(right, start, progress_);
    if (iterative_) last = x.head(static_cast<Eigen::Index>(upper));
    const Eigen::VectorXd common = system.constrained.transpose() * x;
    std::size_t row = 0;
    std::vector<std::size_t> wrong;
    for (std::size_t leaf = 0; leaf < hierarchy_.leaves; ++leaf) {
      double pull = 0;
      for (const HierarchyLevel& level : hierarchy_.levels)
        pull -= x[static_cast<Eigen::Index>(level.first_node + static_cast<std::size_t>(level.group[leaf]))];
      if (held[leaf] != 0) {
        const double multiplier = x[static_cast<Eigen::Index>(upper + row++)];
        leaves[leaf] = 0;
        const bool stays = !closed.empty() && closed[leaf] != 0;
        if (!stays && multiplier * covariance_.variance[upper + leaf] > 1e-9 * size) wrong.push_back(leaf);
        continue;
      }
      double moved = forecast[upper + leaf] - covariance_.variance[upper + leaf] * pull;
      for (std::size_t k = 0; k < covariance_.rank; ++k)
        moved -=
            covariance_.factor[(upper + leaf) * covariance_.rank + k] * common[static_cast<Eigen::Index>(k)];
      leaves[leaf] = moved;
      if (moved < -1e-9 * size) wrong.push_back(leaf);
    }
    if (!non_negative || wrong.empty()) break;
    if (wrong.size() < fewest) {
      fewest = wrong.size();
      patience = 3;
    } else if (--patience < 0) {
      wrong.erase(wrong.begin(), wrong.end() - 1);
    }
    for (const std::size_t leaf : wrong) held[leaf] ^= 1;
  }
  if (non_negative)
    for (double& leaf : leaves) leaf = std::max(leaf, 0.0);
}

}  // namespace tillcast::forecast
