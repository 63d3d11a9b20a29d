#include <algorithm>
#include <iterator>

#include "api/json_writer.h"
#include "api/paging.h"
#include "api/request_limits.h"
#include "api/routes.h"
#include "api/series_json.h"
#include "api/target.h"

namespace tillcast::api {
namespace {

std::string next_link(const pipeline::SeriesRequest& asked, const std::string& cursor) {
  std::string more;
  if (!asked.plan.empty()) more += "&plan=" + percent_encoded(asked.plan);
  if (!asked.search.empty()) more += "&search=" + percent_encoded(asked.search);
  return next_page_link("/api/v1/series", cursor, asked.limit, more);
}

void add_list(std::vector<Route>& routes, pipeline::Service& service) {
  Route route;
  route.path = "/api/v1/series";
  route.operation_id = "list_series";
  route.tag = "forecasts";
  route.summary = "The series that can be forecast";
  route.description =
      "Ordered by plan, then largest total first. Follow next_cursor (or the Link header) for the next page.";
  route.parameters = {
      query_parameter("plan",
                      string_schema("only this forecast plan; empty = all").with_length(0, kNameLengthMax)),
      query_parameter(
          "search",
          string_schema("part of the id or label, in any case; empty = all").with_length(0, kNameLengthMax)),
  };
  std::ranges::move(page_parameters("series"), std::back_inserter(route.parameters));
  constexpr const char* kFirstSeries =
      R"({"first":{"operationId":"get_series","parameters":{"path.series_id":"$response.body#/data/0/id"}}})";
  route.answers = {{200, "A page.", "application/json", page_schema(series_schema(), "series", "SeriesPage"),
                    kFirstSeries},
                   {304, "Unchanged since that ETag.", {}, {}, {}}};
  route.problems = {404};
  route.of_data = true;
  route.handle = [&service](const RouteRequest& request) -> Result<RouteAnswer> {
    const pipeline::SeriesRequest asked{request.text("plan"), request.text("search"), request.text("cursor"),
                                        page_limit(request)};
    const auto found = TILLCAST_TRY_PLAIN(service.series(asked));
    JsonWriter out;
    begin_page(out);
    for (const auto& info : found.series) write_series(out, info);
    end_page(out, found.next_cursor);
    auto answer = json_answer(out);
    if (answer) answer->link = next_link(asked, found.next_cursor);
    return answer;
  };
  routes.push_back(std::move(route));
}

Result<RouteAnswer> series_answer(const pipeline::SeriesForecast& found,
                                  const std::vector<pipeline::HistoryPoint>& history) {
  JsonWriter out;
  out.reserve(1024 + found.points.size() * 256 + history.size() * 48);
  out.begin_object();
  out.key("series");
  write_series(out, found.info);
  out.key("forecast");
  write_forecast(out, found);
  out.key("history");
  write_history(out, history);
  out.end_object();
  return json_answer(out);
}

// What is stored needs no history: a look-up in memory.
Result<RouteAnswer> stored_answer(pipeline::Service& service, const std::string& series_id) {
  pipeline::ForecastRequest asked;
  asked.items.push_back({series_id});
  asked.strict = true;
  const auto found = TILLCAST_TRY_PLAIN(service.forecast(asked));
  if (!found.front()) return found.front().error();
  return series_answer(*found.front(), {});
}

void add_one(std::vector<Route>& routes, pipeline::Service& service) {
  Route route;
  route.path = "/api/v1/series/{series_id}";
  route.operation_id = "get_series";
  route.tag = "forecasts";
  route.summary = "One series: its stored forecast and its history";
  route.parameters = {
      path_parameter(
          "series_id",
          string_schema("id of the series, percent-encoded as one segment: stores/17 is stores%2F17")
              .with_length(1, kIdLengthMax)),
      query_parameter("history",
                      integer_schema("latest periods of history to include; 0 = none; default: all")
                          .with_range(0, kHistoryMax)),
  };
  const Schema answer =
      object_schema(
          {{"series", series_schema()}, {"forecast", forecast_schema()}, {"history", history_schema()}},
          "A series with history and stored forecast.")
          .with_name("SeriesForecast");
  route.answers = {{200, "The series.", "application/json", answer, {}},
                   {304, "Unchanged since that ETag.", {}, {}, {}}};
  route.problems = {404};
  route.of_data = true;
  route.handle = [&service](const RouteRequest& request) -> Result<RouteAnswer> {
    if (request.integer("history") == 0) return stored_answer(service, request.text("series_id"));
    std::vector<pipeline::HistoryPoint> history;
    const auto found = TILLCAST_TRY_PLAIN(service.series_forecast(request.text("series_id"), history));
    const auto wanted = static_cast<std::size_t>(
        request.integer("history").value_or(static_cast<std::int64_t>(history.size())));
    if (wanted < history.size())
      history.erase(history.begin(), history.end() - static_cast<std::ptrdiff_t>(wanted));
    return series_answer(found, history);
  };
  routes.push_back(std::move(route));
}

}  // namespace

void add_series_routes(std::vector<Route>& routes, pipeline::Service& service) {
  add_list(routes, service);
  add_one(routes, service);
}

}  // namespace tillcast::api
