#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/http_message.h"
#include "api/json_schema.h"
#include "core/result.h"

namespace tillcast::api {

class JsonWriter;

/// A problem as RFC 9457 describes it, with our members `code`, `request_id` and `errors`.
struct Problem {
  int status = 500;
  std::string code;    ///< machine-readable and stable: "not_found", "invalid_parameters"
  std::string detail;  ///< what is wrong here and what to do
  std::vector<FieldError> errors;
};

/// The place of a value as people write it, without the part of the request: items[0].dates[0], limit; "body"
/// for the body itself.
std::string place_of(const FieldError& error);

/// The one table from ErrorCode to HTTP: status and code.
Problem problem_from(const Error& error);
/// The same table's gRPC status code (google.rpc.Code): 3 INVALID_ARGUMENT, 5 NOT_FOUND, 10 ABORTED, 13
/// INTERNAL, 14 UNAVAILABLE, 15 DATA_LOSS.
int grpc_status_from(ErrorCode error);

/// Writes {type, title, status, detail, code, …}; `request_id` is left out when empty (inside items of a
/// list).
void write_problem(JsonWriter& out, const Problem& problem, std::string_view instance,
                   std::string_view request_id);

/// The whole answer, application/problem+json. `instance` is the target asked for.
HttpAnswer problem_answer(const Problem& problem, std::string_view instance, std::string_view request_id);

/// The schema of a problem for the OpenAPI document, named "Problem".
const Schema& problem_schema();

}  // namespace tillcast::api
