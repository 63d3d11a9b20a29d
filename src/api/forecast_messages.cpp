#include "api/forecast_messages.h"

#include <tillcast/v1/forecast.pb.h>

#include <algorithm>
#include <limits>

#include "api/json_writer.h"
#include "api/problem.h"
#include "api/request_limits.h"
#include "core/text.h"

namespace tillcast::api {
namespace {

constexpr std::size_t kPointsPerMessage = 1000;

std::string range_text(const std::string& field, std::int64_t low, std::int64_t high, std::int64_t found) {
  return field + " must be " + std::to_string(low) + " to " + std::to_string(high) + ", found " +
         std::to_string(found);
}

Result<> check_range(const std::string& field, std::int64_t low, std::int64_t high, std::int64_t found) {
  if (found < low || found > high) return invalid_input(range_text(field, low, high, found));
  return {};
}

Result<> check_length(const std::string& field, std::size_t low, std::size_t high, const std::string& text) {
  const std::size_t length = characters(text);
  if (length < low || length > high)
    return invalid_input(field + " must have " + std::to_string(low) + " to " + std::to_string(high) +
                         " characters, found " + std::to_string(length));
  return {};
}

Result<> check_id(const std::string& field, const std::string& id) {
  return check_length(field, 1, kIdLengthMax, id);
}

// Data that is not UTF-8 would make a message that clients cannot read.
std::string text_of(const std::string& value) { return is_valid_utf8(value) ? value : repaired_utf8(value); }

void write_series(const pipeline::SeriesInfo& info, v1::Series& out) {
  out.set_id(text_of(info.id));
  out.set_plan(text_of(info.plan));
  out.set_label(text_of(info.label));
  out.set_store_id(text_of(info.store_id));
  out.set_product_id(text_of(info.product_id));
  out.set_measure(text_of(info.measure));
  out.set_frequency(text_of(info.frequency));
  out.set_first(format_date(info.first));
  out.set_last(format_date(info.last));
  out.set_periods(info.periods);
  out.set_total(text_of(info.total));
  out.set_model(text_of(info.model));
  out.set_demand_class(text_of(info.demand_class));
  out.set_status(text_of(info.status));
  out.set_reason(text_of(info.reason));
}

void write_bounds(const std::vector<pipeline::Interval>& intervals,
                  google::protobuf::RepeatedPtrField<v1::Interval>& out) {
  for (const auto& interval : intervals) {
    v1::Interval& bounds = *out.Add();
    bounds.set_level(interval.level);
    bounds.set_low(interval.low);
    bounds.set_high(interval.high);
  }
}

void write_quantiles(std::span<const double> shares, std::span<const double> values,
                     google::protobuf::RepeatedPtrField<v1::Quantile>& out) {
  out.Reserve(static_cast<int>(shares.size()));
  for (std::size_t i = 0; i < shares.size(); ++i) {
    v1::Quantile& quantile = *out.Add();
    quantile.set_share(shares[i]);
    quantile.set_value(values[i]);
  }
}

void write_sum(const pipeline::ForecastSum& sum, std::span<const double> shares, v1::ForecastSum& out) {
  out.set_from(format_date(sum.from));
  out.set_to(format_date(sum.to));
  out.set_periods(sum.periods);
  out.set_mean(sum.mean);
  write_bounds(sum.intervals, *out.mutable_intervals());
  write_quantiles(shares, sum.quantiles, *out.mutable_quantiles());
}

void write_found(const pipeline::SeriesForecast& found, v1::SeriesForecast& out) {
  write_series(found.info, *out.mutable_series());
  v1::Forecast& forecast = *out.mutable_forecast();
  forecast.set_run_id(text_of(found.run_id));
  forecast.set_model(text_of(found.model));
  forecast.set_data_until(format_date(found.data_until));
  forecast.set_model_version(found.model_version);
  forecast.set_variant(text_of(found.variant));
  forecast.set_thin_intervals(found.thin_intervals);
  if (found.wape >= 0) forecast.set_wape(found.wape);
  if (found.wape_seasonal_naive >= 0) forecast.set_wape_seasonal_naive(found.wape_seasonal_naive);
  if (found.extension) {
    forecast.mutable_extension()->set_from(format_date(found.extension->from));
    forecast.mutable_extension()->set_model(text_of(found.extension->model));
    forecast.mutable_extension()->set_refitted(found.extension->refitted);
    forecast.mutable_extension()->set_reason(text_of(found.extension->reason));
  }
  if (found.cold_start) {
    v1::ColdStart& start = *forecast.mutable_cold_start();
    start.set_basis(text_of(found.cold_start->basis));
    for (const auto& part : found.cold_start->known) start.add_known(part);
    start.set_series(found.cold_start->series);
  }
  forecast.mutable_points()->Reserve(static_cast<int>(found.points.size()));
  const std::size_t shares = found.quantile_shares.size();
  for (std::size_t i = 0; i < found.points.size(); ++i) {
    const auto& point = found.points[i];
    v1::ForecastPoint& to = *forecast.add_points();
    to.set_date(format_date(point.date));
    to.set_mean(point.mean);
    write_bounds(point.intervals, *to.mutable_intervals());
    if (shares > 0)
      write_quantiles(found.quantile_shares, std::span(found.quantiles).subspan(i * shares, shares),
                      *to.mutable_quantiles());
  }
  if (found.sum) write_sum(*found.sum, found.quantile_shares, *forecast.mutable_sum());
}

Result<> check_shares(const google::protobuf::RepeatedField<double>& shares) {
  if (static_cast<std::size_t>(shares.size()) > pipeline::kSharesMax) {
    return invalid_input(
        range_text("quantiles", 0, static_cast<std::int64_t>(pipeline::kSharesMax), shares.size()) +
        " shares");
  }
  for (int i = 0; i < shares.size(); ++i) {
    if (shares[i] >= pipeline::kShareMin && shares[i] <= pipeline::kShareMax) continue;
    std::string message = "quantiles[" + std::to_string(i) + "] must be 0.001 to 0.999, found ";
    append_number(message, shares[i]);
    return invalid_input(std::move(message));
  }
  return {};
}

template <class Values>
void write_values(const std::vector<pipeline::ExplainedValue>& values, Values& out) {
  for (const auto& value : values) {
    v1::ExplainedValue& to = *out.Add();
    to.set_date(format_date(value.date));
    to.set_value(value.value);
    for (const auto& part : value.parts) {
      v1::ExplanationPart& own = *to.add_parts();
      own.set_name(text_of(part.name));
      own.set_value(part.value);
    }
  }
}

Result<Date> read_date(const std::string& field, const std::string& text) {
  const auto date = parse_date(text);
  if (date) return *date;
  return invalid_input(field + " must be a day as YYYY-MM-DD, found '" + repaired_utf8(text.substr(0, 40)) +
                       "'");
}

}  // namespace

Result<pipeline::ExplainRequest> read_explain_request(const v1::ExplainRequest& message) {
  TILLCAST_TRY_PLAIN(check_id("series_id", message.series_id()));
  TILLCAST_TRY_PLAIN(check_range("history", 0, kHistoryMax, message.history()));
  pipeline::ExplainRequest asked{message.series_id(), {}, message.history()};
  if (!message.date().empty()) asked.date = TILLCAST_TRY_PLAIN(read_date("date", message.date()));
  return asked;
}

void write_explanation(const pipeline::SeriesExplanation& found, v1::Explanation& out) {
  write_series(found.forecast.info, *out.mutable_series());
  out.set_run_id(text_of(found.forecast.run_id));
  out.set_model(text_of(found.forecast.model));
  out.set_model_version(found.forecast.model_version);
  out.set_data_until(format_date(found.forecast.data_until));
  write_values(found.points, *out.mutable_points());
  for (const auto& model : found.models) {
    v1::ExplainedModel& to = *out.add_models();
    to.set_model(text_of(model.model));
    to.set_weight(model.weight);
    write_values(model.points, *to.mutable_points());
  }
  write_values(found.history, *out.mutable_history());
  out.set_note(text_of(found.note));
}

Result<pipeline::ForecastRequest> read_forecast_request(const v1::ForecastRequest& message) {
  pipeline::ForecastRequest asked;
  if (message.items_size() < 1 || message.items_size() > pipeline::kForecastItemsMax)
    return invalid_input(range_text("items", 1, pipeline::kForecastItemsMax, message.items_size()) +
                         " series");
  asked.items.reserve(static_cast<std::size_t>(message.items_size()));
  for (int i = 0; i < message.items_size(); ++i) {
    const std::string& id = message.items(i).series_id();
    TILLCAST_TRY_PLAIN(check_id("items[" + std::to_string(i) + "].series_id", id));
    auto& added = asked.items.emplace_back();
    added.series_id = id;
    for (const auto& [name, value] : message.items(i).attributes()) {
      TILLCAST_TRY_PLAIN(
          check_length("items[" + std::to_string(i) + "].attributes[" + name.substr(0, 80) + "]", 1,
                       kAttributeLengthMax, value));
      added.attributes[name] = value;
    }
  }
  asked.strict = message.strict();
  switch (message.ahead_case()) {
    case v1::ForecastRequest::kHorizon:
      TILLCAST_TRY_PLAIN(check_range("horizon", 1, pipeline::kPeriodsAheadMax, message.horizon()));
      asked.horizon = message.horizon();
      break;
    case v1::ForecastRequest::kDates:
      TILLCAST_TRY_PLAIN(check_range("dates", 1, pipeline::kPeriodsAheadMax, message.dates().values_size()));
      for (int i = 0; i < message.dates().values_size(); ++i) {
        asked.dates.push_back(TILLCAST_TRY_PLAIN(
            read_date("dates.values[" + std::to_string(i) + "]", message.dates().values(i))));
      }
      break;
    case v1::ForecastRequest::AHEAD_NOT_SET:
      return invalid_input("either horizon or dates must be given");
  }
  TILLCAST_TRY_PLAIN(check_shares(message.quantiles()));
  asked.quantiles.assign(message.quantiles().begin(), message.quantiles().end());
  asked.sum = message.sum();
  return asked;
}

Result<pipeline::SeriesRequest> read_series_request(const v1::ListSeriesRequest& message) {
  if (message.page_size() != 0)
    TILLCAST_TRY_PLAIN(check_range("page_size", 1, kPageMax, message.page_size()));
  TILLCAST_TRY_PLAIN(check_length("plan", 0, kNameLengthMax, message.plan()));
  TILLCAST_TRY_PLAIN(check_length("search", 0, kNameLengthMax, message.search()));
  if (characters(message.page_token()) > kCursorLengthMax)
    return invalid_input("page_token is none of ours: use next_page_token of the page before");
  return pipeline::SeriesRequest{message.plan(), message.search(), message.page_token(),
                                 message.page_size() == 0 ? kPageDefault : message.page_size()};
}

Result<std::size_t> read_history_length(const v1::GetSeriesRequest& message) {
  TILLCAST_TRY_PLAIN(check_id("series_id", message.series_id()));
  if (!message.has_history()) return std::numeric_limits<std::size_t>::max();
  TILLCAST_TRY_PLAIN(check_range("history", 0, kHistoryMax, message.history()));
  return static_cast<std::size_t>(message.history());
}

void write_forecasts(const pipeline::ForecastRequest& asked,
                     std::span<const Result<pipeline::SeriesForecast>> answers, v1::ForecastResponse& out) {
  int failed = 0;
  out.mutable_results()->Reserve(static_cast<int>(answers.size()));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    v1::ForecastResult& result = *out.add_results();
    result.set_series_id(asked.items[i].series_id);
    if (answers[i]) {
      write_found(*answers[i], *result.mutable_found());
      continue;
    }
    ++failed;
    const Error& error = answers[i].error();
    v1::Status& status = *result.mutable_error();
    status.set_code(grpc_status_from(error.code));
    status.set_message(text_of(error.message));
    status.set_reason(problem_from(error).code);
  }
  out.set_failed(failed);
}

void write_page(const pipeline::SeriesPage& page, v1::ListSeriesResponse& out) {
  out.mutable_series()->Reserve(static_cast<int>(page.series.size()));
  for (const auto& info : page.series) write_series(info, *out.add_series());
  out.set_next_page_token(page.next_cursor);
}

std::vector<v1::GetSeriesResponse> series_messages(const pipeline::SeriesForecast& found,
                                                   std::span<const pipeline::HistoryPoint> history,
                                                   std::size_t history_length) {
  std::vector<v1::GetSeriesResponse> messages(1);
  write_found(found, *messages[0].mutable_found());
  history = history.last(std::min(history_length, history.size()));
  while (!history.empty()) {
    const auto piece = history.first(std::min(kPointsPerMessage, history.size()));
    history = history.subspan(piece.size());
    v1::History& out = *messages.emplace_back().mutable_history();
    out.mutable_points()->Reserve(static_cast<int>(piece.size()));
    for (const auto& point : piece) {
      v1::HistoryPoint& to = *out.add_points();
      to.set_date(format_date(point.date));
      to.set_value(point.value);
    }
  }
  return messages;
}

}  // namespace tillcast::api
