#pragma once

#include <string>
#include <vector>

#include "api/route.h"
#include "core/metrics.h"
#include "pipeline/job_service.h"
#include "pipeline/service.h"

namespace tillcast::api {

class JsonWriter;

/// Each adds the routes of one file; all_routes() calls them in the order of the documentation.
void add_kpi_routes(std::vector<Route>& routes, pipeline::Service& service);
void add_series_routes(std::vector<Route>& routes, pipeline::Service& service);
void add_explain_routes(std::vector<Route>& routes, pipeline::Service& service);
void add_forecast_routes(std::vector<Route>& routes, pipeline::Service& service);
void add_model_routes(std::vector<Route>& routes, pipeline::Service& service);
void add_alert_routes(std::vector<Route>& routes, pipeline::Service& service);
void add_monitor_routes(std::vector<Route>& routes, pipeline::Service& service);
void add_system_routes(std::vector<Route>& routes, pipeline::Service& service, Metrics& metrics,
                       const std::string& version);
void add_asset_routes(std::vector<Route>& routes);

void add_prediction_routes(std::vector<Route>& routes, pipeline::Service& service);
void add_job_routes(std::vector<Route>& routes, pipeline::Service& service, pipeline::JobService& jobs);
void add_upload_routes(std::vector<Route>& routes, pipeline::JobService& jobs, std::size_t upload_bytes_max);

/// Every route, /openapi.json with the document of them all included; without `jobs`, none for training, jobs
/// and uploads.
std::vector<Route> all_routes(pipeline::Service& service, Metrics& metrics, const std::string& version,
                              pipeline::JobService* jobs = nullptr,
                              std::size_t upload_bytes_max = std::size_t{512} << 20);

/// The finished JSON as a route's answer, or kCorruptData when a value could not be written.
Result<RouteAnswer> json_answer(JsonWriter& out);

}  // namespace tillcast::api
