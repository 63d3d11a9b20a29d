#pragma once

#include "pipeline/engine.h"
#include "pipeline/workspace.h"

namespace tillcast::pipeline {

/// Builds the gold models on what the lake shows now, and runs their checks, as one transaction: when a check
/// of severity error fails, gold stays as it was. Nodes whose SQL and inputs did not change are left alone.
Result<BuildReport> build_warehouse(Workspace& workspace, const BuildOptions& options,
                                    StageObserver& observer);

/// Writes the built-in models into `folder`; paths written, for people. kConflict when one is there already.
Result<std::vector<std::string>> write_models(const std::filesystem::path& folder);

}  // namespace tillcast::pipeline
