#pragma once

#include <string>
#include <vector>

#include "api/route.h"

namespace tillcast::api {

/// The OpenAPI 3.1 document of the routes, JSON. Every answer a route can give is in it: those it declares
/// and the problems that follow from its kind.
std::string openapi_json(const std::vector<Route>& routes, const std::string& version);

/// The statuses of the problems a route can answer with, ascending.
std::vector<int> problem_statuses(const Route& route);

/// Adds GET /openapi.json, which documents the routes added so far and itself.
void add_openapi_route(std::vector<Route>& routes, const std::string& version);

}  // namespace tillcast::api
