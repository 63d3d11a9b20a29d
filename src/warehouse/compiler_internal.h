#pragma once

#include <string>
#include <vector>

#include "warehouse/compiler.h"

namespace tillcast::warehouse {

/// The functions a yaml value or dbt_project.yml may use: var, env_var, target.
RenderContext project_context(const Project& project);

/// First pass: renders a node only to learn its config(); references may be unknown still.
Result<> read_node_config(const Project& project, Node& node);
/// Second pass: every ref() and source() must name a node; fills node.depends_on.
Result<> resolve_references(const Project& project, const std::vector<std::string>& disabled, Node& node);

/// A yaml value with its Jinja rendered: text in {{ }} becomes the value of the expression; with `functions`,
/// text such as ref('x') does as well (arguments of generic tests).
Result<Value> render_yaml_value(const Value& value, std::string_view file, const RenderContext& context,
                                bool functions);

/// The built-in macros: unique, not_null, accepted_values, relationships, generate_schema_name.
std::shared_ptr<const ParsedTemplate> built_in_macros();

}  // namespace tillcast::warehouse
