#pragma once

#include <span>
#include <vector>

#include "forecast/ets.h"
#include "forecast/model.h"

namespace tillcast::forecast {

/// STL, a seasonal-trend decomposition by loess (Cleveland, Cleveland, McRae & Terpenning 1990, J. Off. Stat.
/// 6(1)), with the defaults of R's stats::stl. All windows are odd counts of periods.
struct StlOptions {
  int season_window = 0;  ///< cycles that form a season's local mean; 0 = periodic, the same season for ever
  int trend_window = 0;   ///< 0 = the smallest odd count >= 1.5 period / (1 - 1.5 / season_window)
  int inner = 2;          ///< passes of season and trend
  int outer = 0;          ///< rounds of robustness weights (bisquare), which take outliers out of the fit
};

/// values = season + trend + remainder, one of each per period.
struct Stl {
  std::vector<double> season;
  std::vector<double> trend;
  std::vector<double> remainder;
};

/// @param period  periods in a season, >= 2; more than two whole seasons of values are needed
/// Pure, thread-safe.
Stl stl(std::span<const double> values, int period, const StlOptions& options);

/// MSTL: STL for several seasons in turn (Bandara, Hyndman & Bergmeir 2021, arXiv 2107.13462), as R's
/// forecast::mstl and statsforecast do it: shortest season first, two rounds, season windows 11, 15, 19...
struct Mstl {
  std::vector<int> periods;                  ///< those that had two whole seasons, shortest first
  std::vector<std::vector<double>> seasons;  ///< one per period, as long as the values
  std::vector<double> trend;
  std::vector<double> remainder;
};
/// @param periods  periods in each season, shortest first; those without two whole seasons are left out, and
/// with none left the trend is the mean
/// Pure, thread-safe.
Mstl mstl(std::span<const double> values, std::span<const int> periods);

/// Forecast by MSTL: each season's last cycle is repeated, what is left (trend and remainder) is forecast by
/// exponential smoothing without season, its trend damped or none by AICc. Masked periods are filled by
/// fill_masked() for the decomposition and teach the smoothing nothing.
struct MstlFit {
  std::vector<int> periods;
  EtsFit adjusted;  ///< of the seasonally adjusted series
};
MstlFit mstl_fit(const History& history);
void mstl_forecast(const History& history, const MstlFit& fit, std::span<double> out);

Parameters pack_mstl(const MstlFit& fit);
MstlFit unpack_mstl(const Parameters& parameters);

}  // namespace tillcast::forecast
