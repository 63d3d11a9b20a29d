#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/embedded_file.h"
#include "core/result.h"
#include "warehouse/sql_template.h"

/// The dbt project of the warehouse, read and run natively.
namespace tillcast::warehouse {

enum class NodeKind : std::uint8_t { kModel, kSeed, kTest, kSource };
enum class Materialization : std::uint8_t { kView, kTable, kIncremental, kEphemeral };
enum class IncrementalStrategy : std::uint8_t { kAppend, kDeleteInsert };
enum class Severity : std::uint8_t { kWarn, kError };

/// dbt's words: "model", "view", "delete+insert", "error".
std::string_view kind_name(NodeKind kind);
std::string_view materialization_name(Materialization materialization);

/// What dbt_project.yml, properties files and config() say about a node, the later winning.
struct NodeConfig {
  bool enabled = true;
  Materialization materialized = Materialization::kView;
  IncrementalStrategy incremental_strategy = IncrementalStrategy::kAppend;
  std::optional<bool> full_refresh;  ///< true: always rebuilt; false: --full-refresh does not touch it
  std::vector<std::string> unique_key;
  std::vector<std::string> tags;
  std::string schema;  ///< custom schema, before generate_schema_name
  std::string alias;
  std::vector<std::string> pre_hooks;
  std::vector<std::string> post_hooks;
  Severity severity = Severity::kError;
  std::string where;
  std::optional<std::int64_t> limit;
  std::string fail_calc = "count(*)";
  std::string warn_if = "!= 0";
  std::string error_if = "!= 0";
  std::vector<std::pair<std::string, std::string>> column_types;  ///< of seeds
  char delimiter = ',';
  Dict raw;  ///< everything as written, for manifest.json and config.get()
};

struct ColumnInfo {
  std::string name;
  std::string description;
  std::string data_type;
};

/// A generic test on one model or source table.
struct GenericTest {
  std::string name;         ///< unique, not_null, ...
  std::string namespace_;   ///< empty, or the package in front: dbt_utils.x
  std::string column_name;  ///< empty for a test of the whole table
  std::string attached_to;  ///< unique id
  Dict arguments;           ///< as written, without `model`
  Dict written_arguments;   ///< with `model`, as manifest.json shows them
};

/// A model, seed, test or source table.
struct Node {
  NodeKind kind = NodeKind::kModel;
  std::string
      unique_id;  ///< model.<project>.<name>, test.<project>.<name>.<hash>, source.<project>.<source>.<table>
  std::string name;
  std::string path;  ///< of the file, relative to the project
  int line = 1;      ///< where a yaml file declares it
  std::string raw_code;
  std::string description;
  std::string source_name;  ///< of a source table
  std::string schema;       ///< where its relation lives
  std::string identifier;
  std::string relation;  ///< "schema"."identifier", as SQL; empty for tests
  NodeConfig config;
  std::vector<ColumnInfo> columns;
  std::vector<std::string> fqn;         ///< project, folders, name
  std::vector<std::string> depends_on;  ///< unique ids, sorted
  std::optional<GenericTest> generic;
  std::shared_ptr<const ParsedTemplate> parsed;
};

struct LoadOptions {
  std::string target_name = "duckdb";
  std::string schema = "main";  ///< models go here unless config(schema) says otherwise
  Dict vars;                    ///< win over dbt_project.yml
  bool full_refresh = false;    ///< what {{ flags.FULL_REFRESH }} says
  /// SQL to use instead of "schema"."identifier" for a source table; the key is <source>.<table>.
  std::map<std::string, std::string> source_relations;
  /// For env_var(); null = the process environment. Only names starting with DBT_ or TILLCAST_ are asked for.
  std::function<std::optional<std::string>(const std::string&)> environment;
  /// Receives {{ log() }}, {{ print() }} and warnings while nodes are compiled; null = dropped.
  std::function<void(std::string_view)> log;
  TemplateLimits limits;
};

/// A loaded project: every reference resolved, no cycle, nodes in running order. Immutable; thread-safe to
/// read.
struct Project {
  std::string name;
  std::string version;
  Dict vars;
  std::vector<Node> nodes;  ///< enabled ones; each after what it depends on
  std::vector<std::string> on_run_start;
  std::vector<std::string> on_run_end;
  std::shared_ptr<const MacroLibrary> macros;
  std::vector<std::string> warnings;  ///< harmless oddities, such as yaml for a model that does not exist
  LoadOptions options;

  const Node* find(std::string_view unique_id) const;
  /// The model or seed of that name.
  const Node* find_by_name(std::string_view name) const;
};

/// Reads a dbt project: dbt_project.yml, models, macros, tests, seeds.
/// @return kNotFound without dbt_project.yml; kInvalidInput "file:line:column: ..." for bad yaml or Jinja,
/// unknown references (with the nearest known name), wrong configuration values, and for cycles (naming each
/// member).
Result<Project> load_project(const std::filesystem::path& directory, const LoadOptions& options = {});
/// The same from files built into the program, paths relative to the project.
Result<Project> load_project(std::span<const EmbeddedFile> files, const LoadOptions& options = {});

}  // namespace tillcast::warehouse
