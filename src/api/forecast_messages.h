#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "pipeline/service.h"

/// Of the generated proto/tillcast/v1/forecast.proto, which is heavy and seen in .cpp files only.
namespace tillcast::v1 {
class Explanation;
class ExplainRequest;
class ForecastRequest;
class ForecastResponse;
class GetSeriesRequest;
class GetSeriesResponse;
class ListSeriesRequest;
class ListSeriesResponse;
}  // namespace tillcast::v1

namespace tillcast::api {

/// Between protobuf messages and the Service's types. Pure functions, thread-safe. The limits are those of
/// the HTTP API: 1 to 1,000 items, 1 to 366 periods or dates, ids of 1 to 500 bytes, pages of 1 to 1,000.

/// @return kInvalidInput naming the field that is missing or out of range.
Result<pipeline::ForecastRequest> read_forecast_request(const v1::ForecastRequest& message);
Result<pipeline::SeriesRequest> read_series_request(const v1::ListSeriesRequest& message);
Result<pipeline::ExplainRequest> read_explain_request(const v1::ExplainRequest& message);
void write_explanation(const pipeline::SeriesExplanation& found, v1::Explanation& out);
/// Latest periods of history wanted; the largest size when the message does not say.
Result<std::size_t> read_history_length(const v1::GetSeriesRequest& message);

/// One result per item, in order; an item that failed carries its error with the gRPC status code of
/// problem.h's table.
void write_forecasts(const pipeline::ForecastRequest& asked,
                     std::span<const Result<pipeline::SeriesForecast>> answers, v1::ForecastResponse& out);
void write_page(const pipeline::SeriesPage& page, v1::ListSeriesResponse& out);
/// The messages of one GetSeries answer: the series with its forecast, then the last `history_length` periods
/// of its history in pieces of up to 1,000.
std::vector<v1::GetSeriesResponse> series_messages(const pipeline::SeriesForecast& found,
                                                   std::span<const pipeline::HistoryPoint> history,
                                                   std::size_t history_length);

}  // namespace tillcast::api
