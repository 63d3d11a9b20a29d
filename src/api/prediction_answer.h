#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/route.h"
#include "pipeline/service.h"

namespace tillcast::api {

/// What the routes that give stored forecasts share: parameters, paging, and the page as JSON or CSV.
std::vector<Parameter> prediction_parameters();  ///< plan, store_id, product_id, cursor, limit
std::string_view prediction_paging();            ///< for the description
Answer prediction_page_answer();
pipeline::PredictionRequest prediction_request(const RouteRequest& request);

/// The page in the media type that Accept chose; Link leads to the next one under `path`.
Result<RouteAnswer> prediction_answer(const RouteRequest& request, const pipeline::PredictionPage& page,
                                      const std::string& path);

}  // namespace tillcast::api
