#pragma once

#include <string_view>

#include "core/result.h"
#include "warehouse/project.h"

namespace tillcast::warehouse {

/// True for keys that dbt knows as configuration ("materialized", "tags", ...), a leading + dropped.
bool is_config_key(std::string_view key);

/// Lays entries over a configuration: tags and hooks add up, everything else replaces. Unknown keys are kept
/// in `raw` only. kInvalidInput, without a place, when a value is not what the key takes.
Result<> apply_config(const Dict& entries, NodeConfig& config);

}  // namespace tillcast::warehouse
