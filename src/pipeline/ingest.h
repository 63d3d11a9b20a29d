#pragma once

#include <filesystem>

#include "pipeline/engine.h"
#include "pipeline/workspace.h"

namespace tillcast::pipeline {

/// Reads a file through its mapping into bronze, silver and rejects, as one commit: all of it becomes
/// visible, or nothing. A file whose bytes were loaded before changes nothing.
Result<IngestReport> ingest_file(Workspace& workspace, const std::filesystem::path& file,
                                 const IngestOptions& options, StageObserver& observer);

}  // namespace tillcast::pipeline
