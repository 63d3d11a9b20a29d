#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "forecast/forecast.h"

namespace tillcast::forecast {

/// The back-test of an update: the one column that the fitted model left; no origins where nothing is known.
SeriesBacktest restored_backtest(const Series& series, const FittedSeries* fitted,
                                 const BacktestOptions& options);

/// What a run chose for a series without the newest origin.
struct ChosenBefore {
  std::optional<std::size_t> model;  ///< its place in SeriesBacktest::models
  std::span<const double> scores;    ///< of each of these (score_models)
};

/// Own choice, champion and seasonal naive on the newest origin, in at most so many stretches of the horizon;
/// empty without a choice or an origin. `rival` may be nullptr.
std::vector<HeldOut> hold_out(const Series& series, const SeriesBacktest& test, const ChosenBefore& before,
                              const FittedSeries* rival, std::size_t stretches,
                              const ForecastOptions& options);

}  // namespace tillcast::forecast
