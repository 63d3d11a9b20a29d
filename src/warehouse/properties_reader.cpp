#include <algorithm>

#include "warehouse/compiler_internal.h"
#include "warehouse/md5.h"
#include "warehouse/node_config.h"
#include "warehouse/project_loader_internal.h"

namespace tillcast::warehouse {
namespace {

/// What dbt takes out of a test's arguments: its configuration, old place or new.
constexpr std::string_view kTestConfigs[] = {
    "severity",  "tags",           "enabled",           "where", "limit",    "warn_if", "error_if",
    "fail_calc", "store_failures", "store_failures_as", "meta",  "database", "schema",  "alias"};

bool is_test_config(std::string_view key) {
  return std::find(std::begin(kTestConfigs), std::end(kTestConfigs), key) != std::end(kTestConfigs);
}

std::string with_underscores(std::string_view text) {
  std::string out;
  bool in_gap = false;
  for (const char c : text) {
    const bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (word) out += c;
    if (!word && !in_gap) out += '_';
    in_gap = !word;
  }
  return out;
}

/// The name dbt gives a generic test without one: unique_dim_store_store_id.
std::string synthetic_name(const std::string& kind, const std::string& target, Dict arguments) {
  std::sort(arguments.begin(), arguments.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string flat;
  const auto add = [&](const Value& value) {
    if (!flat.empty()) flat += "__";
    flat += with_underscores(value.to_text());
  };
  for (const auto& [name, value] : arguments) {
    if (value.is_list()) {
      for (const Value& item : value.as_list()) add(item);
    } else if (value.is_dict()) {
      for (const auto& [unused, item] : value.as_dict()) add(item);
    } else {
      add(value);
    }
  }
  return kind + "_" + target + "_" + flat;
}

/// What dbt hashes: every scalar as text, maps sorted.
Value hashable(const Value& value) {
  if (value.is_list()) {
    List items;
    for (const Value& item : value.as_list()) items.push_back(hashable(item));
    return Value::list(std::move(items));
  }
  if (value.is_dict()) {
    Dict items;
    for (const auto& [name, item] : value.as_dict()) items.emplace_back(name, hashable(item));
    std::sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    return Value::dict(std::move(items));
  }
  return Value(value.to_text());
}

class PropertiesReader {
 public:
  PropertiesReader(const std::string& path, const ProjectSettings& settings, Project& project)
      : path_(path), settings_(settings), project_(project), context_(project_context(project)) {}

  Result<> read_sources(const YamlNode& document) {
    const YamlNode* sources = TILLCAST_TRY_PLAIN(list_member(document, "sources"));
    if (sources == nullptr) return {};
    for (const YamlNode& source : sources->items) {
      const std::string name = TILLCAST_TRY_PLAIN(required_name(source, "a source"));
      const YamlNode* tables = TILLCAST_TRY_PLAIN(list_member(source, "tables"));
      if (tables == nullptr) continue;
      for (const YamlNode& table : tables->items) {
        Node node;
        node.kind = NodeKind::kSource;
        node.source_name = name;
        node.name = TILLCAST_TRY_PLAIN(required_name(table, "a table of source '" + name + "'"));
        node.path = path_;
        node.line = table.line;
        node.unique_id = "source." + project_.name + "." + name + "." + node.name;
        if (project_.find(node.unique_id) != nullptr)
          return yaml_error(path_, table,
                            "the source table '" + name + "." + node.name + "' is declared twice");
        node.schema = TILLCAST_TRY_PLAIN(rendered_text(source, "schema", name));
        node.identifier = TILLCAST_TRY_PLAIN(rendered_text(table, "identifier", node.name));
        node.description = table.text("description");
        node.fqn = fqn_of_file({name, node.name});
        const auto other = project_.options.source_relations.find(name + "." + node.name);
        node.relation = other != project_.options.source_relations.end()
                            ? other->second
                            : "\"" + node.schema + "\".\"" + node.identifier + "\"";
        TILLCAST_TRY_PLAIN(apply_settings_tree(settings_.sources, node, context_));
        TILLCAST_TRY_PLAIN(read_config(source, node));
        TILLCAST_TRY_PLAIN(read_config(table, node));
        TILLCAST_TRY_PLAIN(read_columns(table, node));
        project_.nodes.push_back(std::move(node));
      }
    }
    return {};
  }

  Result<> read_rest(const YamlNode& document) {
    for (const std::string_view section : {"models", "seeds"}) {
      const YamlNode* entries = TILLCAST_TRY_PLAIN(list_member(document, section));
      if (entries == nullptr) continue;
      for (const YamlNode& entry : entries->items) {
        const std::string name =
            TILLCAST_TRY_PLAIN(required_name(entry, "an entry of " + std::string(section)));
        const NodeKind kind = section == "models" ? NodeKind::kModel : NodeKind::kSeed;
        const auto node = find_node(kind, name);
        if (node == project_.nodes.size()) {
          warn(entry, "there is no " + std::string(kind_name(kind)) + " '" + name + "'");
          continue;
        }
        project_.nodes[node].description = entry.text("description");
        TILLCAST_TRY_PLAIN(read_config(entry, project_.nodes[node]));
        TILLCAST_TRY_PLAIN(read_columns(entry, project_.nodes[node]));
        const std::string id = project_.nodes[node].unique_id;
        TILLCAST_TRY_PLAIN(read_tests_of(entry, id, name, ""));
      }
    }
    TILLCAST_TRY_PLAIN(read_source_tests(document));
    for (const std::string_view section : {"data_tests", "tests"}) {
      const YamlNode* entries = TILLCAST_TRY_PLAIN(list_member(document, section));
      if (entries == nullptr) continue;
      for (const YamlNode& entry : entries->items) {
        const std::string name = TILLCAST_TRY_PLAIN(required_name(entry, "a test"));
        const auto node = find_node(NodeKind::kTest, name);
        if (node == project_.nodes.size()) {
          warn(entry, "there is no test '" + name + "'");
          continue;
        }
        project_.nodes[node].description = entry.text("description");
        TILLCAST_TRY_PLAIN(read_config(entry, project_.nodes[node]));
      }
    }
    if (const YamlNode* unit_tests = document.find("unit_tests"))
      warn(*unit_tests, "unit_tests are run by dbt only");
    return {};
  }

 private:
  void warn(const YamlNode& at, std::string_view message) {
    project_.warnings.push_back(yaml_error(path_, at, message).message);
  }

  std::size_t find_node(NodeKind kind, std::string_view name) const {
    std::size_t at = 0;
    while (at < project_.nodes.size() && (project_.nodes[at].kind != kind || project_.nodes[at].name != name))
      ++at;
    return at;
  }

  Result<const YamlNode*> list_member(const YamlNode& of, std::string_view name) const {
    const YamlNode* list = of.find(name);
    if (list == nullptr || list->kind == YamlNode::Kind::kNull) return static_cast<const YamlNode*>(nullptr);
    if (!list->is_list()) return yaml_error(path_, *list, "'" + std::string(name) + "' must be a list");
    return list;
  }

  Result<std::string> required_name(const YamlNode& of, std::string_view what) const {
    const YamlNode* name = of.find("name");
    if (name == nullptr || !name->is_scalar() || name->scalar.empty())
      return yaml_error(path_, of, std::string(what) + " needs a name");
    return name->scalar;
  }

  Result<std::string> rendered_text(const YamlNode& of, std::string_view name,
                                    const std::string& otherwise) const {
    const YamlNode* member = of.find(name);
    if (member == nullptr || !member->is_scalar()) return otherwise;
    const Value value = TILLCAST_TRY_PLAIN(render_yaml_value(
        Value(member->scalar), path_ + ":" + std::to_string(member->line), context_, false));
    return value.to_text();
  }

  Result<> apply_entries(const YamlNode& at, const Value& entries, NodeConfig& config) const {
    const Value rendered = TILLCAST_TRY_PLAIN(
        render_yaml_value(entries, path_ + ":" + std::to_string(at.line), context_, false));
    if (auto applied = apply_config(rendered.as_dict(), config); !applied)
      return yaml_error(path_, at, applied.error().message);
    return {};
  }

  Result<> read_config(const YamlNode& entry, Node& node) const {
    const YamlNode* config = entry.find("config");
    if (config != nullptr && config->kind != YamlNode::Kind::kNull) {
      if (!config->is_map()) return yaml_error(path_, *config, "'config' must be a map");
      TILLCAST_TRY_PLAIN(apply_entries(*config, config->to_value(), node.config));
    }
    if (const YamlNode* tags = entry.find("tags"))
      TILLCAST_TRY_PLAIN(apply_entries(*tags, Value::dict({{"tags", tags->to_value()}}), node.config));
    return {};
  }

  Result<> read_columns(const YamlNode& entry, Node& node) const {
    const YamlNode* columns = TILLCAST_TRY_PLAIN(list_member(entry, "columns"));
    if (columns == nullptr) return {};
    for (const YamlNode& column : columns->items) {
      ColumnInfo info;
      info.name = TILLCAST_TRY_PLAIN(required_name(column, "a column of " + node.name));
      info.description = column.text("description");
      info.data_type = column.text("data_type");
      node.columns.push_back(std::move(info));
    }
    return {};
  }

  Result<> read_source_tests(const YamlNode& document) {
    const YamlNode* sources = TILLCAST_TRY_PLAIN(list_member(document, "sources"));
    if (sources == nullptr) return {};
    for (const YamlNode& source : sources->items) {
      const YamlNode* tables = TILLCAST_TRY_PLAIN(list_member(source, "tables"));
      if (tables == nullptr) continue;
      for (const YamlNode& table : tables->items) {
        const std::string id =
            "source." + project_.name + "." + source.text("name") + "." + table.text("name");
        TILLCAST_TRY_PLAIN(
            read_tests_of(table, id, source.text("name") + "_" + table.text("name"), "source_"));
      }
    }
    return {};
  }

  /// The tests of a model or table and of its columns.
  Result<> read_tests_of(const YamlNode& entry, const std::string& id, const std::string& target,
                         const std::string& prefix) {
    TILLCAST_TRY_PLAIN(read_test_list(entry, id, target, prefix, ""));
    const YamlNode* columns = TILLCAST_TRY_PLAIN(list_member(entry, "columns"));
    if (columns == nullptr) return {};
    for (const YamlNode& column : columns->items)
      TILLCAST_TRY_PLAIN(read_test_list(column, id, target, prefix, column.text("name")));
    return {};
  }

  Result<> read_test_list(const YamlNode& of, const std::string& id, const std::string& target,
                          const std::string& prefix, const std::string& column) {
    for (const std::string_view section : {"data_tests", "tests"}) {
      const YamlNode* tests = TILLCAST_TRY_PLAIN(list_member(of, section));
      if (tests == nullptr) continue;
      for (const YamlNode& test : tests->items)
        TILLCAST_TRY_PLAIN(add_test(test, id, target, prefix, column));
    }
    return {};
  }

  Result<> add_test(const YamlNode& entry, const std::string& id, const std::string& target,
                    const std::string& prefix, const std::string& column) {
    std::string name;
    const YamlNode* body = nullptr;
    if (entry.is_scalar()) {
      name = entry.scalar;
    } else if (entry.is_map() && entry.find("test_name") != nullptr) {
      name = entry.text("test_name");
      body = &entry;
    } else if (entry.is_map() && entry.members.size() == 1) {
      name = entry.members.front().first;
      body = &entry.members.front().second;
      if (body->kind == YamlNode::Kind::kNull) body = nullptr;
      if (body != nullptr && !body->is_map())
        return yaml_error(path_, *body, "the arguments of test '" + name + "' must be a map");
    } else {
      return yaml_error(
          path_, entry,
          "a test is a name or one name with its arguments below (further indented than the name)");
    }
    Node node;
    GenericTest test;
    Dict arguments;
    if (!column.empty()) arguments.emplace_back("column_name", Value(column));
    if (body != nullptr) TILLCAST_TRY_PLAIN(read_test_body(*body, node, arguments));
    test.column_name = column;
    test.attached_to = id;
    test.name = name;
    if (const auto dot = name.find('.'); dot != std::string::npos) {
      test.namespace_ = name.substr(0, dot);
      test.name = name.substr(dot + 1);
    }
    node.kind = NodeKind::kTest;
    node.path = path_;
    node.line = entry.line;
    const std::string kind = (test.namespace_.empty() ? "" : test.namespace_ + "_") + prefix + test.name;
    if (node.name.empty()) node.name = synthetic_name(kind, target, arguments);
    test.arguments = arguments;
    test.written_arguments = with_model(test);
    node.unique_id = "test." + project_.name + "." + node.name + "." + test_hash(node.name, test);
    node.fqn = fqn_of_file({node.name});
    if (project_.find(node.unique_id) != nullptr)
      return yaml_error(path_, entry,
                        "the test '" + node.name + "' is declared twice; give one of them a name");
    if (project_.macros->find("test_" + test.name) == nullptr) {
      std::vector<std::string> known;
      for (const auto& [macro, unused] : project_.macros->entries())
        if (macro.starts_with("test_")) known.push_back(macro.substr(5));
      const std::string near = nearest_name(test.name, known);
      return yaml_error(path_, entry,
                        "there is no generic test '" + test.name + "'" +
                            (near.empty() ? "" : "; did you mean '" + near + "'?"));
    }
    node.generic = std::move(test);
    // Settings of dbt_project.yml come first, what the test itself says wins.
    NodeConfig own = std::move(node.config);
    node.config = {};
    TILLCAST_TRY_PLAIN(apply_settings_tree(settings_.tests, node, context_));
    if (auto applied = apply_config(own.raw, node.config); !applied)
      return yaml_error(path_, entry, applied.error().message);
    project_.nodes.push_back(std::move(node));
    return {};
  }

  Result<> read_test_body(const YamlNode& body, Node& node, Dict& arguments) {
    for (const auto& [key, value] : body.members) {
      if (key == "test_name" || key == "description") {
        if (key == "description") node.description = value.scalar;
      } else if (key == "name") {
        node.name = value.scalar;
      } else if (key == "config") {
        if (!value.is_map()) return yaml_error(path_, value, "'config' must be a map");
        TILLCAST_TRY_PLAIN(apply_entries(value, value.to_value(), node.config));
      } else if (key == "arguments") {
        if (!value.is_map()) return yaml_error(path_, value, "'arguments' must be a map");
        for (const auto& [argument, given] : value.members)
          arguments.emplace_back(argument, given.to_value());
      } else if (is_test_config(key)) {
        TILLCAST_TRY_PLAIN(apply_entries(value, Value::dict({{key, value.to_value()}}), node.config));
      } else {
        arguments.emplace_back(key, value.to_value());
      }
    }
    return {};
  }

  /// Project, the folders of this file below models/, then the names.
  std::vector<std::string> fqn_of_file(std::vector<std::string> names) const {
    std::vector<std::string> fqn{project_.name};
    std::size_t at = path_.find('/') + 1;
    for (std::size_t slash; (slash = path_.find('/', at)) != std::string::npos; at = slash + 1)
      fqn.push_back(path_.substr(at, slash - at));
    fqn.insert(fqn.end(), names.begin(), names.end());
    return fqn;
  }

  /// The arguments with the model in front of them, as dbt keeps (and hashes) them.
  Dict with_model(const GenericTest& test) const {
    const Node* attached = project_.find(test.attached_to);
    const std::string relation = attached != nullptr && attached->kind == NodeKind::kSource
                                     ? "source('" + attached->source_name + "', '" + attached->name + "')"
                                     : "ref('" + (attached != nullptr ? attached->name : "") + "')";
    Dict arguments = test.arguments;
    arguments.emplace_back("model", Value("{{ get_where_subquery(" + relation + ") }}"));
    return arguments;
  }

  /// The last ten digits of dbt's hash over a test's name and arguments.
  std::string test_hash(const std::string& name, const GenericTest& test) const {
    const Value metadata =
        Value::dict({{"namespace", test.namespace_.empty() ? Value() : Value(test.namespace_)},
                     {"name", Value(test.name)},
                     {"kwargs", Value::dict(with_model(test))}});
    return md5_hex(name + to_repr(hashable(metadata))).substr(22);
  }

  const std::string& path_;
  const ProjectSettings& settings_;
  Project& project_;
  RenderContext context_;
};

}  // namespace

Result<> read_properties(const YamlNode& document, const std::string& path, bool only_sources,
                         const ProjectSettings& settings, Project& project) {
  if (document.kind == YamlNode::Kind::kNull) return {};
  if (!document.is_map())
    return yaml_error(path, document, "a properties file must be a map (models:, sources:, ...)");
  PropertiesReader reader(path, settings, project);
  return only_sources ? reader.read_sources(document) : reader.read_rest(document);
}

}  // namespace tillcast::warehouse
