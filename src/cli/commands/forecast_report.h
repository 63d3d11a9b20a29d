#pragma once

#include <vector>

#include "cli/terminal.h"
#include "pipeline/engine.h"

namespace tillcast::cli {

/// The accuracy of each plan beside seasonal naive, as a table on err.
void print_plan_reports(const std::vector<pipeline::PlanReport>& reports, Terminal& terminal);

}  // namespace tillcast::cli
