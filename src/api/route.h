#pragma once

#include <rapidjson/fwd.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "api/json_schema.h"
#include "core/civil_time.h"
#include "core/result.h"
#include "pipeline/job_service.h"

namespace tillcast::api {

enum class Method : std::uint8_t { kGet, kPost };  ///< a GET route answers HEAD too
std::string_view method_name(Method method);       ///< "GET"

/// A parameter of the path, the query or the header. Its schema is a string, a date or an integer.
struct Parameter {
  enum class In : std::uint8_t { kPath, kQuery, kHeader };  ///< header: Idempotency-Key only
  In in = In::kQuery;
  std::string name;
  Schema schema;  ///< `default_json` is used when the parameter is absent
  bool required = false;
};

/// One documented answer; problems (4xx, 5xx) are added by kind of route, see openapi.cpp.
struct Answer {
  int status = 200;
  std::string description;
  std::string media_type = "application/json";
  std::optional<Schema> schema;  ///< none for text and files
  std::string links_json;        ///< OpenAPI links object: which operation an answer leads to
  std::vector<std::string> other_media_types = {};  ///< that Accept may choose instead
  bool has_location = false;                        ///< comes with a Location header
};

/// Takes a body piece by piece, see Route::open_sink.
using BodySink = pipeline::UploadSink;

/// What a handler sees: values already checked against the declaration.
class RouteRequest {
 public:
  using Value = std::variant<std::string, std::int64_t, Date>;

  /// The text of a parameter; empty when absent.
  const std::string& text(std::string_view name) const;
  std::optional<std::int64_t> integer(std::string_view name) const;
  std::optional<Date> date(std::string_view name) const;
  /// The checked body; only for routes that declare one.
  const rapidjson::Value& body() const { return *body_; }
  std::string_view request_id() const { return request_id_; }
  bool accepts_gzip() const { return accepts_gzip_; }
  std::string_view content_type() const { return content_type_; }
  /// The media type that Accept chose among those of the first answer.
  std::string_view media_type() const { return media_type_; }
  /// What took the body; for routes with open_sink, once.
  std::unique_ptr<BodySink> take_sink() const { return std::move(sink_); }

 private:
  friend class Application;
  const Value* find(std::string_view name) const;
  std::vector<std::pair<std::string_view, Value>> values_;
  const rapidjson::Value* body_ = nullptr;
  std::string_view request_id_;
  std::string_view media_type_;
  std::string_view content_type_;
  bool accepts_gzip_ = false;
  mutable std::unique_ptr<BodySink> sink_;
};

/// What a handler returns. Errors go out as problem details by the table in problem.cpp.
struct RouteAnswer {
  int status = 200;
  std::string body;
  std::string_view fixed_body;  ///< instead of `body`: bytes that live as long as the program
  std::string_view media_type = "application/json";
  std::string_view content_encoding;  ///< "gzip" or empty
  std::string etag;                   ///< without quotes; only for answers that do not depend on the data
  std::string link;                   ///< Link header, empty for none
  std::string location;               ///< Location header, empty for none
};

/// One route, declared once: routing, validation, the OpenAPI document and problem details come from this.
struct Route {
  /// kLoop: answered on an I/O thread, must not block. kQuery: on the bounded query pool. kStatus: on a
  /// thread that no query can keep busy.
  enum class Runs : std::uint8_t { kLoop, kQuery, kStatus };

  Method method = Method::kGet;
  std::string path;  ///< template: "/api/v1/series/{series_id}", a parameter fills one whole segment
  std::string operation_id;
  std::string tag;
  std::string summary;
  std::string description;
  std::vector<Parameter> parameters;
  std::optional<Schema> body;       ///< JSON body; its schema
  bool body_may_be_absent = false;  ///< none is an empty object
  std::vector<Answer> answers;
  std::vector<int> problems;  ///< statuses of its own beyond those every route of its kind has, e.g. 404
  Runs runs = Runs::kQuery;
  bool any_query = false;          ///< pages: what the query says is for the browser, do not check it
  bool of_data = false;            ///< answers change with Service::data_version(): it becomes the ETag
  std::size_t body_bytes_max = 0;  ///< 0: the route takes no body
  /// A body too large for memory: opened when the parameters are checked, before the body is read; then each
  /// piece is written to it, and the handler takes it. Such a route has no `body`. Blocking calls are fine.
  std::function<Result<std::unique_ptr<BodySink>>(const RouteRequest&, std::optional<std::uint64_t> bytes)>
      open_sink = {};
  std::vector<std::string> body_media_types = {};  ///< of such a body; an absent Content-Type is fine too
  std::function<Result<RouteAnswer>(const RouteRequest&)> handle = {};
};

Parameter path_parameter(std::string name, Schema schema);
Parameter query_parameter(std::string name, Schema schema);
Parameter header_parameter(std::string name, Schema schema);

}  // namespace tillcast::api
