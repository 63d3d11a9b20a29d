#include "api/json_writer.h"
#include "api/request_limits.h"
#include "api/routes.h"

namespace tillcast::api {
namespace {

Schema figures_schema() {
  const auto share = [](const char* description) { return number_schema(description).or_null(); };
  return object_schema(
             {{"plan", string_schema("forecast plan")},
              {"series_id", string_schema("null: the plan as a whole").or_null()},
              {"model_version", integer_schema("that made the forecasts")},
              {"window_periods", integer_schema("how many periods back from until: one horizon, or four")},
              {"until", date_schema("last period of the window")},
              {"points", integer_schema("forecasts that came due in it")},
              {"wape", share("error in shares of sales; null where nothing was sold")},
              {"wape_expected", share("by the back-test; null when it is unknown")},
              {"wape_seasonal_naive", share("of the seasonal naive, from the same origins")},
              {"bias", share("forecasts less sales, in shares of sales")},
              {"coverage80", share("share of sales inside the 80 % intervals; null without intervals")},
              {"coverage95", share("the same of 95 %")},
              {"state", enum_schema({"ok", "few", "degraded"}, "few: too few points to tell")},
              {"reason", string_schema("what degraded; null when nothing did").or_null()}},
             "Forecasts of one version against what came.")
      .with_name("MonitorFigures");
}

void write_figures(JsonWriter& out, const pipeline::MonitorFigures& figures) {
  out.begin_object();
  out.field("plan", figures.plan);
  out.field_or_null("series_id", figures.series_id);
  out.field("model_version", figures.model_version);
  out.field("window_periods", figures.window_periods);
  out.field("until", figures.until);
  out.field("points", figures.points);
  out.number_or_null("wape", figures.wape);
  out.number_or_null("wape_expected", figures.wape_expected);
  out.number_or_null("wape_seasonal_naive", figures.wape_seasonal_naive);
  out.number_or_null("bias", figures.bias);
  out.number_or_null("coverage80", figures.coverage80);
  out.number_or_null("coverage95", figures.coverage95);
  out.field("state", figures.state);
  out.field_or_null("reason", figures.reason);
  out.end_object();
}

}  // namespace

void add_monitor_routes(std::vector<Route>& routes, pipeline::Service& service) {
  Route route;
  route.path = "/api/v1/monitor";
  route.operation_id = "get_monitor";
  route.tag = "models";
  route.summary = "Older forecasts against what came: errors and coverage of plans, or of one series";
  route.description =
      "By plan, newest version first, the short window first. Nothing until days that were forecast have "
      "come.";
  route.parameters = {
      query_parameter("plan", string_schema("only this plan; empty = all").with_length(0, kNameLengthMax)),
      query_parameter(
          "series_id",
          string_schema("of this series alone; empty = of plans as a whole").with_length(0, kIdLengthMax)),
      query_parameter("limit", integer_schema("figures at most").with_range(1, 1000).with_default("100")),
  };
  route.answers = {
      {200,
       "The figures.",
       "application/json",
       object_schema({{"data", array_schema(figures_schema(), "one for each version and window")}},
                     "Forecasts against what came.")
           .with_name("MonitorList"),
       {}}};
  route.problems = {404};
  route.handle = [&service](const RouteRequest& request) -> Result<RouteAnswer> {
    const auto found =
        TILLCAST_TRY_PLAIN(service.monitor({request.text("plan"), request.text("series_id"),
                                            static_cast<int>(request.integer("limit").value_or(100))}));
    JsonWriter out;
    out.begin_object();
    out.key("data");
    out.begin_array();
    for (const auto& figures : found) write_figures(out, figures);
    out.end_array();
    out.end_object();
    return json_answer(out);
  };
  routes.push_back(std::move(route));
}

}  // namespace tillcast::api
