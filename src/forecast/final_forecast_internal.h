#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "forecast/forecast.h"

namespace tillcast::forecast {

/// The final forecast of one series: the chosen model, else the seasonal naive, else the mean, else zero.
/// @param known   in an update what the earlier run learnt of the series, which then decides; else nullptr
/// @param learnt  models that need no fit, as it was made before: of `known`, or of a run that was stopped
SeriesForecast forecast_one(const Series& series, std::size_t at, const SeriesBacktest& test,
                            std::optional<std::size_t> chosen, std::span<const PanelForecast> panels,
                            std::span<const double> weights, const ForecastOptions& all_options,
                            const FittedSeries* known, std::span<const FittedMember> learnt);

/// Gives a series without enough history the forecast of series alike, if there are some.
void start_from_others(std::span<const Series> series, std::size_t at, const ForecastOptions& options,
                       SeriesForecast& result);

}  // namespace tillcast::forecast
