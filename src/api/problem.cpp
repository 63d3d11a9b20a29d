#include "api/problem.h"

#include <algorithm>
#include <array>

#include "api/json_writer.h"
#include "core/text.h"

namespace tillcast::api {
namespace {

struct Row {
  ErrorCode error;
  int status;
  int grpc_status;
  std::string_view code;
};

constexpr std::array<Row, 8> kRows = {{
    {ErrorCode::kInvalidInput, 422, 3, "invalid_input"},
    {ErrorCode::kNotFound, 404, 5, "not_found"},
    {ErrorCode::kConflict, 409, 10, "conflict"},
    {ErrorCode::kCorruptData, 500, 15, "corrupt_data"},
    {ErrorCode::kIo, 500, 13, "io_error"},
    {ErrorCode::kDiskFull, 507, 8, "disk_full"},
    {ErrorCode::kUnavailable, 503, 14, "unavailable"},
    {ErrorCode::kCancelled, 503, 14, "cancelled"},
}};

}  // namespace

std::string_view status_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Unknown";
  }
}

std::string place_of(const FieldError& error) {
  if (error.loc.size() < 2) return error.loc.empty() ? "" : error.loc[0];
  std::string place;
  for (std::size_t i = 1; i < error.loc.size(); ++i) {
    const std::string& step = error.loc[i];
    if (i > 1 && std::ranges::all_of(step, is_ascii_digit))
      place += "[" + step + "]";
    else
      place += (place.empty() ? "" : ".") + step;
  }
  return place;
}

Problem problem_from(const Error& error) {
  for (const Row& row : kRows) {
    if (row.error == error.code) return {row.status, std::string(row.code), error.message, {}};
  }
  return {500, "internal", error.message, {}};
}

int grpc_status_from(ErrorCode error) {
  constexpr int kInternal = 13;
  for (const Row& row : kRows) {
    if (row.error == error) return row.grpc_status;
  }
  return kInternal;
}

void write_problem(JsonWriter& out, const Problem& problem, std::string_view instance,
                   std::string_view request_id) {
  out.begin_object();
  out.field("type", "urn:tillcast:problem:" + problem.code);
  out.field("title", status_phrase(problem.status));
  out.field("status", problem.status);
  out.field("detail", problem.detail);
  if (!instance.empty()) out.field("instance", instance);
  out.field("code", problem.code);
  if (!request_id.empty()) out.field("request_id", request_id);
  if (!problem.errors.empty()) {
    out.key("errors");
    out.begin_array();
    for (const FieldError& error : problem.errors) {
      out.begin_object();
      out.key("loc");
      out.begin_array();
      for (const auto& step : error.loc) out.text(step);
      out.end_array();
      out.field("msg", error.msg);
      out.field("type", error.type);
      out.end_object();
    }
    out.end_array();
  }
  out.end_object();
}

HttpAnswer problem_answer(const Problem& problem, std::string_view instance, std::string_view request_id) {
  constexpr std::size_t kInstanceBytesMax = 512;
  JsonWriter out;
  write_problem(out, problem, instance.substr(0, kInstanceBytesMax), request_id);
  HttpAnswer answer;
  answer.status = problem.status;
  answer.headers.emplace_back("Content-Type", "application/problem+json");
  answer.headers.emplace_back("Cache-Control", "no-store");
  if (problem.status == 503 || problem.status == 429) answer.headers.emplace_back("Retry-After", "1");
  answer.body = out.take();
  return answer;
}

const Schema& problem_schema() {
  static const Schema kSchema = [] {
    const Schema field =
        object_schema(
            {{"loc", array_schema(string_schema(""), "path to the value, e.g. [\"query\",\"limit\"]")},
             {"msg", string_schema("what was expected and found")},
             {"type", string_schema("machine-readable kind, e.g. int_parsing, missing, less_than_equal")}},
            "One invalid value.")
            .with_name("FieldError");
    return object_schema({{"type", string_schema("urn:tillcast:problem:<code>").with_format("uri")},
                          {"title", string_schema("the status in words")},
                          {"status", integer_schema("the HTTP status")},
                          {"detail", string_schema("what is wrong and what to do")},
                          {"instance", string_schema("the target asked for"), false},
                          {"code", string_schema("machine-readable and stable")},
                          {"request_id", string_schema("the same as X-Request-Id"), false},
                          {"errors", array_schema(field, "each invalid value"), false}},
                         "A problem as RFC 9457 describes it.")
        .with_name("Problem");
  }();
  return kSchema;
}

}  // namespace tillcast::api
