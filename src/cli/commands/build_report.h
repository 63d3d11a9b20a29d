#pragma once

#include "cli/terminal.h"
#include "pipeline/engine.h"

namespace tillcast::cli {

/// The models and checks that failed, ten at most, on err.
void print_failures(const pipeline::BuildReport& report, Terminal& terminal);

}  // namespace tillcast::cli
