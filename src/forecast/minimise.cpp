#include <nlopt.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "core/check.h"
#include "forecast/minimise_internal.h"

namespace tillcast::forecast::internal {
namespace {

struct DestroyOptimiser {
  void operator()(nlopt_opt optimiser) const noexcept { nlopt_destroy(optimiser); }
};

/// Remembers the best point by itself: NLopt loses it when it stops on a rounding error.
struct Tracker {
  RawObjective objective;
  void* context;
  std::size_t size;
  double best = std::numeric_limits<double>::infinity();
  std::array<double, 16> best_at{};

  double operator()(const double* x) {
    double value = objective(x, context);
    if (!std::isfinite(value)) value = 1e100;
    if (value < best) {
      best = value;
      std::copy_n(x, size, best_at.begin());
    }
    return value;
  }
};

double evaluate(unsigned, const double* x, double*, void* tracker) {
  return (*static_cast<Tracker*>(tracker))(x);
}

void search_line(Tracker& tracker, double lower, double upper, const MinimiseOptions& options) {
  constexpr int kGrid = 9;
  constexpr double kGolden = 0.6180339887498949;
  const double cell = (upper - lower) / (kGrid - 1);
  for (int i = 0; i < kGrid; ++i) {
    const double at = lower + cell * i;
    tracker(&at);
  }
  double left = std::max(lower, tracker.best_at[0] - cell);
  double right = std::min(upper, tracker.best_at[0] + cell);
  double a = right - kGolden * (right - left);
  double b = left + kGolden * (right - left);
  double value_a = tracker(&a);
  double value_b = tracker(&b);
  for (int i = kGrid + 2; i < options.evaluations_max && right - left > options.tolerance * (upper - lower);
       ++i) {
    if (value_a <= value_b) {
      right = b;
      b = a;
      value_b = value_a;
      a = right - kGolden * (right - left);
      value_a = tracker(&a);
    } else {
      left = a;
      a = b;
      value_a = value_b;
      b = left + kGolden * (right - left);
      value_b = tracker(&b);
    }
  }
}

}  // namespace

double minimise_raw(std::span<double> x, std::span<const double> lower, std::span<const double> upper,
                    const MinimiseOptions& options, RawObjective objective, void* context) {
  Tracker tracker{objective, context, x.size()};
  TILLCAST_CHECK(x.size() <= tracker.best_at.size(), "too many variables for minimise()");
  tracker(x.data());
  if (x.size() == 1) {
    search_line(tracker, lower[0], upper[0], options);
  } else if (x.size() > 1) {
    const auto n = static_cast<unsigned>(x.size());
    const std::unique_ptr<nlopt_opt_s, DestroyOptimiser> optimiser(nlopt_create(NLOPT_LN_BOBYQA, n));
    std::vector<double> steps(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) steps[i] = options.step * (upper[i] - lower[i]);
    nlopt_set_lower_bounds(optimiser.get(), lower.data());
    nlopt_set_upper_bounds(optimiser.get(), upper.data());
    nlopt_set_min_objective(optimiser.get(), evaluate, &tracker);
    nlopt_set_initial_step(optimiser.get(), steps.data());
    nlopt_set_xtol_abs1(optimiser.get(), options.tolerance);
    nlopt_set_ftol_rel(optimiser.get(), options.tolerance * 1e-2);
    nlopt_set_maxeval(optimiser.get(), options.evaluations_max);
    std::vector<double> at(x.begin(), x.end());
    double value = 0;
    // Every way it can stop (tolerance, evaluations, rounding) leaves the best point in the tracker.
    (void)nlopt_optimize(optimiser.get(), at.data(), &value);
  }
  std::copy_n(tracker.best_at.begin(), x.size(), x.begin());
  return tracker.best;
}

}  // namespace tillcast::forecast::internal
