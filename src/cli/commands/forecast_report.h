#pragma once

#include <vector>

#include "cli/terminal.h"
#include "pipeline/engine.h"

namespace tillcast::cli {

/// kNotFound when no forecast is stored, or none of `plan` (empty = any).
Result<> require_forecasts(pipeline::Engine& engine, const std::string& plan);

/// The accuracy of each plan beside seasonal naive, as a table on err.
void print_plan_reports(const std::vector<pipeline::PlanReport>& reports, Terminal& terminal);
/// Which version a plan is forecast with now, on out.
void print_champion(const pipeline::PlanReport& report, Terminal& terminal);

}  // namespace tillcast::cli
