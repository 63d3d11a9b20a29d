#include <cmath>
#include <limits>

#include "forecast/ets_filter_internal.h"

namespace tillcast::forecast {
namespace {

constexpr double kLeastMean = 1e-10;

/// The recursions of additive and multiplicative errors are the same; only what is summed differs: e^2, or
/// (e/mean)^2 and log|mean|.
template <EtsTrend kTrend, EtsSeason kSeason, bool kRelative>
FilterSums run_filter(const double* value, const std::uint8_t* masked, std::size_t n, std::size_t period,
                      const EtsWeights& weights, double& level, double& trend, double* season,
                      double* errors) {
  const double alpha = weights.alpha;
  const double beta = weights.beta;
  const double gamma = weights.gamma;
  const double phi = kTrend == EtsTrend::kDamped ? weights.phi : 1.0;
  double l = level;
  double b = trend;
  FilterSums sums;
  double product = 1;  // of means, so that a logarithm is taken once in sixteen steps
  int factors = 0;
  std::size_t slot = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double growth = kTrend == EtsTrend::kNone ? 0.0 : phi * b;
    const double base = l + growth;
    const double s = kSeason == EtsSeason::kNone ? 0.0 : season[slot];
    const double mean = kSeason == EtsSeason::kMultiplicative ? base * s : base + s;
    double error = 0;
    if (masked[i] != 0) {
      l = base;
      b = growth;
    } else {
      error = value[i] - mean;
      double step = error;
      constexpr bool kAnyMean = kSeason == EtsSeason::kMultiplicative && !kRelative;
      if constexpr (kSeason == EtsSeason::kMultiplicative)
        step = kAnyMean && s < kLeastMean ? error : error / s;
      l = base + alpha * step;
      if constexpr (kTrend != EtsTrend::kNone) b = growth + beta * step;
      if constexpr (kSeason == EtsSeason::kAdditive) season[slot] = s + gamma * error;
      if constexpr (kSeason == EtsSeason::kMultiplicative) {
        if (!kAnyMean || base > kLeastMean) season[slot] = s + gamma * error / base;
      }
      if constexpr (kRelative) {
        if (!(mean > kLeastMean)) {
          sums.squares = std::numeric_limits<double>::infinity();
          return sums;
        }
        error /= mean;
        product *= mean;
        if (++factors == 16) {
          sums.log_means += std::log(product);
          product = 1;
          factors = 0;
        }
      }
      sums.squares += error * error;
    }
    if (errors != nullptr) errors[i] = error;
    if constexpr (kSeason != EtsSeason::kNone) slot = slot + 1 == period ? 0 : slot + 1;
  }
  if constexpr (kRelative) sums.log_means += std::log(product);
  level = l;
  trend = b;
  return sums;
}

template <EtsTrend kTrend, EtsSeason kSeason>
FilterSums run_error(bool relative, const double* value, const std::uint8_t* masked, std::size_t n,
                     std::size_t period, const EtsWeights& weights, double& level, double& trend,
                     double* season, double* errors) {
  return relative ? run_filter<kTrend, kSeason, true>(value, masked, n, period, weights, level, trend, season,
                                                      errors)
                  : run_filter<kTrend, kSeason, false>(value, masked, n, period, weights, level, trend,
                                                       season, errors);
}

template <EtsTrend kTrend>
FilterSums run_season(const EtsShape& shape, const double* value, const std::uint8_t* masked, std::size_t n,
                      const EtsWeights& weights, double& level, double& trend, double* season,
                      double* errors) {
  const auto period = static_cast<std::size_t>(shape.period);
  const bool relative = shape.multiplicative_error;
  switch (shape.season) {
    case EtsSeason::kNone:
      return run_error<kTrend, EtsSeason::kNone>(relative, value, masked, n, 1, weights, level, trend, season,
                                                 errors);
    case EtsSeason::kAdditive:
      return run_error<kTrend, EtsSeason::kAdditive>(relative, value, masked, n, period, weights, level,
                                                     trend, season, errors);
    case EtsSeason::kMultiplicative:
      return run_error<kTrend, EtsSeason::kMultiplicative>(relative, value, masked, n, period, weights, level,
                                                           trend, season, errors);
  }
  return {};
}

}  // namespace

FilterSums run_ets_filter(const EtsShape& shape, const double* value, const std::uint8_t* masked,
                          std::size_t n, const EtsWeights& weights, double& level, double& trend,
                          double* season, double* errors) {
  switch (shape.trend) {
    case EtsTrend::kNone:
      return run_season<EtsTrend::kNone>(shape, value, masked, n, weights, level, trend, season, errors);
    case EtsTrend::kAdditive:
      return run_season<EtsTrend::kAdditive>(shape, value, masked, n, weights, level, trend, season, errors);
    case EtsTrend::kDamped:
      return run_season<EtsTrend::kDamped>(shape, value, masked, n, weights, level, trend, season, errors);
  }
  return {};
}

}  // namespace tillcast::forecast
