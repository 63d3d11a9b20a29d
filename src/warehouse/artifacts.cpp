#include "warehouse/artifacts.h"

#include <algorithm>
#include <fstream>

#include "io/durable_file.h"
#include "io/file_hash.h"
#include "warehouse/graph.h"
#include "warehouse/md5.h"

namespace tillcast::warehouse {
namespace {

constexpr std::string_view kManifestSchema = "https://schemas.getdbt.com/dbt/manifest/v12.json";
constexpr std::string_view kRunResultsSchema = "https://schemas.getdbt.com/dbt/run-results/v6.json";
/// The version whose formats these are.
constexpr std::string_view kDbtVersion = "1.11.16";

Value texts(const std::vector<std::string>& items) {
  List list;
  for (const std::string& item : items) list.emplace_back(item);
  return Value::list(std::move(list));
}

/// One id for all files of a run, in the shape of a UUID.
std::string invocation_id(const Project& project, Timestamp at) {
  std::string hex = md5_hex(project.name + format_timestamp(at));
  for (const std::size_t dash : {8, 13, 18, 23}) hex.insert(dash, 1, '-');
  return hex;
}

Value metadata(const Project& project, std::string_view schema, Timestamp at) {
  return Value::dict({{"dbt_schema_version", Value(schema)},
                      {"dbt_version", Value(kDbtVersion)},
                      {"generated_at", Value(format_timestamp(at))},
                      {"invocation_id", Value(invocation_id(project, at))},
                      {"env", Value::dict({})},
                      {"project_name", Value(project.name)},
                      {"adapter_type", Value("duckdb")}});
}

Value columns_value(const Node& node) {
  Dict columns;
  for (const ColumnInfo& column : node.columns)
    columns.emplace_back(
        column.name, Value::dict({{"name", Value(column.name)},
                                  {"description", Value(column.description)},
                                  {"meta", Value::dict({})},
                                  {"data_type", column.data_type.empty() ? Value() : Value(column.data_type)},
                                  {"constraints", Value::list({})},
                                  {"quote", Value()},
                                  {"tags", Value::list({})}}));
  return Value::dict(std::move(columns));
}

Value config_value(const Node& node) {
  Value config = Value::dict(node.config.raw);
  config.set_member("enabled", Value(node.config.enabled));
  config.set_member("tags", texts(node.config.tags));
  if (node.kind == NodeKind::kModel)
    config.set_member("materialized", Value(materialization_name(node.config.materialized)));
  if (node.kind == NodeKind::kSeed) config.set_member("materialized", Value("seed"));
  if (node.kind == NodeKind::kTest) {
    config.set_member("materialized", Value("test"));
    config.set_member("severity", Value(node.config.severity == Severity::kError ? "ERROR" : "WARN"));
    config.set_member("where", node.config.where.empty() ? Value() : Value(node.config.where));
    config.set_member("limit", node.config.limit ? Value(*node.config.limit) : Value());
    config.set_member("fail_calc", Value(node.config.fail_calc));
    config.set_member("warn_if", Value(node.config.warn_if));
    config.set_member("error_if", Value(node.config.error_if));
  }
  return config;
}

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// Path below the folder of its kind: "marts/a.sql" of models/marts/a.sql.
std::string inner_path(const Node& node) {
  if (node.generic) return node.name + ".sql";
  std::string path;
  for (std::size_t i = 1; i + 1 < node.fqn.size(); ++i) path += node.fqn[i] + "/";
  return path + file_name(node.path);
}

Value node_value(const Project& project, const Node& node) {
  List refs;
  List sources;
  for (const std::string& id : node.depends_on) {
    const Node* parent = project.find(id);
    if (parent == nullptr) continue;
    if (parent->kind == NodeKind::kSource) {
      sources.push_back(texts({parent->source_name, parent->name}));
    } else {
      refs.push_back(
          Value::dict({{"name", Value(parent->name)}, {"package", Value()}, {"version", Value()}}));
    }
  }
  Dict dict{
      {"database", Value()},
      {"schema", Value(node.schema)},
      {"name", Value(node.name)},
      {"resource_type", Value(kind_name(node.kind))},
      {"package_name", Value(project.name)},
      {"path", Value(inner_path(node))},
      {"original_file_path", Value(node.path)},
      {"unique_id", Value(node.unique_id)},
      {"fqn", texts(node.fqn)},
      {"alias", Value(node.identifier.empty() ? node.name : node.identifier)},
      {"checksum", Value::dict({{"name", Value(node.generic ? "none" : "sha256")},
                                {"checksum", Value(node.generic ? "" : io::sha256_text(node.raw_code))}})},
      {"config", config_value(node)},
      {"tags", texts(node.config.tags)},
      {"description", Value(node.description)},
      {"columns", columns_value(node)},
      {"meta", Value::dict({})},
      {"relation_name", node.relation.empty() ? Value() : Value(node.relation)}};
  if (node.kind == NodeKind::kSource) {
    dict.emplace_back("source_name", Value(node.source_name));
    dict.emplace_back("identifier", Value(node.identifier));
    dict.emplace_back("loader", Value(""));
    dict.emplace_back("source_description", Value(""));
    return Value::dict(std::move(dict));
  }
  const std::string raw =
      node.generic ? "{{ test_" + node.generic->name + "(**_dbt_generic_test_kwargs) }}" : node.raw_code;
  dict.emplace_back("raw_code", Value(node.kind == NodeKind::kSeed ? "" : raw));
  dict.emplace_back("language", Value("sql"));
  dict.emplace_back("refs", Value::list(std::move(refs)));
  dict.emplace_back("sources", Value::list(std::move(sources)));
  dict.emplace_back("metrics", Value::list({}));
  dict.emplace_back("depends_on",
                    Value::dict({{"macros", Value::list({})}, {"nodes", texts(node.depends_on)}}));
  if (node.generic) {
    const GenericTest& test = *node.generic;
    dict.emplace_back(
        "test_metadata",
        Value::dict({{"name", Value(test.name)},
                     {"kwargs", Value::dict(test.written_arguments)},
                     {"namespace", test.namespace_.empty() ? Value() : Value(test.namespace_)}}));
    dict.emplace_back("column_name", test.column_name.empty() ? Value() : Value(test.column_name));
    dict.emplace_back("attached_node", Value(test.attached_to));
  }
  return Value::dict(std::move(dict));
}

Value macros_value(const Project& project) {
  Dict macros;
  for (const auto& [name, entry] : project.macros->entries()) {
    const bool built_in = entry.macro->file == "built-in macros";
    const std::string id = "macro." + (built_in ? "tillcast_native" : project.name) + "." + name;
    macros.emplace_back(id, Value::dict({{"name", Value(name)},
                                         {"resource_type", Value("macro")},
                                         {"package_name", Value(built_in ? "tillcast_native" : project.name)},
                                         {"path", Value(entry.macro->file)},
                                         {"original_file_path", Value(entry.macro->file)},
                                         {"unique_id", Value(id)},
                                         {"macro_sql", Value("")},
                                         {"depends_on", Value::dict({{"macros", Value::list({})}})},
                                         {"description", Value("")}}));
  }
  return Value::dict(std::move(macros));
}

Value links_value(const std::vector<Node>& nodes, const std::vector<std::vector<std::size_t>>& links) {
  Dict dict;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    std::vector<std::string> ids;
    for (const std::size_t link : links[i]) ids.push_back(nodes[link].unique_id);
    std::sort(ids.begin(), ids.end());
    dict.emplace_back(nodes[i].unique_id, texts(ids));
  }
  return Value::dict(std::move(dict));
}

Value result_value(const NodeResult& result) {
  const auto timing = [](const char* name, Timestamp from, Timestamp to) {
    return Value::dict({{"name", Value(name)},
                        {"started_at", Value(format_timestamp(from))},
                        {"completed_at", Value(format_timestamp(to))}});
  };
  List timings;
  if (result.status != NodeStatus::kSkipped) {
    timings.push_back(timing("compile", result.started_at, result.compiled_at));
    timings.push_back(timing("execute", result.compiled_at, result.finished_at));
  }
  Value adapter = Value::dict({});
  if (result.rows) adapter.set_member("rows_affected", Value(*result.rows));
  return Value::dict({{"status", Value(status_name(result.status))},
                      {"timing", Value::list(std::move(timings))},
                      {"thread_id", Value("Thread-1")},
                      {"execution_time", Value(result.seconds)},
                      {"adapter_response", std::move(adapter)},
                      {"message", result.message.empty() ? Value() : Value(result.message)},
                      {"failures", result.failures ? Value(*result.failures) : Value()},
                      {"unique_id", Value(result.unique_id)},
                      {"compiled", Value(!result.compiled_code.empty())},
                      {"compiled_code", Value(result.compiled_code)},
                      {"relation_name", result.relation.empty() ? Value() : Value(result.relation)},
                      {"batch_results", Value()}});
}

std::filesystem::path compiled_path(const Project& project, const Node& node) {
  std::filesystem::path path = std::filesystem::path("compiled") / project.name / node.path;
  if (node.generic) {
    // A test's name may be longer than a file name can be.
    const std::string name =
        node.name.size() < 200 ? node.name : node.name.substr(0, 160) + "_" + md5_hex(node.name);
    path /= name + ".sql";
  }
  return path;
}

Result<> write_plain_file(const std::filesystem::path& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  if (!file) return io_error("cannot write " + path.string());
  return {};
}

}  // namespace

std::string manifest_json(const Project& project, Timestamp generated_at) {
  Dict nodes;
  Dict sources;
  for (const Node& node : project.nodes)
    (node.kind == NodeKind::kSource ? sources : nodes)
        .emplace_back(node.unique_id, node_value(project, node));
  const Graph graph = make_graph(project.nodes);
  return to_json(Value::dict({{"metadata", metadata(project, kManifestSchema, generated_at)},
                              {"nodes", Value::dict(std::move(nodes))},
                              {"sources", Value::dict(std::move(sources))},
                              {"macros", macros_value(project)},
                              {"docs", Value::dict({})},
                              {"exposures", Value::dict({})},
                              {"metrics", Value::dict({})},
                              {"groups", Value::dict({})},
                              {"selectors", Value::dict({})},
                              {"disabled", Value::dict({})},
                              {"parent_map", links_value(project.nodes, graph.parents)},
                              {"child_map", links_value(project.nodes, graph.children)},
                              {"group_map", Value::dict({})},
                              {"saved_queries", Value::dict({})},
                              {"semantic_models", Value::dict({})},
                              {"unit_tests", Value::dict({})}}));
}

std::string run_results_json(const Project& project, const RunResults& results) {
  List list;
  for (const NodeResult& result : results.results) list.push_back(result_value(result));
  return to_json(Value::dict(
      {{"metadata", metadata(project, kRunResultsSchema, results.started_at)},
       {"results", Value::list(std::move(list))},
       {"elapsed_time", Value(results.seconds)},
       {"args", Value::dict({{"which", Value("build")}, {"committed", Value(results.committed)}})}}));
}

std::string lineage_json(const Project& project) {
  List nodes;
  List edges;
  for (const Node& node : project.nodes) {
    if (node.kind == NodeKind::kTest) continue;
    nodes.push_back(Value::dict(
        {{"id", Value(node.unique_id)},
         {"name", Value(node.kind == NodeKind::kSource ? node.source_name + "." + node.name : node.name)},
         {"type", Value(kind_name(node.kind))},
         {"materialized",
          node.kind == NodeKind::kModel ? Value(materialization_name(node.config.materialized)) : Value()},
         {"tags", texts(node.config.tags)},
         {"path", Value(node.path)},
         {"description", Value(node.description)}}));
    for (const std::string& parent : node.depends_on)
      edges.push_back(Value::dict({{"from", Value(parent)}, {"to", Value(node.unique_id)}}));
  }
  return to_json(
      Value::dict({{"nodes", Value::list(std::move(nodes))}, {"edges", Value::list(std::move(edges))}}));
}

Result<> write_artifacts(const Project& project, const RunResults& results,
                         const std::filesystem::path& directory) {
  TILLCAST_TRY_PLAIN(io::make_directories(directory));
  for (const NodeResult& result : results.results) {
    const Node* node = project.find(result.unique_id);
    if (node == nullptr || result.compiled_code.empty()) continue;
    const std::filesystem::path path = directory / compiled_path(project, *node);
    // Only for people to look at: no need to survive a power cut.
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    if (error) return io_error("cannot create " + path.parent_path().string() + ": " + error.message());
    TILLCAST_TRY_PLAIN(write_plain_file(path, result.compiled_code));
  }
  TILLCAST_TRY_PLAIN(
      io::write_file_atomically(directory / "manifest.json", manifest_json(project, results.started_at)));
  return io::write_file_atomically(directory / "run_results.json", run_results_json(project, results));
}

}  // namespace tillcast::warehouse
