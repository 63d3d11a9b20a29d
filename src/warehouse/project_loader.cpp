#include <algorithm>
#include <filesystem>
#include <system_error>

#include "io/durable_file.h"
#include "warehouse/compiler_internal.h"
#include "warehouse/graph.h"
#include "warehouse/node_config.h"
#include "warehouse/project_loader_internal.h"

namespace tillcast::warehouse {
namespace {

constexpr std::uint64_t kFileBytesMax = 64 << 20;
constexpr std::size_t kFilesMax = 20'000;
constexpr std::string_view kSettingsFile = "dbt_project.yml";

/// "models/marts/a.sql" is in "models": its parts below are {"marts", "a.sql"}. Empty when it is elsewhere.
std::vector<std::string> parts_below(std::string_view path, const std::vector<std::string>& folders) {
  for (std::string folder : folders) {
    while (folder.ends_with('/')) folder.pop_back();
    if (!path.starts_with(folder + "/")) continue;
    std::vector<std::string> parts;
    std::string_view rest = path.substr(folder.size() + 1);
    for (std::size_t slash; (slash = rest.find('/')) != std::string_view::npos; rest.remove_prefix(slash + 1))
      parts.emplace_back(rest.substr(0, slash));
    parts.emplace_back(rest);
    return parts;
  }
  return {};
}

std::string stem(std::string_view file_name) {
  return std::string(file_name.substr(0, file_name.rfind('.')));
}

Result<std::vector<ProjectFile>> read_directory(const std::filesystem::path& directory) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::exists(directory / kSettingsFile, error))
    return not_found(directory.string() + " is no dbt project: it has no dbt_project.yml");
  std::vector<ProjectFile> files;
  auto walk =
      fs::recursive_directory_iterator(directory, fs::directory_options::skip_permission_denied, error);
  if (error) return io_error("cannot read " + directory.string() + ": " + error.message());
  for (const auto end = fs::recursive_directory_iterator(); walk != end; walk.increment(error)) {
    if (error) return io_error("cannot read " + directory.string() + ": " + error.message());
    const std::string name = walk->path().filename().string();
    if (walk->is_directory(error)) {
      if (name.starts_with('.') || name == "target" || name == "dbt_packages" || name == "logs")
        walk.disable_recursion_pending();
      continue;
    }
    const std::string extension = walk->path().extension().string();
    if (extension != ".sql" && extension != ".yml" && extension != ".yaml" && extension != ".csv") continue;
    if (files.size() >= kFilesMax) return invalid_input(directory.string() + " holds more than 20,000 files");
    ProjectFile file;
    file.path = walk->path().lexically_relative(directory).generic_string();
    file.content = TILLCAST_TRY_PLAIN(io::read_file(walk->path(), kFileBytesMax));
    files.push_back(std::move(file));
  }
  return files;
}

class Loader {
 public:
  Loader(std::vector<ProjectFile> files, const LoadOptions& options) : files_(std::move(files)) {
    std::sort(files_.begin(), files_.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    project_.options = options;
  }

  Result<Project> run() {
    const auto settings =
        std::find_if(files_.begin(), files_.end(), [](const auto& f) { return f.path == kSettingsFile; });
    if (settings == files_.end()) return not_found("the project has no dbt_project.yml");
    settings_ = TILLCAST_TRY_PLAIN(read_project_settings(settings->content));
    project_.name = settings_.name;
    project_.version = settings_.version;
    project_.vars = settings_.vars;
    project_.on_run_start = settings_.on_run_start;
    project_.on_run_end = settings_.on_run_end;
    TILLCAST_TRY_PLAIN(read_macros());
    TILLCAST_TRY_PLAIN(read_nodes());
    TILLCAST_TRY_PLAIN(read_all_properties());
    for (Node& node : project_.nodes) TILLCAST_TRY_PLAIN(read_node_config(project_, node));
    drop_disabled();
    TILLCAST_TRY_PLAIN(place_relations());
    for (Node& node : project_.nodes)
      if (node.kind == NodeKind::kModel || node.kind == NodeKind::kTest)
        TILLCAST_TRY_PLAIN(resolve_references(project_, disabled_, node));
    TILLCAST_TRY_PLAIN(sort_nodes(project_.nodes));
    return std::move(project_);
  }

 private:
  Result<> read_macros() {
    auto library = std::make_shared<MacroLibrary>();
    for (const ProjectFile& file : files_) {
      if (!file.path.ends_with(".sql")) continue;
      const auto test_parts = parts_below(file.path, settings_.test_paths);
      const bool generic_test = test_parts.size() > 1 && test_parts.front() == "generic";
      if (!generic_test && parts_below(file.path, settings_.macro_paths).empty()) continue;
      const auto parsed = TILLCAST_TRY_PLAIN(parse_template(file.content, file.path));
      TILLCAST_TRY_PLAIN(library->add(parsed));
    }
    library->add_defaults(built_in_macros());
    project_.macros = std::move(library);
    return {};
  }

  Result<> read_nodes() {
    for (const ProjectFile& file : files_) {
      const bool sql = file.path.ends_with(".sql");
      auto parts = parts_below(file.path, settings_.model_paths);
      if (sql && !parts.empty()) {
        TILLCAST_TRY_PLAIN(add_node(NodeKind::kModel, file, std::move(parts)));
        continue;
      }
      parts = parts_below(file.path, settings_.test_paths);
      if (sql && !parts.empty() && !(parts.size() > 1 && parts.front() == "generic")) {
        TILLCAST_TRY_PLAIN(add_node(NodeKind::kTest, file, std::move(parts)));
        continue;
      }
      parts = parts_below(file.path, settings_.seed_paths);
      if (file.path.ends_with(".csv") && !parts.empty())
        TILLCAST_TRY_PLAIN(add_node(NodeKind::kSeed, file, std::move(parts)));
    }
    return {};
  }

  Result<> add_node(NodeKind kind, const ProjectFile& file, std::vector<std::string> parts) {
    Node node;
    node.kind = kind;
    node.path = file.path;
    node.name = stem(parts.back());
    parts.back() = node.name;
    node.unique_id = std::string(kind_name(kind)) + "." + project_.name + "." + node.name;
    for (const Node& other : project_.nodes) {
      const bool relation = kind != NodeKind::kTest && other.kind != NodeKind::kTest;
      if (other.name == node.name && (relation || kind == other.kind))
        return invalid_input(file.path + ":1:1: there are two of the name '" + node.name +
                             "': the other is " + other.path);
    }
    node.fqn.push_back(project_.name);
    node.fqn.insert(node.fqn.end(), parts.begin(), parts.end());
    node.raw_code = file.content;
    if (kind != NodeKind::kSeed) node.parsed = TILLCAST_TRY_PLAIN(parse_template(file.content, file.path));
    const Value& tree = kind == NodeKind::kModel  ? settings_.models
                        : kind == NodeKind::kSeed ? settings_.seeds
                                                  : settings_.tests;
    TILLCAST_TRY_PLAIN(apply_settings_tree(tree, node, project_context(project_)));
    project_.nodes.push_back(std::move(node));
    return {};
  }

  Result<> read_all_properties() {
    std::vector<std::pair<std::string, YamlNode>> documents;
    for (const ProjectFile& file : files_) {
      if (!file.path.ends_with(".yml") && !file.path.ends_with(".yaml")) continue;
      const bool below = !parts_below(file.path, settings_.model_paths).empty() ||
                         !parts_below(file.path, settings_.seed_paths).empty() ||
                         !parts_below(file.path, settings_.test_paths).empty() ||
                         !parts_below(file.path, settings_.macro_paths).empty();
      if (!below) continue;
      YamlNode document = TILLCAST_TRY_PLAIN(read_yaml(file.content, file.path));
      documents.emplace_back(file.path, std::move(document));
    }
    for (const bool only_sources : {true, false})
      for (const auto& [path, document] : documents)
        TILLCAST_TRY_PLAIN(read_properties(document, path, only_sources, settings_, project_));
    return {};
  }

  /// Takes disabled nodes out, and the tests on them.
  void drop_disabled() {
    std::vector<std::string> gone;
    for (const Node& node : project_.nodes) {
      if (node.config.enabled) continue;
      gone.push_back(node.unique_id);
      disabled_.push_back(node.name);
    }
    std::erase_if(project_.nodes, [&](const Node& node) {
      return !node.config.enabled ||
             (node.generic && std::find(gone.begin(), gone.end(), node.generic->attached_to) != gone.end());
    });
  }

  Result<> place_relations() {
    const RenderContext context = project_context(project_);
    for (Node& node : project_.nodes) {
      if (node.kind == NodeKind::kTest || node.kind == NodeKind::kSource) continue;
      node.identifier = node.config.alias.empty() ? node.name : node.config.alias;
      CallArguments arguments;
      arguments.positional.push_back(node.config.schema.empty() ? Value() : Value(node.config.schema));
      arguments.positional.push_back(Value::dict({{"name", Value(node.name)}}));
      const Value schema = TILLCAST_TRY(call_macro("generate_schema_name", arguments, context), node.path);
      node.schema = schema.to_text();
      const auto first = node.schema.find_first_not_of(" \t\r\n");
      const auto last = node.schema.find_last_not_of(" \t\r\n");
      node.schema = first == std::string::npos ? "" : node.schema.substr(first, last - first + 1);
      node.relation = "\"" + node.schema + "\".\"" + node.identifier + "\"";
      if (node.schema.find('"') != std::string::npos || node.identifier.find('"') != std::string::npos)
        return invalid_input(node.path +
                             ":1:1: schema and name must not contain double quotes: " + node.relation);
    }
    return {};
  }

  std::vector<ProjectFile> files_;
  ProjectSettings settings_;
  Project project_;
  std::vector<std::string> disabled_;
};

}  // namespace

const Node* Project::find(std::string_view unique_id) const {
  const auto at =
      std::find_if(nodes.begin(), nodes.end(), [&](const Node& n) { return n.unique_id == unique_id; });
  return at == nodes.end() ? nullptr : &*at;
}

const Node* Project::find_by_name(std::string_view wanted) const {
  const auto at = std::find_if(nodes.begin(), nodes.end(), [&](const Node& n) {
    return n.name == wanted && (n.kind == NodeKind::kModel || n.kind == NodeKind::kSeed);
  });
  return at == nodes.end() ? nullptr : &*at;
}

Result<Project> load_project(const std::filesystem::path& directory, const LoadOptions& options) {
  auto files = TILLCAST_TRY_PLAIN(read_directory(directory));
  return Loader(std::move(files), options).run();
}

Result<Project> load_project(std::span<const EmbeddedFile> files, const LoadOptions& options) {
  std::vector<ProjectFile> copies;
  for (const EmbeddedFile& file : files)
    copies.push_back({std::string(file.path), std::string(file.content)});
  return Loader(std::move(copies), options).run();
}

}  // namespace tillcast::warehouse
