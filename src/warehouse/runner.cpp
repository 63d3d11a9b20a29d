#include "warehouse/runner.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "database/cancel_watch.h"
#include "database/database.h"
#include "warehouse/compiler.h"
#include "warehouse/graph.h"
#include "warehouse/materializer.h"
#include "warehouse/run_state.h"
#include "warehouse/selection.h"

namespace tillcast::warehouse {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

bool is_bad(NodeStatus status) {
  return status == NodeStatus::kError || status == NodeStatus::kFail || status == NodeStatus::kSkipped;
}

class Run {
 public:
  Run(const Project& project, database::Connection& connection, const RunOptions& options,
      RunObserver& observer, RunState state, Materializer materializer)
      : project_(project),
        connection_(connection),
        options_(options),
        observer_(observer),
        clock_(options.clock != nullptr ? *options.clock : static_cast<const Clock&>(system_clock_)),
        state_(std::move(state)),
        materializer_(std::move(materializer)),
        fingerprints_(project.nodes.size()),
        statuses_(project.nodes.size()) {}

  Result<RunResults> go(const std::vector<std::size_t>& selected) {
    const auto start = std::chrono::steady_clock::now();
    results_.started_at = clock_.now();
    BuildOrder build = build_order(project_.nodes);
    blockers_ = std::move(build.blockers);
    const std::vector<std::size_t> order = std::move(build.order);
    const std::vector<std::size_t> runnable = nodes_to_run(order, selected);
    TILLCAST_TRY_PLAIN(run_project_hooks(project_.on_run_start, "on-run-start"));
    std::size_t number = 0;
    for (const std::size_t index : order) {
      const Node& node = project_.nodes[index];
      if (std::find(runnable.begin(), runnable.end(), index) == runnable.end()) {
        TILLCAST_TRY(keep_fingerprint(index), node.path);
        continue;
      }
      if (observer_.cancelled()) return cancelled("the run was stopped before " + node.name);
      ++number;
      observer_.on_start(node, number, runnable.size());
      NodeResult result = TILLCAST_TRY_PLAIN(run_node(index));
      statuses_[index] = result.status;
      observer_.on_finish(node, result, number, runnable.size());
      results_.results.push_back(std::move(result));
    }
    if (!aborted_by_.empty()) {
      results_.seconds = seconds_since(start);
      return std::move(results_);
    }
    TILLCAST_TRY_PLAIN(run_project_hooks(project_.on_run_end, "on-run-end"));
    results_.seconds = seconds_since(start);
    return std::move(results_);
  }

 private:
  std::vector<std::size_t> nodes_to_run(const std::vector<std::size_t>& order,
                                        const std::vector<std::size_t>& selected) const {
    std::vector<std::size_t> runnable;
    for (const std::size_t index : order) {
      const Node& node = project_.nodes[index];
      const bool wanted = node.kind == NodeKind::kTest   ? options_.tests
                          : node.kind == NodeKind::kSeed ? options_.seeds
                          : node.kind == NodeKind::kModel
                              ? options_.models && node.config.materialized != Materialization::kEphemeral
                              : false;
      if (wanted && std::binary_search(selected.begin(), selected.end(), index)) runnable.push_back(index);
    }
    return runnable;
  }

  Result<> run_project_hooks(const std::vector<std::string>& hooks, std::string_view name) {
    for (const std::string& hook : hooks) {
      const std::string sql = TILLCAST_TRY_PLAIN(compile_text(project_, nullptr, hook, name));
      if (sql.find_first_not_of(" \t\r\n;") == std::string::npos) continue;
      TILLCAST_TRY(connection_.execute(sql), name);
    }
    return {};
  }

  /// The fingerprint of a node that does not run: sources by their version, ephemeral models by their SQL,
  /// others as they were built last.
  Result<> keep_fingerprint(std::size_t index) {
    const Node& node = project_.nodes[index];
    if (node.kind == NodeKind::kSource) {
      const auto own = options_.source_versions.find(node.source_name + "." + node.name);
      const bool has_own = own != options_.source_versions.end();
      if (has_own || options_.lake_version)
        fingerprints_[index] =
            combined_hash(node.unique_id, {node.relation, has_own ? own->second : *options_.lake_version});
    } else if (node.kind == NodeKind::kModel && node.config.materialized == Materialization::kEphemeral) {
      const std::string sql = TILLCAST_TRY_PLAIN(compile_node(project_, node));
      fingerprints_[index] = fingerprint_of(node, code_hash(node, sql, ""));
    } else if (const StoredNode* stored = state_.find(node.unique_id);
               stored != nullptr && !stored->fingerprint.empty()) {
      fingerprints_[index] = stored->fingerprint;
    }
    return {};
  }

  /// nullopt when a parent's state is not known: then the node is never taken for unchanged.
  std::optional<std::string> fingerprint_of(const Node& node, const std::string& own) const {
    std::vector<std::string> parents;
    for (const std::string& id : node.depends_on) {
      const auto parent = std::find_if(project_.nodes.begin(), project_.nodes.end(),
                                       [&](const Node& n) { return n.unique_id == id; });
      if (parent == project_.nodes.end()) return std::nullopt;
      const auto& fingerprint = fingerprints_[static_cast<std::size_t>(parent - project_.nodes.begin())];
      if (!fingerprint) return std::nullopt;
      parents.push_back(*fingerprint);
    }
    return combined_hash(own, parents);
  }

  Result<NodeResult> run_node(std::size_t index) {
    const Node& node = project_.nodes[index];
    NodeResult result;
    result.unique_id = node.unique_id;
    result.name = node.name;
    result.kind = node.kind;
    result.relation = node.relation;
    result.started_at = result.compiled_at = result.finished_at = clock_.now();
    const auto start = std::chrono::steady_clock::now();
    if (const std::string reason = reason_to_skip(index); !reason.empty()) {
      result.status = NodeStatus::kSkipped;
      result.message = reason;
      return result;
    }
    if (!options_.atomic) TILLCAST_TRY(connection_.execute("BEGIN TRANSACTION"), node.name);
    auto done = run_inside(index, result);
    if (done && !options_.atomic) {
      auto committed = connection_.execute("COMMIT");
      if (!committed) done = Result<>(std::move(committed.error()));
    }
    if (!done) {
      if (observer_.cancelled()) {
        TILLCAST_TRY_PLAIN(recover(node));
        return cancelled("the run was stopped in " + node.name);
      }
      result.status = NodeStatus::kError;
      result.message = done.error().message;
      if (result.message.find(node.path) == std::string::npos) result.message.insert(0, node.path + ": ");
      fingerprints_[index].reset();
      TILLCAST_TRY_PLAIN(recover(node));
    }
    result.finished_at = clock_.now();
    result.seconds = seconds_since(start);
    return result;
  }

  std::string reason_to_skip(std::size_t index) const {
    if (!aborted_by_.empty()) return "not run: the error of " + aborted_by_ + " ended the transaction";
    for (const std::size_t blocker : blockers_[index]) {
      if (statuses_[blocker] && is_bad(*statuses_[blocker]))
        return "not run: " + project_.nodes[blocker].name + " " +
               (*statuses_[blocker] == NodeStatus::kSkipped ? "was not run" : "failed");
    }
    return "";
  }

  /// After an SQL error: some of DuckDB's errors end the transaction, and there are no savepoints.
  Result<> recover(const Node& node) {
    if (!options_.atomic) {
      // COMMIT may have failed and ended it; then there is nothing to roll back.
      const auto rolled_back = connection_.execute("ROLLBACK");
      if (!rolled_back && !connection_.query("SELECT 1")) return rolled_back.error();
      return {};
    }
    if (!connection_.query("SELECT 1")) aborted_by_ = node.name;
    return {};
  }

  Result<> run_inside(std::size_t index, NodeResult& result) {
    const Node& node = project_.nodes[index];
    const std::string full = TILLCAST_TRY_PLAIN(compile_node(project_, node, CompileMode::kFull));
    std::string incremental;
    if (node.kind == NodeKind::kModel && node.config.materialized == Materialization::kIncremental)
      incremental = TILLCAST_TRY_PLAIN(compile_node(project_, node, CompileMode::kIncremental));
    result.compiled_at = clock_.now();
    result.compiled_code = full;
    StoredNode fresh;
    fresh.code_hash = code_hash(node, full, incremental);
    if (!incremental.empty() && !options_.rows_went.empty())
      fresh.code_hash = combined_hash(fresh.code_hash, {options_.rows_went});
    const auto fingerprint = fingerprint_of(node, fresh.code_hash);
    fresh.fingerprint = fingerprint.value_or("");
    fingerprints_[index] = fingerprint;
    const StoredNode* stored = state_.find(node.unique_id);
    const bool refresh = node.config.full_refresh.value_or(options_.full_refresh);
    const bool unchanged =
        fingerprint && stored != nullptr && stored->fingerprint == *fingerprint && !refresh;
    // Who asks for tests alone wants to see them run.
    if (node.kind == NodeKind::kTest)
      return run_test(node, unchanged && options_.models, full, fresh, result);
    if (unchanged && materializer_.exists(node)) {
      result.status = NodeStatus::kUnchanged;
      result.message = "unchanged";
      return {};
    }
    if (node.kind == NodeKind::kSeed) {
      result.rows = TILLCAST_TRY_PLAIN(materializer_.load(node));
    } else {
      const bool same_code = stored != nullptr && stored->code_hash == fresh.code_hash;
      const bool goes_on = same_code && !refresh && materializer_.can_continue(node);
      if (goes_on) result.compiled_code = incremental;
      result.rows = TILLCAST_TRY_PLAIN(materializer_.build(project_, node, full, incremental, goes_on));
    }
    result.status = NodeStatus::kSuccess;
    result.message = result.rows ? std::to_string(*result.rows) + " rows" : "view";
    return state_.save(connection_, node.unique_id, fresh);
  }

  Result<> run_test(const Node& node, bool unchanged, const std::string& sql, const StoredNode& fresh,
                    NodeResult& result) {
    if (unchanged) {  // only passed tests are kept
      result.status = NodeStatus::kPass;
      result.failures = 0;
      result.message = "unchanged since it passed";
      return {};
    }
    std::string rows = as_subquery_text(sql);
    if (node.config.limit) rows += "LIMIT " + std::to_string(*node.config.limit) + "\n";
    const std::string& calc = node.config.fail_calc;
    const auto counted = TILLCAST_TRY_PLAIN(
        connection_.query("SELECT CAST(" + calc + " AS BIGINT), coalesce(" + calc + " " +
                          node.config.warn_if + ", false), coalesce(" + calc + " " + node.config.error_if +
                          ", false) FROM (\n" + rows + ") dbt_internal_test"));
    result.failures = counted.integer(0, 0).value_or(0);
    const bool should_warn = counted.integer(0, 1).value_or(0) != 0;
    const bool should_error = counted.integer(0, 2).value_or(0) != 0;
    if (node.config.severity == Severity::kError && should_error) {
      result.status = NodeStatus::kFail;
    } else if (should_warn) {
      result.status = NodeStatus::kWarn;
    } else {
      result.status = NodeStatus::kPass;
      return state_.save(connection_, node.unique_id, fresh);
    }
    const bool failed = result.status == NodeStatus::kFail;
    result.message = "Got " + std::to_string(*result.failures) +
                     (*result.failures == 1 ? " result" : " results") + ", configured to " +
                     (failed ? "fail if " : "warn if ") +
                     (failed ? node.config.error_if : node.config.warn_if);
    TILLCAST_TRY_PLAIN(add_sample(rows, result));
    return state_.forget(connection_, node.unique_id);
  }

  Result<> add_sample(const std::string& rows, NodeResult& result) {
    if (options_.sample_rows == 0) return {};
    const auto sample = TILLCAST_TRY_PLAIN(connection_.query(
        "SELECT * FROM (\n" + rows + ") dbt_internal_test LIMIT " + std::to_string(options_.sample_rows)));
    for (std::size_t row = 0; row < sample.rows(); ++row) {
      result.message += "\n  ";
      for (std::size_t column = 0; column < sample.columns.size(); ++column)
        result.message += (column == 0 ? "" : ", ") + sample.columns[column].name + "=" +
                          (sample.is_null(row, column) ? "null" : sample.text(row, column));
    }
    return {};
  }

  const Project& project_;
  database::Connection& connection_;
  const RunOptions& options_;
  RunObserver& observer_;
  SystemClock system_clock_;
  const Clock& clock_;
  RunState state_;
  Materializer materializer_;
  std::vector<std::vector<std::size_t>> blockers_;
  std::vector<std::optional<std::string>> fingerprints_;
  std::vector<std::optional<NodeStatus>> statuses_;
  std::string aborted_by_;
  RunResults results_;
};

}  // namespace

std::string_view status_name(NodeStatus status) {
  switch (status) {
    case NodeStatus::kSuccess:
      return "success";
    case NodeStatus::kUnchanged:
      return "no-op";
    case NodeStatus::kPass:
      return "pass";
    case NodeStatus::kWarn:
      return "warn";
    case NodeStatus::kFail:
      return "fail";
    case NodeStatus::kError:
      return "error";
    case NodeStatus::kSkipped:
      return "skipped";
  }
  return "";
}

std::size_t RunResults::count(NodeStatus status) const {
  return static_cast<std::size_t>(
      std::count_if(results.begin(), results.end(), [&](const NodeResult& r) { return r.status == status; }));
}

bool RunResults::ok() const {
  return std::none_of(results.begin(), results.end(), [](const NodeResult& r) { return is_bad(r.status); });
}

std::string RunResults::summary() const {
  const auto counted = [&](const char* label, std::size_t count) { return label + std::to_string(count); };
  std::string text = counted("built ", count(NodeStatus::kSuccess));
  text += counted(", unchanged ", count(NodeStatus::kUnchanged));
  text += counted(", tests passed ", count(NodeStatus::kPass));
  text += counted(", warnings ", count(NodeStatus::kWarn));
  text += counted(", failed ", count(NodeStatus::kFail) + count(NodeStatus::kError));
  text += counted(", skipped ", count(NodeStatus::kSkipped));
  char time[32];
  std::snprintf(time, sizeof time, " in %.2f s", seconds);
  text += time;
  if (!committed) text += "; rolled back, the warehouse is as before";
  return text;
}

void RunObserver::on_start(const Node&, std::size_t, std::size_t) {}
void RunObserver::on_finish(const Node&, const NodeResult&, std::size_t, std::size_t) {}

Result<RunResults> run(const Project& project, database::Connection& connection, const RunOptions& options,
                       RunObserver& observer) {
  const std::vector<std::size_t> selected =
      TILLCAST_TRY_PLAIN(select_nodes(project, options.select, options.exclude));
  const auto whole_run = [&]() -> Result<RunResults> {
    const database::CancelWatch watch(connection, [&observer] { return observer.cancelled(); });
    RunState state = TILLCAST_TRY_PLAIN(RunState::open(connection, project));
    Materializer materializer = TILLCAST_TRY_PLAIN(Materializer::open(connection));
    return Run(project, connection, options, observer, std::move(state), std::move(materializer))
        .go(selected);
  };
  if (!options.atomic) {
    RunResults results = TILLCAST_TRY_PLAIN(whole_run());
    results.committed = true;
    return results;
  }
  TILLCAST_TRY(connection.execute("BEGIN TRANSACTION"), "build the warehouse");
  auto results = whole_run();
  if (!results || !results->ok()) {
    const auto rolled_back = connection.execute("ROLLBACK");
    if (results && !rolled_back) return rolled_back.error();
    return results;
  }
  if (auto committed = connection.execute("COMMIT"); !committed)
    return std::move(committed.error()).with_context("commit the warehouse");
  results->committed = true;
  return results;
}

Result<RunResults> run(const Project& project, database::Connection& connection, const RunOptions& options) {
  RunObserver silent;
  return run(project, connection, options, silent);
}

}  // namespace tillcast::warehouse
