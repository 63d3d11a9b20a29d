#include "api/json_writer.h"
#include "api/routes.h"

namespace tillcast::api {
namespace {

Schema alert_schema() {
  const auto error = [](const char* description) { return number_schema(description).or_null(); };
  return object_schema(
             {{"plan", string_schema("forecast plan")},
              {"series_id", string_schema("null: the plan as a whole").or_null()},
              {"model_version", integer_schema("that made the forecasts")},
              {"opened_at", string_schema("UTC").with_format("date-time")},
              {"closed_at", string_schema("null while it is open").with_format("date-time").or_null()},
              {"reason", string_schema("what degraded")},
              {"wape", error("of the forecasts that came due")},
              {"wape_expected", error("by the back-test")},
              {"wape_seasonal_naive", error("of the seasonal naive, from the same origins")}},
             "Forecasts that turned out worse than they should be.")
      .with_name("ForecastAlert");
}

void write_alert(JsonWriter& out, const pipeline::ForecastAlert& alert) {
  out.begin_object();
  out.field("plan", alert.plan);
  out.field_or_null("series_id", alert.series_id);
  out.field("model_version", alert.model_version);
  out.field("opened_at", format_timestamp(alert.opened_at));
  out.field_or_null("closed_at", alert.closed_at ? format_timestamp(*alert.closed_at) : "");
  out.field("reason", alert.reason);
  out.number_or_null("wape", alert.wape);
  out.number_or_null("wape_expected", alert.wape_expected);
  out.number_or_null("wape_seasonal_naive", alert.wape_seasonal_naive);
  out.end_object();
}

}  // namespace

void add_alert_routes(std::vector<Route>& routes, pipeline::Service& service) {
  Route route;
  route.path = "/api/v1/alerts";
  route.operation_id = "list_alerts";
  route.tag = "models";
  route.summary = "Forecasts that degraded: open alerts of the monitor, of whole plans first";
  route.parameters = {
      query_parameter("plan", string_schema("only this plan; empty = all").with_length(0, 200)),
      query_parameter(
          "state",
          enum_schema({"open", "all"}, "all: those that recovered as well").with_default(R"("open")")),
      query_parameter("limit", integer_schema("alerts at most").with_range(1, 1000).with_default("100")),
  };
  route.answers = {
      {200,
       "The alerts.",
       "application/json",
       object_schema({{"data", array_schema(alert_schema(), "open ones first, newest first")}}, "Alerts.")
           .with_name("AlertList"),
       {}}};
  route.problems = {404};
  route.handle = [&service](const RouteRequest& request) -> Result<RouteAnswer> {
    const auto alerts =
        TILLCAST_TRY_PLAIN(service.alerts({request.text("plan"), request.text("state") == "all",
                                           static_cast<int>(request.integer("limit").value_or(100))}));
    JsonWriter out;
    out.begin_object();
    out.key("data");
    out.begin_array();
    for (const auto& alert : alerts) write_alert(out, alert);
    out.end_array();
    out.end_object();
    return json_answer(out);
  };
  routes.push_back(std::move(route));
}

}  // namespace tillcast::api
