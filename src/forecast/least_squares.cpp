#include <Eigen/Cholesky>

#include "forecast/least_squares_internal.h"

namespace tillcast::forecast {

std::vector<double> solve_least_squares(std::span<const double> matrix, std::span<const double> target,
                                        std::size_t columns, double ridge) {
  const auto rows = static_cast<Eigen::Index>(target.size());
  const auto count = static_cast<Eigen::Index>(columns);
  const Eigen::Map<const Eigen::MatrixXd> a(matrix.data(), rows, count);
  const Eigen::Map<const Eigen::VectorXd> y(target.data(), rows);
  Eigen::MatrixXd normal(count, count);
  normal.setZero();
  normal.selfadjointView<Eigen::Lower>().rankUpdate(a.transpose());
  const double scale = normal.diagonal().maxCoeff();
  if (!(scale > 0)) return {};
  normal.diagonal().array() += ridge * scale;
  const Eigen::LLT<Eigen::MatrixXd, Eigen::Lower> factor(normal);
  if (factor.info() != Eigen::Success) return {};
  const Eigen::VectorXd x = factor.solve(a.transpose() * y);
  if (!x.allFinite()) return {};
  return {x.begin(), x.end()};
}

}  // namespace tillcast::forecast
