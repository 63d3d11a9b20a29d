#include "api/routes.h"

#include "api/json_writer.h"
#include "api/openapi.h"

namespace tillcast::api {

Result<RouteAnswer> json_answer(JsonWriter& out) {
  if (!out.broken().empty()) {
    return corrupt_data("the stored data holds " + out.broken() +
                        "; rebuild the warehouse with `tillcast run`");
  }
  RouteAnswer answer;
  answer.body = out.take();
  return answer;
}

std::vector<Route> all_routes(pipeline::Service& service, Metrics& metrics, const std::string& version,
                              pipeline::JobService* jobs, std::size_t upload_bytes_max) {
  std::vector<Route> routes;
  add_kpi_routes(routes, service);
  add_series_routes(routes, service);
  add_forecast_routes(routes, service);
  add_explain_routes(routes, service);
  add_model_routes(routes, service);
  add_alert_routes(routes, service);
  add_monitor_routes(routes, service);
  add_prediction_routes(routes, service);
  if (jobs != nullptr) {
    add_job_routes(routes, service, *jobs);
    add_upload_routes(routes, *jobs, upload_bytes_max);
  }
  add_system_routes(routes, service, metrics, version);
  add_asset_routes(routes);
  add_openapi_route(routes, version);
  return routes;
}

}  // namespace tillcast::api
