#pragma once

#include <span>

#include "forecast/model.h"
#include "forecast/seasonal.h"

namespace tillcast::forecast {

/// The Theta method of Assimakopoulos & Nikolopoulos (2000, Int. J. Forecasting 16(4)) in the state space
/// form of Fiorucci, Pellegrini, Louzada, Petropoulos & Koehler (2016, Int. J. Forecasting 32(4)).
enum class ThetaKind {
  kStandard,          ///< STM: theta = 2, one trend line over the whole history
  kDynamicOptimised,  ///< DOTM: theta estimated, the trend line follows the data
};

struct ThetaFit {
  ThetaKind kind = ThetaKind::kDynamicOptimised;
  SeasonType season = SeasonType::kNone;
  int period = 1;
  double alpha = 0.5;  ///< 0.1 .. 0.99
  double level = 0;    ///< before the first period
  double omega = 0.5;  ///< 1 - 1/theta, 0 .. 1
  double sum_of_squares =
      0;  ///< of the one-step errors on the seasonally adjusted series, from the fourth on
};

/// Estimates by least squares. Given alpha the errors are linear in level and omega, so these two are solved
/// and only alpha is searched. The season is taken out first when it is significant: multiplicative when all
/// indices are well above 0, else additive.
ThetaFit theta_fit(const History& history, ThetaKind kind, int period);

/// Filters the history with a fit and forecasts. Masked periods are filled by their season.
void theta_forecast(const History& history, const ThetaFit& fit, std::span<double> out);

/// The filter alone on a seasonally adjusted series: forecasts and, when asked, one-step errors.
void theta_filter(std::span<const double> adjusted, const ThetaFit& fit, std::span<double> errors,
                  std::span<double> out);

}  // namespace tillcast::forecast
