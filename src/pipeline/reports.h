#pragma once

#include "core/result.h"
#include "pipeline/service.h"
#include "pipeline/workspace.h"

namespace tillcast::pipeline {

/// Headline figures of a span of days, beside the equally long span before it. Reads gold only.
Result<KpiReport> kpi_report(Workspace& workspace, const KpiRequest& request);

}  // namespace tillcast::pipeline
