#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "forecast/forecast.h"

namespace tillcast::forecast {

/// The final forecast of one series: the chosen model, else the seasonal naive, else the mean, else zero. In
/// an update (`known` set) with what was learnt.
SeriesForecast forecast_one(const Series& series, std::size_t at, const SeriesBacktest& test,
                            std::optional<std::size_t> chosen, std::span<const PanelForecast> panels,
                            std::span<const double> weights, const ForecastOptions& all_options,
                            const FittedSeries* known);

/// Gives a series without enough history the forecast of series alike, if there are some.
void start_from_others(std::span<const Series> series, std::size_t at, const ForecastOptions& options,
                       SeriesForecast& result);

}  // namespace tillcast::forecast
