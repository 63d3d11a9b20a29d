#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace tillcast::forecast {

/// Solves min |target - matrix * x|^2 by the normal equations with a relative ridge. `matrix` is column by
/// column, columns x target.size(). @return x, or empty when the system is not positive definite.
std::vector<double> solve_least_squares(std::span<const double> matrix, std::span<const double> target,
                                        std::size_t columns, double ridge);

}  // namespace tillcast::forecast
