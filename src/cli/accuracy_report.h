#pragma once

#include <string>

#include "core/result.h"
#include "database/query_result.h"

namespace tillcast::pipeline {
class Engine;
}

namespace tillcast::cli {

/// What the stored back-tests say about accuracy: rows of the newest run of each plan, by plan.
struct AccuracyTables {
  database::QueryResult runs;       ///< forecast_run
  database::QueryResult models;     ///< forecast_accuracy_detail, best WAPE first within a group
  database::QueryResult intervals;  ///< forecast_interval_accuracy
  database::QueryResult series;     ///< forecast_series_accuracy, those with most error first
};

/// @param plan  only this plan; empty = all. @return kNotFound when nothing was forecast, naming the plan.
Result<AccuracyTables> load_accuracy(pipeline::Engine& engine, const std::string& plan);

/// One object: {"runs": [...], "models": [...], "intervals": [...], "series": [...]}.
Result<std::string> accuracy_json(const AccuracyTables& tables);

/// A page for people: per plan the headline, plots (inline SVG) and tables. One file, no script, nothing from
/// the network, light or dark as the reader's system is. All text is escaped. Pure.
std::string accuracy_html(const AccuracyTables& tables);

}  // namespace tillcast::cli
