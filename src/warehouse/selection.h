#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "warehouse/project.h"

namespace tillcast::warehouse {

/// Selects nodes as `dbt build --select ... --exclude ...` does: names, `+name`, `name+`, `2+name+1`,
/// `tag:x`, `path:models/marts`, `source:silver+`, `source:silver.sale_line`, `config.materialized:table`,
/// `resource_type:test`, `test_name:unique`, * and ? in names; a space unites, a comma intersects. Tests come
/// along with any table they test, as in dbt.
/// @param select  empty = everything
/// @return indices into project.nodes, ascending (so in running order); kInvalidInput when a part names
/// nothing known, with the nearest name.
Result<std::vector<std::size_t>> select_nodes(const Project& project, std::string_view select,
                                              std::string_view exclude = {});

}  // namespace tillcast::warehouse
