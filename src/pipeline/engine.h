#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/progress.h"
#include "core/result.h"
#include "database/query_result.h"
#include "lake/lake.h"
#include "pipeline/service.h"

namespace tillcast::pipeline {

/// One finished step of a run, as it is shown and logged.
struct StageReport {
  enum class Status : std::uint8_t { kDone, kUnchanged, kFailed };
  std::string name;  ///< "ingest sales.csv", "build", "check", "forecast store_daily"
  Status status = Status::kDone;
  std::int64_t rows = 0;
  double seconds = 0;
  std::string detail;  ///< one line for people
};

/// The unit of a stage whose progress counts in shares of the time that it usually takes.
constexpr std::string_view kShares = "shares";

/// Hears about a run while it goes on. Called from the thread that works.
class StageObserver : public Progress {
 public:
  virtual void stage_started(const std::string& /*name*/, std::string_view /*unit*/) {}
  virtual void stage_finished(const StageReport& /*report*/) {}
  virtual void note(const std::string& /*line*/) {}
  /// Another command has the write turn: the call ends with kUnavailable and has begun nothing.
  virtual void turn_refused() {}
  void update(std::uint64_t, std::uint64_t) override {}
};

struct IngestOptions {
  std::string mapping;  ///< preset name or TOML file; empty = picked by header
  std::string sheet;    ///< of an xlsx; empty = the first with data
  std::int64_t rejects_shown = 5;
  std::string label;  ///< the file's name in lake and reports; empty = its own
};

/// What became of one file: rows_in = silver + rejected + duplicates, always.
struct IngestReport {
  std::string file;
  std::string sha256;
  std::string mapping;
  std::string dataset;  ///< silver.sale_line, ...
  bool already_loaded = false;
  std::int64_t load_seq = 0;
  lake::LoadTotals totals;
  std::vector<std::pair<std::string, std::int64_t>> reject_reasons;  ///< reason and count, largest first
  std::vector<std::string> reject_examples;                          ///< "row 17: UnitPrice: bad_number: ..."
  std::vector<std::string> notes;  ///< what looks odd in it, one line each, with what can be done
  double seconds = 0;
};

struct BuildOptions {
  std::string select;  ///< dbt selection; empty = everything
  std::string exclude;
  bool full_refresh = false;
  bool tests_only = false;
};

struct BuildReport {
  std::int64_t models = 0;
  std::int64_t unchanged = 0;
  std::int64_t tests = 0;
  std::int64_t tests_failed = 0;
  std::int64_t warnings = 0;
  std::int64_t rows = 0;
  std::vector<std::string> failures;  ///< one line each, readable
  double seconds = 0;
};

/// A load that was taken out of the lake, and gold built without it.
struct RemovalReport {
  lake::RemovedLoad removed;
  std::optional<BuildReport> build;  ///< nullopt: there were no gold tables
};

struct PlanReport {
  std::string plan;
  std::string run_id;
  bool unchanged = false;
  int model_version = 0;   ///< the champion that made the forecasts
  int fitted_version = 0;  ///< made by this call; 0 = nothing was fitted
  std::string verdict;     ///< what the gate said of it
  std::int64_t series = 0;
  std::int64_t fallbacks = 0;
  std::int64_t failed = 0;
  double wape = -1;
  double wape_seasonal_naive = -1;
  double rmspe = -1;
  double rmspe_seasonal_naive = -1;
  double coverage80 = -1;
  double coverage95 = -1;
  double seconds = 0;
};

struct RunOptions {
  std::vector<std::filesystem::path> inputs;
  IngestOptions ingest;
  bool forecast = true;
};

struct RunReport {
  std::vector<StageReport> stages;
  std::vector<IngestReport> ingests;
  BuildReport build;
  std::vector<PlanReport> plans;
  bool checks_failed() const { return build.tests_failed > 0; }
};

/// How long to look for settings of a plan's trees.
struct TuneRequest {
  std::string plan;      ///< a daily one
  double seconds = 600;  ///< CPU seconds
  std::size_t trials_max = 50;
};

struct TuneTrial {
  std::string settings;  ///< words for `trees =` of a plan
  double error = 0;      ///< NaN when they could not learn
  double cpu_seconds = 0;
};

struct TuneReport {
  std::string metric;             ///< of TuneTrial::error
  std::vector<TuneTrial> trials;  ///< the first are the plan's own settings
  std::size_t best = 0;
};

/// A data directory, opened by its one owner: lake, warehouse and forecasts, and everything that may be done
/// with them. The CLI and the API call nothing else.
///
/// Writing calls (ingest, build, forecast, run, remove, compact) go one at a time: a second one is
/// kUnavailable. Reading calls are thread-safe and never see half of a write.
class Engine : public Service {
 public:
  /// Makes the folders and tillcast.toml of a new data directory; kConflict when it is one already.
  static Result<std::vector<std::string>> init(const std::filesystem::path& data_directory, bool with_models);
  /// kUnavailable when another process owns it (its pid is in the message); kNotFound when it is no data
  /// directory.
  static Result<std::unique_ptr<Engine>> open(const std::filesystem::path& data_directory, Config config);

  virtual Result<IngestReport> ingest(const std::filesystem::path& file, const IngestOptions& options,
                                      StageObserver& observer) = 0;
  virtual Result<BuildReport> build(const BuildOptions& options, StageObserver& observer) = 0;
  /// Fits and back-tests all plans, or the named ones, unless that was done on the same data; each fit
  /// becomes a model version, the gate decides whether it is the champion, and the champion's forecasts are
  /// stored.
  virtual Result<std::vector<PlanReport>> fit_forecasts(std::span<const std::string> plans,
                                                        StageObserver& observer) = 0;
  /// The champions forecast again from the newest actuals, without any fit. kNotFound for a plan without one.
  virtual Result<std::vector<PlanReport>> update_forecasts(std::span<const std::string> plans,
                                                           StageObserver& observer) = 0;

  /// Makes a version the champion and stores its forecasts. kConflict when the gate made it a challenger and
  /// `force` is not set, or while an experiment runs.
  virtual Result<PlanReport> promote_model(const PromoteRequest& request, StageObserver& observer) = 0;
  /// Makes an earlier version the champion again and stores its forecasts.
  virtual Result<PlanReport> rollback_model(const RollbackRequest& request, StageObserver& observer) = 0;
  /// Compares every file of every version with its checksum; one line for each that differs.
  virtual Result<std::vector<std::string>> verify_models() = 0;

  /// Lets a challenger forecast its share of a plan's series from now on. One at a time per plan.
  virtual Result<PlanReport> create_experiment(const ExperimentRequest& request, StageObserver& observer) = 0;
  /// All experiments, newest first; of one plan when it is not empty.
  virtual Result<std::vector<ExperimentReport>> experiments(const std::string& plan) = 0;
  /// Ends the running experiment. @param winner  "champion", "challenger", "auto" = the measured one
  /// (kConflict while undecided), empty = the champion stays. @param by  who asks
  virtual Result<PlanReport> end_experiment(const std::string& plan, const std::string& winner,
                                            const std::string& by, StageObserver& observer) = 0;

  /// Fits one series of a plan anew: a version that is the champion with that series exchanged, judged by the
  /// gate. kConflict when the plan is no longer what its champion was fitted for.
  virtual Result<PlanReport> refit_series(const std::string& series_id, StageObserver& observer) = 0;
  /// The forecast plans, as configured or as the data suggests.
  virtual Result<std::vector<std::string>> plan_names() = 0;
  /// Looks for better settings of a daily plan's trees; see tune.h. kNotFound for a plan that is none.
  virtual Result<TuneReport> tune(const TuneRequest& request, StageObserver& observer) = 0;
  virtual Result<RunReport> run(const RunOptions& options, StageObserver& observer) = 0;

  /// A read-only statement on gold, silver and bronze, within the limits of the settings. `rows_max` 0 = the
  /// setting.
  virtual Result<database::QueryResult> sql(std::string_view statement, std::int64_t rows_max) = 0;

  virtual Result<std::vector<lake::DatasetSummary>> lake_list() = 0;
  virtual Result<lake::Snapshot> lake_snapshot() = 0;
  virtual Result<std::vector<lake::Finding>> lake_verify(Progress& progress) = 0;
  /// Takes a load out of the lake again (see lake::Lake::remove_load) and builds gold without it. When that
  /// build fails the load is out all the same, and the next one makes up for it.
  virtual Result<RemovalReport> lake_remove(std::string_view load, StageObserver& observer) = 0;
  virtual Result<std::vector<lake::RemovedLoad>> lake_removed() = 0;
  virtual Result<lake::CompactionReport> lake_compact(std::string_view dataset) = 0;
  virtual Result<std::vector<std::string>> lake_collect_garbage() = 0;

  virtual const Config& config() const = 0;
  virtual const std::filesystem::path& data_directory() const = 0;
};

/// The built-in column mappings' names, for help texts.
std::vector<std::string> mapping_names();

}  // namespace tillcast::pipeline
