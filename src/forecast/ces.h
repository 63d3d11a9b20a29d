#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "forecast/model.h"

namespace tillcast::forecast {

/// Complex exponential smoothing (Svetunkov, Kourentzes & Ord 2022, Nav. Res. Logist. 69(8), "Complex
/// exponential smoothing"): a level and its "information potential" smoothed together by one complex weight,
/// which models level and trend without choosing between them. Season, estimation and choice follow
/// statsforecast's AutoCES. Masked periods advance the states and teach nothing.
enum class CesSeason : std::uint8_t {
  kNone,
  kSimple,   ///< level and potential of one season ago
  kPartial,  ///< a real additive season beside the complex level
  kFull,     ///< a complex season beside the complex level
};

/// alpha = real and imaginary part of the level's weight, beta those of the season's; a partial season has a
/// real weight only.
struct CesWeights {
  double alpha_real = 1.3;
  double alpha_imaginary = 1;
  double beta_real = 0;
  double beta_imaginary = 0;
};

/// level and potential hold one value, or one per position of the season when it is simple; season and
/// season_potential one per position, or none. Index 0 belongs to the next period.
struct CesState {
  std::vector<double> level;
  std::vector<double> potential;
  std::vector<double> season;
  std::vector<double> season_potential;
};

struct CesFit {
  CesSeason season = CesSeason::kNone;
  int period = 1;
  CesWeights weights;
  CesState initial;           ///< before the first period, by backcasting
  double sum_of_squares = 0;  ///< of the one-step errors
  double aicc = 0;            ///< n log(sum of squares) plus the price of weights; infinite when too short
};

/// Runs the filter over the history and returns the states after it. `errors` may be empty or one per period
/// (0 where masked); `squares`, when given, receives their sum.
CesState ces_filter(const History& history, CesSeason season, const CesWeights& weights, CesState initial,
                    std::span<double> errors, double* squares = nullptr);
/// Point forecasts from the states after the history.
void ces_forecast(CesSeason season, const CesWeights& weights, CesState last, std::span<double> out);

/// The states before the first period: the filter run forward from means, backward, and started from there.
CesState ces_backcast(const History& history, CesSeason season, int period, const CesWeights& weights);

/// Weights by least squares in statsforecast's box (alpha up to 1.8 and 1.9, beta to 1.5).
/// @param period  ignored for kNone; otherwise two whole seasons of history are needed
CesFit ces_fit(const History& history, CesSeason season, int period);
/// The season by AICc among the four; kNone alone where two whole seasons are missing. Pure, thread-safe.
CesFit auto_ces(const History& history, int period);

Parameters pack_ces(const CesFit& fit);
CesFit unpack_ces(const Parameters& parameters);

}  // namespace tillcast::forecast
