#pragma once

#include <filesystem>
#include <string>

#include "core/result.h"
#include "warehouse/project.h"
#include "warehouse/runner.h"

namespace tillcast::warehouse {

/// dbt's manifest.json, schema v12: nodes, sources, macros, parent_map, child_map
/// (docs/formats/run_results.md).
std::string manifest_json(const Project& project, Timestamp generated_at);
/// dbt's run_results.json, schema v6.
std::string run_results_json(const Project& project, const RunResults& results);
/// {"nodes": [{"id", "name", "type", "materialized", "tags", "path"}], "edges": [{"from", "to"}]}; without
/// tests.
std::string lineage_json(const Project& project);

/// Writes manifest.json, run_results.json and compiled/<project>/... below `directory` (made when missing).
/// Each json file is replaced atomically and is on disk when this returns.
Result<> write_artifacts(const Project& project, const RunResults& results,
                         const std::filesystem::path& directory);

}  // namespace tillcast::warehouse
