#include <algorithm>

#include "warehouse/compiler_internal.h"
#include "warehouse/node_config.h"
#include "warehouse/project_loader_internal.h"

namespace tillcast::warehouse {
namespace {

constexpr std::string_view kFile = "dbt_project.yml";

Result<std::vector<std::string>> text_list(const YamlNode& document, std::string_view name,
                                           std::vector<std::string> otherwise) {
  const YamlNode* node = document.find(name);
  if (node == nullptr || node->kind == YamlNode::Kind::kNull) return otherwise;
  if (node->is_scalar()) return std::vector<std::string>{node->scalar};
  std::vector<std::string> texts;
  for (const YamlNode& item : node->items) {
    if (!item.is_scalar()) return yaml_error(kFile, item, std::string(name) + " must be a list of texts");
    texts.push_back(item.scalar);
  }
  if (!node->is_list()) return yaml_error(kFile, *node, std::string(name) + " must be a list of texts");
  return texts;
}

bool is_identifier(std::string_view name) {
  return !name.empty() && !(name.front() >= '0' && name.front() <= '9') &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
         });
}

}  // namespace

Result<ProjectSettings> read_project_settings(std::string_view content) {
  const YamlNode document = TILLCAST_TRY_PLAIN(read_yaml(content, kFile));
  if (!document.is_map()) return yaml_error(kFile, document, "expected a map with name, model-paths, ...");
  ProjectSettings settings;
  settings.name = document.text("name");
  if (!is_identifier(settings.name))
    return yaml_error(kFile, document.find("name") != nullptr ? *document.find("name") : document,
                      "name must be letters, digits and underscores, found '" + settings.name + "'");
  settings.version = document.text("version");
  settings.model_paths = TILLCAST_TRY_PLAIN(text_list(document, "model-paths", settings.model_paths));
  settings.macro_paths = TILLCAST_TRY_PLAIN(text_list(document, "macro-paths", settings.macro_paths));
  settings.seed_paths = TILLCAST_TRY_PLAIN(text_list(document, "seed-paths", settings.seed_paths));
  settings.test_paths = TILLCAST_TRY_PLAIN(text_list(document, "test-paths", settings.test_paths));
  settings.on_run_start = TILLCAST_TRY_PLAIN(text_list(document, "on-run-start", {}));
  settings.on_run_end = TILLCAST_TRY_PLAIN(text_list(document, "on-run-end", {}));
  if (const YamlNode* vars = document.find("vars"); vars != nullptr && vars->is_map()) {
    // Variables may be given for all projects or under this one's name; the latter win.
    const Value all = vars->to_value();
    if (const Value* own = all.member(settings.name); own != nullptr && own->is_dict())
      settings.vars = own->as_dict();
    for (const auto& [name, value] : all.as_dict())
      if (!value.is_dict() || name != settings.name) settings.vars.emplace_back(name, value);
  }
  const auto tree = [&](std::string_view name) {
    const YamlNode* node = document.find(name);
    return node != nullptr && node->is_map() ? node->to_value() : Value();
  };
  settings.models = tree("models");
  settings.seeds = tree("seeds");
  settings.sources = tree("sources");
  settings.tests = document.find("data_tests") != nullptr ? tree("data_tests") : tree("tests");
  return settings;
}

Result<> apply_settings_tree(const Value& tree, Node& node, const RenderContext& context) {
  const Value* level = &tree;
  for (std::size_t depth = 0; level != nullptr && level->is_dict(); ++depth) {
    Dict entries;
    for (const auto& [name, value] : level->as_dict()) {
      const bool is_folder = depth < node.fqn.size() && name == node.fqn[depth] && value.is_dict();
      if (is_folder || !is_config_key(name)) continue;
      Value rendered = TILLCAST_TRY_PLAIN(render_yaml_value(value, kFile, context, false));
      entries.emplace_back(name, std::move(rendered));
    }
    if (auto applied = apply_config(entries, node.config); !applied)
      return std::move(applied.error()).with_context(std::string(kFile) + ": for " + node.name);
    level = depth < node.fqn.size() ? level->member(node.fqn[depth]) : nullptr;
  }
  return {};
}

}  // namespace tillcast::warehouse
