#pragma once

#include <vector>

#include "cli/command.h"
#include "pipeline/engine.h"

namespace tillcast::cli {

/// Options that `ingest` and `run` share.
std::vector<OptionSpec> ingest_options();
pipeline::IngestOptions ingest_options_of(const CommandContext& context);
/// What became of one file, for people, on err.
void print_ingest_report(const pipeline::IngestReport& report, Terminal& terminal);

}  // namespace tillcast::cli
