#include "api/openapi.h"

#include <algorithm>
#include <set>

#include "api/json_writer.h"
#include "api/problem.h"
#include "api/server.h"

namespace tillcast::api {
namespace {

std::string_view explained(int status) {
  switch (status) {
    case 400:
      return "The request cannot be parsed: malformed HTTP, percent-encoding or JSON, or a bad Host.";
    case 403:
      return "Asked by a page of another site (Origin).";
    case 404:
      return "Nothing is here: an unknown id, or no data yet.";
    case 405:
      return "The path exists and takes other methods, see Allow.";
    case 406:
      return "Accept excludes the media type of this path.";
    case 409:
      return "Another owner, version or writer was there first.";
    case 413:
      return "The body is larger than this path takes.";
    case 414:
      return "The request target is longer than 8 KiB.";
    case 415:
      return "The body has none of the media types of this path.";
    case 421:
      return "The Host header names a host this server does not answer for.";
    case 422:
      return "Well-formed, but a value is not valid: see errors.";
    case 431:
      return "The header is larger than 16 KiB.";
    case 500:
      return "An internal error; the log has it under request_id.";
    case 503:
      return "Too busy or shutting down: try again after Retry-After seconds.";
    case 505:
      return "Neither HTTP/1.1 nor HTTP/1.0.";
    case 507:
      return "The disk is full: send the request again once there is space. Of an upload nothing is kept.";
    default:
      return "A problem.";
  }
}

void write_problem_responses(JsonWriter& out, const std::set<int>& statuses) {
  out.key("responses");
  out.begin_object();
  for (const int status : statuses) {
    out.key("Problem" + std::to_string(status));
    out.begin_object();
    out.field("description", explained(status));
    out.key("headers");
    out.begin_object();
    if (status == 405) out.key("Allow"), out.raw(R"({"required":true,"schema":{"type":"string"}})");
    if (status == 503)
      out.key("Retry-After"), out.raw(R"({"description":"seconds","schema":{"type":"integer"}})");
    out.key("X-Request-Id"), out.raw(R"({"schema":{"type":"string"}})");
    out.end_object();
    out.key("content");
    out.begin_object();
    out.key("application/problem+json");
    out.begin_object();
    out.key("schema");
    write_schema(out, problem_schema());
    out.end_object();
    out.end_object();
    out.end_object();
  }
  out.end_object();
}

void write_parameter(JsonWriter& out, const Parameter& parameter) {
  const bool path = parameter.in == Parameter::In::kPath;
  const bool header = parameter.in == Parameter::In::kHeader;
  out.begin_object();
  out.field("name", parameter.name);
  out.field("in", path ? "path" : header ? "header" : "query");
  out.field("required", path || parameter.required);
  if (!parameter.schema.description.empty()) out.field("description", parameter.schema.description);
  out.key("schema");
  Schema bare = parameter.schema;
  bare.description.clear();
  write_schema(out, bare);
  out.end_object();
}

bool has_tag(const Route& route) {
  return std::any_of(route.answers.begin(), route.answers.end(),
                     [](const Answer& answer) { return answer.status == 304; });
}

void write_operation(JsonWriter& out, const Route& route) {
  out.begin_object();
  out.field("operationId", route.operation_id);
  out.key("tags");
  out.begin_array();
  out.text(route.tag);
  out.end_array();
  out.field("summary", route.summary);
  if (!route.description.empty()) out.field("description", route.description);
  out.key("parameters");
  out.begin_array();
  for (const Parameter& parameter : route.parameters) write_parameter(out, parameter);
  if (has_tag(route)) {
    out.raw(
        R"({"name":"If-None-Match","in":"header","required":false,"description":"the ETag of a copy you hold: 304 when it is still right","schema":{"type":"string"}})");
  }
  out.end_array();
  if (route.body) {
    out.key("requestBody");
    out.begin_object();
    out.field("required", !route.body_may_be_absent);
    out.field("description", "at most " + std::to_string(route.body_bytes_max / 1024) + " KiB");
    out.key("content");
    out.begin_object();
    out.key("application/json");
    out.begin_object();
    out.key("schema");
    write_schema(out, *route.body);
    out.end_object();
    out.end_object();
    out.end_object();
  }
  if (route.open_sink) {
    out.key("requestBody");
    out.begin_object();
    out.field("required", true);
    out.field("description",
              "the file itself, at most " + std::to_string(route.body_bytes_max >> 20) + " MiB");
    out.key("content");
    out.begin_object();
    for (const std::string& type : route.body_media_types) {
      out.text_key(type);
      out.raw(
          type == "multipart/form-data"
              ? R"({"schema":{"type":"object","required":["file"],"additionalProperties":false,"properties":)"
                R"({"file":{"type":"string","format":"binary","description":"the one file"}}}})"
              : R"({"schema":{"type":"string","format":"binary"}})");
    }
    out.end_object();
    out.end_object();
  }
  out.key("responses");
  out.begin_object();
  for (const Answer& answer : route.answers) {
    out.key(std::to_string(answer.status));
    out.begin_object();
    out.field("description", answer.description);
    out.key("headers");
    out.begin_object();
    out.key("X-Request-Id"), out.raw(R"({"schema":{"type":"string"}})");
    if (has_tag(route)) out.key("ETag"), out.raw(R"({"schema":{"type":"string"}})");
    if (answer.has_location) {
      out.key("Location"),
          out.raw(R"({"required":true,"schema":{"type":"string","format":"uri-reference"}})");
    }
    out.end_object();
    if (answer.status != 304) {
      out.key("content");
      out.begin_object();
      out.key(answer.media_type);
      out.begin_object();
      if (answer.schema) out.key("schema"), write_schema(out, *answer.schema);
      out.end_object();
      for (const std::string& type : answer.other_media_types) {
        out.text_key(type);
        out.raw(R"({"schema":{"type":"string"}})");
      }
      out.end_object();
    }
    if (!answer.links_json.empty()) out.key("links"), out.raw(answer.links_json);
    out.end_object();
  }
  for (const int status : problem_statuses(route)) {
    const bool declared = std::any_of(route.answers.begin(), route.answers.end(),
                                      [status](const Answer& answer) { return answer.status == status; });
    if (declared) continue;
    out.key(std::to_string(status));
    out.begin_object();
    out.field("$ref", "#/components/responses/Problem" + std::to_string(status));
    out.end_object();
  }
  out.end_object();
  out.end_object();
}

}  // namespace

std::vector<int> problem_statuses(const Route& route) {
  std::set<int> statuses = {400, 405, 413, 414, 421, 422, 431, 500, 503, 505};
  if (route.answers.front().media_type == "application/json") statuses.insert(406);
  if (route.body || route.open_sink) statuses.insert(415);
  if (route.method == Method::kPost) statuses.insert(403);
  if (route.open_sink) statuses.insert(507);
  statuses.insert(route.problems.begin(), route.problems.end());
  return {statuses.begin(), statuses.end()};
}

std::string openapi_json(const std::vector<Route>& routes, const std::string& version) {
  JsonWriter out;
  out.begin_object();
  out.field("openapi", "3.1.0");
  out.key("info");
  out.begin_object();
  out.field("title", "tillcast");
  out.field("version", version);
  out.field("description",
            "Sales figures and demand forecasts of one data directory. Money and quantities are exact "
            "decimals, written as JSON "
            "numbers digit for digit: read them with a decimal type where cents matter. Days are business "
            "days, YYYY-MM-DD. Problems "
            "are application/problem+json (RFC 9457). GET paths answer HEAD too. Parameters that are not "
            "declared are refused.");
  out.end_object();
  out.key("servers");
  out.raw(R"([{"url":"/"}])");

  std::vector<std::string> paths;
  std::set<int> statuses;
  std::vector<const Schema*> named;
  collect_named(problem_schema(), named);
  for (const Route& route : routes) {
    if (std::find(paths.begin(), paths.end(), route.path) == paths.end()) paths.push_back(route.path);
    for (const int status : problem_statuses(route)) statuses.insert(status);
    if (route.body) collect_named(*route.body, named);
    for (const Answer& answer : route.answers) {
      if (answer.schema) collect_named(*answer.schema, named);
    }
  }
  out.key("paths");
  out.begin_object();
  for (const std::string& path : paths) {
    out.key(path);
    out.begin_object();
    for (const Route& route : routes) {
      if (route.path != path) continue;
      out.key(route.method == Method::kGet ? "get" : "post");
      write_operation(out, route);
    }
    out.end_object();
  }
  out.end_object();
  out.key("components");
  out.begin_object();
  out.key("schemas");
  out.begin_object();
  for (const Schema* schema : named) {
    out.key(schema->name);
    write_schema(out, *schema, true);
  }
  out.end_object();
  write_problem_responses(out, statuses);
  out.end_object();
  out.end_object();
  return out.take();
}

void add_openapi_route(std::vector<Route>& routes, const std::string& version) {
  Route route;
  route.path = "/openapi.json";
  route.operation_id = "openapi";
  route.tag = "documentation";
  route.summary = "This document";
  Schema document = object_schema({}, "An OpenAPI 3.1 document.");
  document.open = true;
  route.answers = {{200, "The OpenAPI document.", "application/json", document, {}},
                   {304, "Unchanged.", {}, {}, {}}};
  route.runs = Route::Runs::kLoop;
  routes.push_back(std::move(route));
  // The document is written once, when every route is known; the handler owns it.
  routes.back().handle = [body = openapi_json(routes, version),
                          version](const RouteRequest&) -> Result<RouteAnswer> {
    RouteAnswer answer;
    answer.fixed_body = body;
    answer.etag = "openapi-" + version;
    return answer;
  };
}

}  // namespace tillcast::api
