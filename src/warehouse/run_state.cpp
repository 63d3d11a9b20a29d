#include "warehouse/run_state.h"

#include "database/database.h"
#include "io/file_hash.h"

namespace tillcast::warehouse {

Result<RunState> RunState::open(database::Connection& connection, const Project& project) {
  RunState state;
  const std::string schema = database::sql_identifier(project.options.schema);
  state.table_ = schema + ".\"_tillcast_nodes\"";
  TILLCAST_TRY(connection.execute("CREATE SCHEMA IF NOT EXISTS " + schema), "create the models' schema");
  TILLCAST_TRY(connection.execute(
                   "CREATE TABLE IF NOT EXISTS " + state.table_ +
                   " (unique_id VARCHAR, fingerprint VARCHAR, code_hash VARCHAR, updated_at TIMESTAMPTZ)"),
               "create _tillcast_nodes");
  const auto rows =
      TILLCAST_TRY(connection.query("SELECT unique_id, fingerprint, code_hash FROM " + state.table_),
                   "read _tillcast_nodes");
  for (std::size_t i = 0; i < rows.rows(); ++i)
    state.nodes_[rows.text(i, 0)] = {rows.text(i, 1), rows.text(i, 2)};
  return state;
}

const StoredNode* RunState::find(const std::string& unique_id) const {
  const auto at = nodes_.find(unique_id);
  return at == nodes_.end() ? nullptr : &at->second;
}

Result<> RunState::forget(database::Connection& connection, const std::string& unique_id) {
  if (nodes_.erase(unique_id) == 0) return {};
  TILLCAST_TRY(
      connection.execute("DELETE FROM " + table_ + " WHERE unique_id = " + database::sql_quote(unique_id)),
      "update _tillcast_nodes");
  return {};
}

Result<> RunState::save(database::Connection& connection, const std::string& unique_id,
                        const StoredNode& node) {
  TILLCAST_TRY_PLAIN(forget(connection, unique_id));
  TILLCAST_TRY(connection.execute("INSERT INTO " + table_ + " VALUES (" + database::sql_quote(unique_id) +
                                  ", " + database::sql_quote(node.fingerprint) + ", " +
                                  database::sql_quote(node.code_hash) + ", now())"),
               "update _tillcast_nodes");
  nodes_[unique_id] = node;
  return {};
}

std::string code_hash(const Node& node, const std::string& full_sql, const std::string& incremental_sql) {
  std::string text = node.unique_id;
  const auto add = [&](std::string_view part) {
    text += '\0';
    text += part;
  };
  add(node.kind == NodeKind::kSeed ? node.raw_code : full_sql);
  add(incremental_sql);
  add(materialization_name(node.config.materialized));
  add(node.relation);
  add(to_json(Value::dict(node.config.raw)));
  return io::xxh3_text(text);
}

std::string combined_hash(const std::string& own, const std::vector<std::string>& parents) {
  std::string text = own;
  for (const std::string& parent : parents) text += "\n" + parent;
  return io::xxh3_text(text);
}

}  // namespace tillcast::warehouse
