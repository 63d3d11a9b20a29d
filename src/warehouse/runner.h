#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/civil_time.h"
#include "core/result.h"
#include "warehouse/project.h"

namespace tillcast::database {
class Connection;
}

namespace tillcast::warehouse {

enum class NodeStatus : std::uint8_t {
  kSuccess,    ///< model or seed built
  kUnchanged,  ///< model or seed not touched: its SQL, everything above it and the lake are as they were
  kPass,       ///< test
  kWarn,       ///< test with failures, severity warn
  kFail,       ///< test with failures, severity error
  kError,      ///< SQL or template error
  kSkipped,    ///< something above it failed
};
/// dbt's words: "success", "no-op" (unchanged), "pass", ...
std::string_view status_name(NodeStatus status);

struct NodeResult {
  std::string unique_id;
  std::string name;
  NodeKind kind = NodeKind::kModel;
  NodeStatus status = NodeStatus::kSuccess;
  std::string message;                   ///< for people; of a failed test with a sample of the failing rows
  std::optional<std::int64_t> failures;  ///< of tests that ran
  std::optional<std::int64_t> rows;      ///< of tables and seeds after the build
  double seconds = 0;
  Timestamp started_at;
  Timestamp compiled_at;
  Timestamp finished_at;
  std::string compiled_code;
  std::string relation;
};

struct RunResults {
  std::vector<NodeResult> results;  ///< in the order they ran
  Timestamp started_at;
  double seconds = 0;
  bool committed = false;  ///< false: an atomic run failed and the warehouse is as before
  std::size_t count(NodeStatus status) const;
  /// No error, failed test or skipped node.
  bool ok() const;
  /// "built 12, unchanged 3, passed 40 tests, 1 warning, 0 failed, 0 skipped in 0.8 s".
  std::string summary() const;
};

struct RunOptions {
  std::string select;  ///< see selection.h; empty = everything
  std::string exclude;
  bool models = true;  ///< false: `tillcast check`, tests alone, and each one is run
  bool seeds = true;
  bool tests = true;
  /// One transaction around everything: readers never see half a build, and an error or a failed test of
  /// severity error rolls all of it back. false: each node commits by itself.
  bool atomic = true;
  bool full_refresh = false;  ///< rebuild unchanged and incremental models too
  /// What the sources hold, e.g. the number of the lake's last commit: nodes are skipped when it and their
  /// SQL are as in the run before. Unset: everything below a source is built again. `source_versions` holds
  /// finer ones by
  /// "<source>.<table>".
  std::optional<std::string> lake_version;
  std::map<std::string, std::string> source_versions;
  /// Names the last time that rows went from the sources, e.g. the number of that commit; empty = never.
  /// Incremental models built before it are built from scratch: what they appended may be gone.
  std::string rows_went;
  std::size_t sample_rows = 5;   ///< failing rows shown in a test's message
  const Clock* clock = nullptr;  ///< null = the machine's
};

/// Told about each node, on the thread that runs.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void on_start(const Node& node, std::size_t number, std::size_t total);
  virtual void on_finish(const Node& node, const NodeResult& result, std::size_t number, std::size_t total);
  /// True stops the running statement: the run ends with kCancelled, and an atomic one leaves no trace. Also
  /// called from another thread.
  virtual bool cancelled() const { return false; }
};

/// Builds and tests the selected nodes in order (as `dbt build`): a failing node keeps what depends on it
/// from running, the rest goes on. What failed is in the results; an Error is returned only when the run
/// itself could not be done (bad selection, the database refuses a transaction, cancelled). The connection
/// must not be in a transaction, and is used by nobody else meanwhile.
Result<RunResults> run(const Project& project, database::Connection& connection, const RunOptions& options,
                       RunObserver& observer);
Result<RunResults> run(const Project& project, database::Connection& connection,
                       const RunOptions& options = {});

}  // namespace tillcast::warehouse
