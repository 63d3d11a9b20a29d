#include <algorithm>
#include <array>
#include <cstddef>

#include "forecast/level_fit_internal.h"

namespace tillcast::forecast {
namespace {

// The passes of several alphas do not wait for each other: eight cost little more than one.
constexpr std::size_t kLanes = 8;
using Lanes = std::array<double, kLanes>;
// Under what decays to nothing: denormal numbers would cost more than all the rest.
constexpr double kNoDenormals = 1e-100;

struct Tried {
  Lanes squares;
  Lanes shift;  ///< of the first level
};

/// The sum of squares of each alpha at its best first level.
Tried try_alphas(std::span<const double> values, double start, const Lanes& alpha) {
  Lanes keep;
  Lanes level;
  Lanes power;  // keep^i: what a shift of the first level still moves
  Lanes squares{};
  Lanes product{};
  Lanes power_squares{};
  for (std::size_t k = 0; k < kLanes; ++k) {
    keep[k] = 1 - alpha[k];
    level[k] = start;
    power[k] = 1;
  }
  for (const double value : values) {
    for (std::size_t k = 0; k < kLanes; ++k) {
      const double error = value - level[k];
      squares[k] += error * error;
      product[k] += error * power[k];
      power_squares[k] += power[k] * power[k];
      level[k] = keep[k] * level[k] + (alpha[k] * value + kNoDenormals);
      power[k] = power[k] * keep[k] + kNoDenormals;
    }
  }
  Tried tried;
  for (std::size_t k = 0; k < kLanes; ++k) {
    tried.shift[k] = product[k] / power_squares[k];
    tried.squares[k] = std::max(squares[k] - product[k] * tried.shift[k], 0.0);
  }
  return tried;
}

class LevelSearch {
 public:
  LevelSearch(std::span<const double> values, double start) : values_(values), start_(start) {}

  void consider(const Lanes& alpha) {
    const Tried tried = try_alphas(values_, start_, alpha);
    for (std::size_t k = 0; k < kLanes; ++k) {
      if (begun_ && tried.squares[k] >= best_.squares) continue;
      begun_ = true;
      best_ = {alpha[k], start_ + tried.shift[k], tried.squares[k]};
    }
  }
  const LevelFit& best() const { return best_; }

 private:
  std::span<const double> values_;
  double start_;
  LevelFit best_;
  bool begun_ = false;
};

}  // namespace

LevelFit fit_level(std::span<const double> values, double start, double alpha, double lower, double upper) {
  // Every alpha fits a line that never moves, and rounding must not pick one.
  if (std::ranges::all_of(values, [start](double value) { return value == start; }))
    return {.alpha = std::clamp(alpha, lower, upper), .level = start, .squares = 0};
  LevelSearch search(values, start);
  constexpr std::size_t kGrid = 2 * kLanes - 1;  // and the alpha that is kept
  std::array<double, kGrid> grid;
  for (std::size_t i = 0; i < kGrid; ++i) {
    const double share = static_cast<double>(i) / (kGrid - 1);
    grid[i] = lower + (upper - lower) * share * share;
  }
  Lanes lanes;
  lanes[0] = std::clamp(alpha, lower, upper);
  std::copy_n(grid.begin(), kLanes - 1, lanes.begin() + 1);
  search.consider(lanes);
  std::copy_n(grid.begin() + kLanes - 1, kLanes, lanes.begin());
  search.consider(lanes);
  const auto above = std::ranges::upper_bound(grid, search.best().alpha);
  double right = above == grid.end() ? upper : *above;
  const auto below = std::ranges::lower_bound(grid, search.best().alpha);
  double left = below == grid.begin() ? lower : *(below - 1);
  constexpr double kWidthLeast = 1e-4;
  while (right - left > kWidthLeast) {
    const double cell = (right - left) / (kLanes + 1);
    for (std::size_t k = 0; k < kLanes; ++k) lanes[k] = left + cell * static_cast<double>(k + 1);
    search.consider(lanes);
    left = std::max(left, search.best().alpha - cell);
    right = std::min(right, search.best().alpha + cell);
  }
  return search.best();
}

}  // namespace tillcast::forecast
