#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "pipeline/settings.h"

namespace tillcast::pipeline {

/// Reads shares of quantiles from a list such as "0.1,0.5,0.99", in any order: 0.001 to 0.999, at most 50.
/// @return increasing, each once; empty for an empty text. kInvalidInput names what is wrong.
Result<std::vector<double>> parse_shares(const std::string& text);

/// The shares of the quantiles that a plan's runs make and keep, increasing; empty = none. Shares that the
/// plan chose are joined by those of the intervals and the median, for sums over days need the whole of a
/// distribution.
std::vector<double> stored_shares(const ForecastPlan& plan);

/// Shares as text: "0.1,0.5,0.9".
std::string shares_text(const std::vector<double>& shares);

}  // namespace tillcast::pipeline
