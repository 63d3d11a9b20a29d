#include "api/json_writer.h"
#include "api/routes.h"

namespace tillcast::api {
namespace {

Route system_route(std::string path, std::string operation_id, std::string summary) {
  Route route;
  route.path = std::move(path);
  route.operation_id = std::move(operation_id);
  route.tag = "operations";
  route.summary = std::move(summary);
  route.runs = Route::Runs::kLoop;
  return route;
}

}  // namespace

void add_system_routes(std::vector<Route>& routes, pipeline::Service& service, Metrics& metrics,
                       const std::string& version) {
  Route live = system_route("/livez", "livez", "The process runs");
  const Schema live_schema = object_schema({{"status", enum_schema({"ok"}, "")}}, "").with_name("Liveness");
  live.answers = {{200, "It does.", "application/json", live_schema, {}}};
  live.handle = [](const RouteRequest&) -> Result<RouteAnswer> {
    RouteAnswer answer;
    answer.fixed_body = R"({"status":"ok"})";
    return answer;
  };
  routes.push_back(std::move(live));

  Route ready = system_route("/readyz", "readyz", "Data is there and can be asked for");
  const Schema ready_schema = object_schema({{"status", enum_schema({"ready", "not_ready"}, "")},
                                             {"detail", string_schema("the last run, or what is missing")}},
                                            "")
                                  .with_name("Readiness");
  ready.answers = {{200, "Ready.", "application/json", ready_schema, {}},
                   {503, "Not ready, or too busy.", "application/json", ready_schema, {}}};
  ready.runs = Route::Runs::kStatus;
  ready.handle = [&service](const RouteRequest&) -> Result<RouteAnswer> {
    const auto readiness = service.readiness();
    JsonWriter out;
    out.begin_object();
    out.field("status", readiness.ready ? "ready" : "not_ready");
    out.field("detail", readiness.detail);
    out.end_object();
    auto answer = json_answer(out);
    if (answer && !readiness.ready) answer->status = 503;
    return answer;
  };
  routes.push_back(std::move(ready));

  Route scrape = system_route("/metrics", "metrics", "Metrics in Prometheus text format 0.0.4");
  scrape.answers = {{200, "The metrics.", "text/plain", {}, {}}};
  scrape.handle = [&metrics](const RouteRequest&) -> Result<RouteAnswer> {
    RouteAnswer answer;
    answer.body = metrics.text();
    answer.media_type = "text/plain; version=0.0.4; charset=utf-8";
    return answer;
  };
  routes.push_back(std::move(scrape));

  Route about = system_route("/version", "version", "Name and version of the server");
  const Schema version_schema =
      object_schema({{"name", string_schema("")}, {"version", string_schema("")}}, "").with_name("Version");
  about.answers = {{200, "The version.", "application/json", version_schema, {}}};
  about.handle = [version](const RouteRequest&) -> Result<RouteAnswer> {
    JsonWriter out;
    out.begin_object();
    out.field("name", "tillcast");
    out.field("version", version);
    out.end_object();
    return json_answer(out);
  };
  routes.push_back(std::move(about));
}

}  // namespace tillcast::api
