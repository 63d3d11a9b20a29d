#include "api/paging.h"

#include "api/request_limits.h"
#include "api/target.h"

namespace tillcast::api {

std::vector<Parameter> page_parameters(const std::string& things) {
  return {query_parameter("cursor",
                          string_schema("next_cursor of the page before").with_length(0, kCursorLengthMax)),
          query_parameter("limit", integer_schema(things + " per page")
                                       .with_range(1, kPageMax)
                                       .with_default(std::to_string(kPageDefault)))};
}

int page_limit(const RouteRequest& request) {
  return static_cast<int>(request.integer("limit").value_or(kPageDefault));
}

Schema page_schema(const Schema& item, const std::string& things, const std::string& name) {
  return object_schema({{"data", array_schema(item, "")},
                        {"next_cursor", string_schema("null on the last page").or_null()},
                        {"has_more", boolean_schema("")}},
                       "One page of " + things + ".")
      .with_name(name);
}

std::string next_page_link(const std::string& path, const std::string& cursor, int limit,
                           const std::string& more) {
  if (cursor.empty()) return {};
  return "<" + path + "?cursor=" + percent_encoded(cursor) + "&limit=" + std::to_string(limit) + more +
         ">; rel=\"next\"";
}

void begin_page(JsonWriter& out) {
  out.begin_object();
  out.key("data");
  out.begin_array();
}

void end_page(JsonWriter& out, const std::string& next_cursor) {
  out.end_array();
  out.field_or_null("next_cursor", next_cursor);
  out.field("has_more", !next_cursor.empty());
  out.end_object();
}

}  // namespace tillcast::api
