#pragma once

#include <vector>

#include "api/json_schema.h"
#include "pipeline/service.h"

namespace tillcast::api {

class JsonWriter;

/// Series and forecasts in JSON, and the schemas that describe them: kept side by side so that they stay
/// alike.
Schema series_schema();    ///< "Series"
Schema forecast_schema();  ///< "Forecast"
void write_series(JsonWriter& out, const pipeline::SeriesInfo& info);
void write_forecast(JsonWriter& out, const pipeline::SeriesForecast& forecast);

Schema history_schema();
void write_history(JsonWriter& out, const std::vector<pipeline::HistoryPoint>& history);

}  // namespace tillcast::api
