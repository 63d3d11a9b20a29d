#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "forecast/model.h"

namespace tillcast::forecast {

/// Exponential smoothing in innovations state space form (Hyndman, Koehler, Ord & Snyder 2008, "Forecasting
/// with Exponential Smoothing"), error E, trend T and season S written as ETS(E,T,S). Errors and season may
/// be multiplicative, trends are additive. Masked periods advance the states and teach nothing.
enum class EtsTrend : std::uint8_t { kNone, kAdditive, kDamped };
enum class EtsSeason : std::uint8_t { kNone, kAdditive, kMultiplicative };

struct EtsShape {
  bool multiplicative_error = false;
  EtsTrend trend = EtsTrend::kNone;
  EtsSeason season = EtsSeason::kNone;
  int period = 1;  ///< periods in a season; used when season is not kNone

  /// As in the literature: "ANN", "AAdA", "MNM".
  std::string name() const;
  /// Smoothing weights and states that are estimated, and the variance: the count of an information
  /// criterion.
  int parameter_count() const;
};

/// Smoothing weights in the usual region: 0 < beta < alpha < 1, 0 < gamma < 1 - alpha, 0.8 <= phi <= 0.98.
struct EtsWeights {
  double alpha = 0.1;
  double beta = 0;
  double gamma = 0;
  double phi = 1;
};

/// Level, trend and seasonal states. season[0] belongs to the first period of the history.
struct EtsState {
  double level = 0;
  double trend = 0;
  std::vector<double> season;
};

struct EtsFit {
  EtsShape shape;
  EtsWeights weights;
  EtsState initial;
  double sum_of_squares = 0;            ///< of the errors; relative ones when the error is multiplicative
  double minus_two_log_likelihood = 0;  ///< up to a constant, as R's forecast::ets counts it
  double aicc = 0;                      ///< Hurvich & Tsai 1989; infinite when there are too few observations
};

/// Runs the filter over the history from `initial` and returns the states after its last period; season[0]
/// then belongs to the first period of the forecast. `errors` may be empty or one per period (0 where
/// masked).
EtsState ets_filter(const History& history, const EtsShape& shape, const EtsWeights& weights,
                    EtsState initial, std::span<double> errors);

/// Point forecasts from the states after the history.
void ets_forecast(const EtsShape& shape, const EtsWeights& weights, const EtsState& last,
                  std::span<double> out);

/// Estimates weights and initial states of one shape by maximum likelihood. For additive errors and season
/// the errors are linear in the initial states, so these are solved by least squares given the weights
/// instead of being searched, and only the one to four weights are searched.
/// @param simpler  a fit of the same history without trend, season or multiplicative error to start from, or
/// nullptr
EtsFit ets_fit(const History& history, const EtsShape& shape, const EtsFit* simpler = nullptr);

struct AutoEtsOptions {
  bool allow_multiplicative = true;  ///< used only when every value is positive
  /// The boldest trend to try. An undamped one wins in-sample and then runs away over six weeks; Gardner &
  /// McKenzie 1985, Manage. Sci. 31(10), is why damped is the default.
  EtsTrend trend = EtsTrend::kDamped;
};

/// Chooses the shape by AICc: the season first, then the error, then the trend (stepwise instead of all
/// combinations: a third of the fits, each started from the simpler one).
EtsFit auto_ets(const History& history, int period, const AutoEtsOptions& options);

/// A fit as plain numbers, so that a later origin can filter with it, and back.
Parameters pack_ets(const EtsFit& fit);
EtsFit unpack_ets(const Parameters& parameters);

}  // namespace tillcast::forecast
