#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace tillcast::forecast {

struct LoessOptions {
  std::size_t window = 7;  ///< neighbours that form each local fit; more than there are values is allowed
  int degree = 1;          ///< 0 = local mean, 1 = local line
  std::size_t jump = 1;    ///< fits every jump-th value and draws lines between them
};

/// Local regression with tricube weights on equally spaced values (Cleveland 1979, J. Am. Stat. Assoc.
/// 74(368)), as STL uses it (Cleveland, Cleveland, McRae & Terpenning 1990). Reuses its buffers; one object
/// per thread.
class Loess {
 public:
  /// Smooths `values` into `out` (same length).
  /// @param weights  empty, or one >= 0 for each value; where a whole window weighs 0 the value itself stays
  void smooth(std::span<const double> values, std::span<const double> weights, const LoessOptions& options,
              std::span<double> out);
  /// The local fit at place `x`, counted from 1 and possibly outside, over the values `left` to `right`
  /// (counted from 1). @return false when these weigh nothing; `fitted` is then unchanged.
  bool fit_at(std::span<const double> values, std::span<const double> weights, const LoessOptions& options,
              std::size_t x, std::size_t left, std::size_t right, double& fitted);

 private:
  std::vector<double> weight_;
  // What weight_ belongs to: without given weights, windows inside the series share theirs.
  std::size_t before_ = 0;
  std::size_t width_ = 0;
  std::size_t window_ = 0;
  std::size_t count_ = 0;
  int degree_ = -1;
};

}  // namespace tillcast::forecast
