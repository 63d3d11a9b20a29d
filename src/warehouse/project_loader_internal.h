#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "warehouse/project.h"
#include "warehouse/yaml_reader.h"

namespace tillcast::warehouse {

struct ProjectFile {
  std::string path;  ///< relative, with forward slashes
  std::string content;
};

/// dbt_project.yml.
struct ProjectSettings {
  std::string name;
  std::string version;
  std::vector<std::string> model_paths{"models"};
  std::vector<std::string> macro_paths{"macros"};
  std::vector<std::string> seed_paths{"seeds"};
  std::vector<std::string> test_paths{"tests"};
  std::vector<std::string> on_run_start;
  std::vector<std::string> on_run_end;
  Dict vars;
  Value models;  ///< the trees of +config by folder
  Value seeds;
  Value tests;
  Value sources;
};

Result<ProjectSettings> read_project_settings(std::string_view content);

/// Lays the configs of one tree of dbt_project.yml that apply to a node over it, outermost first.
Result<> apply_settings_tree(const Value& tree, Node& node, const RenderContext& context);

/// Reads one properties file (sources, descriptions, configs, tests) into the project's nodes; tests and
/// sources become nodes. Sources first: call with only_sources for all files, then without.
Result<> read_properties(const YamlNode& document, const std::string& path, bool only_sources,
                         const ProjectSettings& settings, Project& project);

}  // namespace tillcast::warehouse
