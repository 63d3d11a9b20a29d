#pragma once

#include <map>
#include <string>

#include "core/result.h"
#include "warehouse/project.h"

namespace tillcast::database {
class Connection;
}

namespace tillcast::warehouse {

/// What is kept of a node's last good run, in table _tillcast_nodes beside the models.
struct StoredNode {
  std::string
      fingerprint;        ///< of its SQL and everything above it, sources' versions included; empty = unknown
  std::string code_hash;  ///< of its own SQL and configuration
};

class RunState {
 public:
  /// Creates the table when it is missing and reads it.
  static Result<RunState> open(database::Connection& connection, const Project& project);

  const StoredNode* find(const std::string& unique_id) const;
  /// Remembers a good run; in the connection's transaction, so it goes when that is rolled back.
  Result<> save(database::Connection& connection, const std::string& unique_id, const StoredNode& node);
  /// Forgets a node that is about to change, so that a failure in between is seen.
  Result<> forget(database::Connection& connection, const std::string& unique_id);

 private:
  std::string table_;
  std::map<std::string, StoredNode> nodes_;
};

/// Hash of what decides a node's own content: SQL in both modes, materialization, keys, hooks, types.
std::string code_hash(const Node& node, const std::string& full_sql, const std::string& incremental_sql);
/// 16 hex digits; order matters.
std::string combined_hash(const std::string& own, const std::vector<std::string>& parents);

}  // namespace tillcast::warehouse
