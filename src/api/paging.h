#pragma once

#include <string>
#include <vector>

#include "api/json_writer.h"
#include "api/route.h"

/// What routes share that answer page by page.
namespace tillcast::api {

/// cursor and limit.
std::vector<Parameter> page_parameters(const std::string& things);
/// How many of them were asked for.
int page_limit(const RouteRequest& request);
/// data, next_cursor, has_more. @param name  of the schema
Schema page_schema(const Schema& item, const std::string& things, const std::string& name);
/// The Link header of the next page. @param more  further parameters, "&plan=…"
std::string next_page_link(const std::string& path, const std::string& cursor, int limit,
                           const std::string& more = "");

/// The members of a page around its items.
void begin_page(JsonWriter& out);
void end_page(JsonWriter& out, const std::string& next_cursor);

}  // namespace tillcast::api
