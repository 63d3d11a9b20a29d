#include "pipeline/build.h"

#include <chrono>

#include "io/durable_file.h"
#include "pipeline/learnt_loads.h"
#include "warehouse/artifacts.h"
#include "warehouse/project.h"
#include "warehouse/runner.h"
#include "warehouse_assets.h"

namespace tillcast::pipeline {
namespace {

using warehouse::NodeKind;
using warehouse::NodeStatus;

/// Shows the models as a share of all nodes, and passes Ctrl-C on.
class BuildProgress final : public warehouse::RunObserver {
 public:
  explicit BuildProgress(StageObserver& observer) : observer_(observer) {}
  void on_finish(const warehouse::Node&, const warehouse::NodeResult&, std::size_t number,
                 std::size_t total) override {
    observer_.update(number, total);
  }
  bool cancelled() const override { return observer_.cancelled(); }

 private:
  StageObserver& observer_;
};

// The data directory's own models, else the built-in ones.
Result<warehouse::Project> load_models(const Workspace& workspace) {
  const std::filesystem::path named(workspace.config.text("warehouse.project"));
  const auto folder = named.is_absolute() ? named : workspace.directory / named;
  warehouse::LoadOptions options;
  std::error_code ignored;
  if (std::filesystem::exists(folder / "dbt_project.yml", ignored))
    return warehouse::load_project(folder, options);
  return warehouse::load_project(warehouse_assets(), options);
}

// Compaction moves rows between files but changes none: only loads and drops make gold older than the lake.
std::string content_version(const lake::Snapshot& snapshot) {
  std::int64_t newest = 0;
  for (const auto& load : snapshot.loads) newest = std::max(newest, load.seq);
  return std::to_string(newest) + "/" + std::to_string(snapshot.loads.size());
}

BuildReport summarise(const warehouse::RunResults& results) {
  BuildReport report;
  for (const auto& node : results.results) {
    const bool failed = node.status == NodeStatus::kError || node.status == NodeStatus::kFail;
    if (node.kind == NodeKind::kTest) {
      report.tests += node.status == NodeStatus::kSkipped ? 0 : 1;
      report.tests_failed += failed ? 1 : 0;
      report.warnings += node.status == NodeStatus::kWarn ? 1 : 0;
    } else {
      report.models += node.status == NodeStatus::kSuccess ? 1 : 0;
      report.unchanged += node.status == NodeStatus::kUnchanged ? 1 : 0;
      report.tests_failed += failed ? 1 : 0;
      if (node.status == NodeStatus::kSuccess) report.rows += node.rows.value_or(0);
    }
    if (failed) report.failures.push_back(node.name + ": " + node.message);
  }
  report.seconds = results.seconds;
  return report;
}

}  // namespace

Result<BuildReport> build_warehouse(Workspace& workspace, const BuildOptions& options,
                                    StageObserver& observer) {
  if (options.tests_only) {
    if (auto gold = require_gold(workspace); !gold) return std::move(gold.error());
  }
  const std::string stage = options.tests_only ? "check" : "build and check gold";
  observer.stage_started(stage, "steps");
  const auto snapshot = TILLCAST_TRY_PLAIN(refresh_views(workspace));
  const auto project = TILLCAST_TRY(load_models(workspace), "warehouse models");
  auto connection = TILLCAST_TRY_PLAIN(workspace.database.connect());

  warehouse::RunOptions run_options;
  run_options.select = options.select;
  run_options.exclude = options.exclude;
  run_options.models = !options.tests_only;
  run_options.seeds = !options.tests_only;
  run_options.full_refresh = options.full_refresh;
  run_options.lake_version = content_version(snapshot);
  if (snapshot.last_drop > 0) run_options.rows_went = "commit " + std::to_string(snapshot.last_drop);
  BuildProgress progress(observer);
  const auto results = TILLCAST_TRY(warehouse::run(project, connection, run_options, progress), stage);
  ++workspace.version;
  if (results.committed && run_options.models && options.select.empty() && options.exclude.empty()) {
    if (auto set = set_gold_commit(connection, snapshot.seq); !set) return std::move(set.error());
  }
  if (auto written = warehouse::write_artifacts(project, results, workspace.runs_directory() / "latest");
      !written)
    return std::move(written.error());

  BuildReport report = summarise(results);
  StageReport done{stage, report.tests_failed > 0 ? StageReport::Status::kFailed : StageReport::Status::kDone,
                   report.rows, report.seconds, results.summary()};
  if (!options.tests_only && report.models == 0 && report.tests_failed == 0)
    done.status = StageReport::Status::kUnchanged;
  observer.stage_finished(done);
  return report;
}

Result<std::vector<std::string>> write_models(const std::filesystem::path& folder) {
  std::error_code ignored;
  if (std::filesystem::exists(folder / "dbt_project.yml", ignored))
    return conflict(folder.string() + " holds models already; they were left as they are");
  for (const auto& file : warehouse_assets()) {
    const auto path = folder / file.path;
    if (auto made = io::make_directories(path.parent_path()); !made) return std::move(made.error());
    if (auto written = io::write_file_atomically(path, file.content); !written)
      return std::move(written.error());
  }
  return std::vector<std::string>{folder.string() + " (" + std::to_string(warehouse_assets().size()) +
                                  " files)"};
}

}  // namespace tillcast::pipeline
