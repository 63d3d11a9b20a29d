#include "warehouse/materializer.h"

#include "database/database.h"
#include "warehouse/compiler.h"
#include "warehouse/seed.h"

namespace tillcast::warehouse {

Result<Materializer> Materializer::open(database::Connection& connection) {
  Materializer materializer(connection);
  const auto rows = TILLCAST_TRY(
      connection.query("SELECT table_schema, table_name, table_type = 'VIEW' FROM information_schema.tables "
                       "WHERE table_catalog = current_database()"),
      "list the tables of the warehouse");
  for (std::size_t i = 0; i < rows.rows(); ++i)
    materializer.is_view_[database::sql_identifier(rows.text(i, 0)) + "." +
                          database::sql_identifier(rows.text(i, 1))] = rows.integer(i, 2).value_or(0) != 0;
  return materializer;
}

bool Materializer::exists(const Node& node) const {
  const auto at = is_view_.find(node.relation);
  const bool wants_view = node.kind == NodeKind::kModel && node.config.materialized == Materialization::kView;
  return at != is_view_.end() && at->second == wants_view;
}

bool Materializer::can_continue(const Node& node) const {
  return node.config.materialized == Materialization::kIncremental && exists(node);
}

Result<> Materializer::make_room(const Node& node, bool for_view) {
  TILLCAST_TRY_PLAIN(
      connection_->execute("CREATE SCHEMA IF NOT EXISTS " + database::sql_identifier(node.schema)));
  const auto at = is_view_.find(node.relation);
  if (at == is_view_.end() || at->second == for_view) return {};
  TILLCAST_TRY_PLAIN(connection_->execute((at->second ? "DROP VIEW " : "DROP TABLE ") + node.relation));
  is_view_.erase(at);
  return {};
}

Result<> Materializer::run_hooks(const Project& project, const Node& node,
                                 const std::vector<std::string>& hooks) {
  for (const std::string& hook : hooks) {
    const std::string sql = TILLCAST_TRY_PLAIN(compile_text(project, &node, hook, node.path + " (hook)"));
    if (sql.find_first_not_of(" \t\r\n;") == std::string::npos) continue;
    TILLCAST_TRY(connection_->execute(sql), "hook");
  }
  return {};
}

Result<std::int64_t> Materializer::count_rows(const Node& node) {
  const auto counted = TILLCAST_TRY_PLAIN(connection_->query("SELECT count(*) FROM " + node.relation));
  return counted.integer(0, 0).value_or(0);
}

/// Adds the rows of `sql` to the table; false when its columns differ from the table's.
Result<bool> Materializer::continue_table(const Node& node, const std::string& sql) {
  const std::string fresh = "temp." + database::sql_identifier(node.identifier + "__tillcast_new");
  const auto columns_of = [&](const std::string& relation) {
    return connection_->describe("SELECT * FROM " + relation);
  };
  TILLCAST_TRY_PLAIN(connection_->execute("CREATE OR REPLACE TEMP TABLE " +
                                          database::sql_identifier(node.identifier + "__tillcast_new") +
                                          " AS " + sql));
  const auto have = TILLCAST_TRY_PLAIN(columns_of(node.relation));
  const auto given = TILLCAST_TRY_PLAIN(columns_of(fresh));
  bool same = have.size() == given.size();
  for (const auto& column : given) {
    bool found = false;
    for (const auto& known : have)
      found = found || (known.name == column.name && known.sql_type == column.sql_type);
    same = same && found;
  }
  if (same && node.config.incremental_strategy == IncrementalStrategy::kDeleteInsert) {
    if (node.config.unique_key.empty())
      return invalid_input("incremental_strategy delete+insert needs a unique_key");
    std::string equal;
    for (const std::string& key : node.config.unique_key) {
      const std::string column = database::sql_identifier(key);
      equal += (equal.empty() ? "" : " AND ") + ("fresh." + column + " IS NOT DISTINCT FROM old." + column);
    }
    TILLCAST_TRY_PLAIN(connection_->execute("DELETE FROM " + node.relation +
                                            " AS old WHERE EXISTS (SELECT 1 FROM " + fresh +
                                            " AS fresh WHERE " + equal + ")"));
  }
  if (same)
    TILLCAST_TRY_PLAIN(
        connection_->execute("INSERT INTO " + node.relation + " BY NAME SELECT * FROM " + fresh));
  TILLCAST_TRY_PLAIN(connection_->execute("DROP TABLE " + fresh));
  return same;
}

Result<std::optional<std::int64_t>> Materializer::build(const Project& project, const Node& node,
                                                        const std::string& full_sql,
                                                        const std::string& incremental_sql,
                                                        bool incremental) {
  const bool is_view = node.config.materialized == Materialization::kView;
  TILLCAST_TRY_PLAIN(make_room(node, is_view));
  TILLCAST_TRY_PLAIN(run_hooks(project, node, node.config.pre_hooks));
  const bool continued =
      incremental && TILLCAST_TRY_PLAIN(continue_table(node, as_subquery_text(incremental_sql)));
  if (!continued)
    TILLCAST_TRY_PLAIN(connection_->execute(std::string("CREATE OR REPLACE ") +
                                            (is_view ? "VIEW " : "TABLE ") + node.relation + " AS " +
                                            as_subquery_text(full_sql)));
  is_view_[node.relation] = is_view;
  TILLCAST_TRY_PLAIN(run_hooks(project, node, node.config.post_hooks));
  if (is_view) return std::optional<std::int64_t>();
  const std::int64_t rows = TILLCAST_TRY_PLAIN(count_rows(node));
  return std::optional<std::int64_t>(rows);
}

Result<std::int64_t> Materializer::load(const Node& seed) {
  TILLCAST_TRY_PLAIN(make_room(seed, false));
  TILLCAST_TRY_PLAIN(load_seed(*connection_, seed));
  is_view_[seed.relation] = false;
  return count_rows(seed);
}

std::string as_subquery_text(const std::string& sql) {
  const std::size_t end = sql.find_last_not_of(" \t\r\n;");
  // The line break ends a comment on the last line.
  return end == std::string::npos ? "" : sql.substr(0, end + 1) + "\n";
}

}  // namespace tillcast::warehouse
