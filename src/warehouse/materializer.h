#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/result.h"
#include "warehouse/project.h"

namespace tillcast::database {
class Connection;
}

namespace tillcast::warehouse {

/// Turns compiled models into tables and views of DuckDB, and knows which relations exist.
class Materializer {
 public:
  static Result<Materializer> open(database::Connection& connection);

  /// True when the node's relation exists as what its materialization makes.
  bool exists(const Node& node) const;
  /// True when an incremental model can be continued: its table exists.
  bool can_continue(const Node& node) const;

  /// Builds a model, hooks included. With `incremental`, `sql` holds the new rows only: they are appended, or
  /// replace those with the same unique_key; a table whose columns no longer fit is rebuilt from `full_sql`.
  /// @return rows of the table now; nullopt for a view.
  Result<std::optional<std::int64_t>> build(const Project& project, const Node& node,
                                            const std::string& full_sql, const std::string& incremental_sql,
                                            bool incremental);
  /// Loads a seed; @return its rows.
  Result<std::int64_t> load(const Node& seed);

 private:
  explicit Materializer(database::Connection& connection) : connection_(&connection) {}
  /// CREATE OR REPLACE cannot turn a view into a table or back.
  Result<> make_room(const Node& node, bool for_view);
  Result<bool> continue_table(const Node& node, const std::string& sql);
  Result<> run_hooks(const Project& project, const Node& node, const std::vector<std::string>& hooks);
  Result<std::int64_t> count_rows(const Node& node);

  database::Connection* connection_;
  std::map<std::string, bool> is_view_;  ///< by relation
};

/// Compiled SQL without what cannot stand inside parentheses: white space and semicolons at its end.
std::string as_subquery_text(const std::string& sql);

}  // namespace tillcast::warehouse
