#include "pipeline/engine.h"

#include <algorithm>
#include <atomic>

#include "core/log.h"
#include "core/text.h"
#include "io/durable_file.h"
#include "io/file_hash.h"
#include "pipeline/build.h"
#include "pipeline/forecast_reader.h"
#include "pipeline/forecast_tables.h"
#include "pipeline/forecasts.h"
#include "pipeline/ingest.h"
#include "pipeline/model_commands.h"
#include "pipeline/models.h"
#include "pipeline/monitor.h"
#include "pipeline/reports.h"
#include "pipeline/series_retrain.h"
#include "pipeline/settings.h"
#include "pipeline/tune.h"
#include "pipeline/workspace.h"
#include "retail/column_mapping.h"

namespace tillcast::pipeline {
namespace {

class DirectoryEngine final : public Engine {
 public:
  explicit DirectoryEngine(std::unique_ptr<Workspace> workspace)
      : workspace_(std::move(workspace)),
        reader_(*workspace_),
        opened_at_(SystemClock().now()),
        settings_written_(settings_written()) {}

  Result<IngestReport> ingest(const std::filesystem::path& file, const IngestOptions& options,
                              StageObserver& observer) override {
    const auto writing = TILLCAST_TRY_PLAIN(lock_writing(observer));
    return ingest_file(*workspace_, file, options, observer);
  }

  Result<BuildReport> build(const BuildOptions& options, StageObserver& observer) override {
    const auto writing = TILLCAST_TRY_PLAIN(lock_writing(observer));
    return build_warehouse(*workspace_, options, observer);
  }

  Result<std::vector<PlanReport>> fit_forecasts(std::span<const std::string> names,
                                                StageObserver& observer) override {
    const auto writing = TILLCAST_TRY_PLAIN(lock_writing(observer));
    return fit_locked(names, FitMode::kFit, observer);
  }

  Result<std::vector<PlanReport>> update_forecasts(std::span<const std::string> names,
                                                   StageObserver& observer) override {
    const auto writing = TILLCAST_TRY_PLAIN(lock_writing(observer));
    return fit_locked(names, FitMode::kUpdate, observer);
  }

  Result<PlanReport> promote_model(const PromoteRequest& request, StageObserver& observer) override {
    return on_plan(request.plan, observer, [&](const ForecastPlan& plan) {
      return promote_version(*workspace_, plan, request, observer);
    });
  }

  Result<PlanReport> rollback_model(const RollbackRequest& request, StageObserver& observer) override {
    return on_plan(request.plan, observer,
                   [&](const ForecastPlan& plan) { return roll_back(*workspace_, plan, request, observer); });
  }

  Result<std::vector<std::string>> verify_models() override {
    std::vector<std::string> lines;
    const auto findings = TILLCAST_TRY_PLAIN(registry_of(*workspace_).verify());
    lines.reserve(findings.size());
    for (const auto& finding : findings) {
      lines.push_back(finding.plan +
                      (finding.version > 0 ? " version " + std::to_string(finding.version) : "") + ": " +
                      finding.message);
    }
    return lines;
  }

  Result<PlanReport> create_experiment(const ExperimentRequest& request, StageObserver& observer) override {
    return on_plan(request.plan, observer, [&](const ForecastPlan& plan) {
      return pipeline::create_experiment(*workspace_, plan, request, observer);
    });
  }

  Result<std::vector<ExperimentReport>> experiments(const std::string& plan) override {
    return experiment_reports(*workspace_, plan);
  }

  Result<PlanReport> end_experiment(const std::string& plan_name, const std::string& winner,
                                    const std::string& by, StageObserver& observer) override {
    return on_plan(plan_name, observer, [&](const ForecastPlan& plan) {
      return pipeline::end_experiment(*workspace_, plan, winner, by, observer);
    });
  }

  Result<std::vector<PlanModels>> models() override { return list_models(*workspace_); }
  Result<PlanModels> models_of(const std::string& plan, int version) override {
    return show_models(*workspace_, plan, version);
  }
  Result<std::vector<ForecastAlert>> alerts(const AlertRequest& request) override {
    if (auto known = TILLCAST_TRY_PLAIN(reader_.catalog())->check_plan(request.plan); !known)
      return std::move(known.error());
    auto connection = TILLCAST_TRY_PLAIN(workspace_->database.connect());
    return list_alerts(connection, request);
  }
  Result<std::vector<MonitorFigures>> monitor(const MonitorRequest& request) override {
    const auto catalog = TILLCAST_TRY_PLAIN(reader_.catalog());
    if (auto known = catalog->check_plan(request.plan); !known) return std::move(known.error());
    if (!request.series_id.empty() && catalog->find(request.series_id) == nullptr)
      return unknown_series(request.series_id);
    auto connection = TILLCAST_TRY_PLAIN(workspace_->database.connect());
    return list_figures(connection, request);
  }

  Result<PlanReport> refit_series(const std::string& series_id, StageObserver& observer) override {
    const auto writing = TILLCAST_TRY_PLAIN(lock_writing(observer));
    if (auto gold = require_gold(*workspace_); !gold) return std::move(gold.error());
    const auto plans = TILLCAST_TRY_PLAIN(plans_of(*workspace_));
    for (const auto& plan : plans) {
      if (!series_id.starts_with(plan.name + "/")) continue;
      if (auto made = prepare_forecast_tables(*workspace_, plans); !made) return std::move(made.error());
      return retrain_series(*workspace_, plan, series_id, observer);
    }
    return unknown_series(series_id);
  }

  Result<std::vector<std::string>> plan_names() override {
    if (auto gold = require_gold(*workspace_); !gold) return std::move(gold.error());
    std::vector<std::string> names;
    for (const auto& plan : TILLCAST_TRY_PLAIN(plans_of(*workspace_))) names.push_back(plan.name);
    return names;
  }

  Result<TuneReport> tune(const TuneRequest& request, StageObserver& observer) override {
    if (auto gold = require_gold(*workspace_); !gold) return std::move(gold.error());
    const auto plans = TILLCAST_TRY_PLAIN(plans_of(*workspace_));
    for (const auto& plan : plans) {
      if (plan.name == request.plan) return tune_trees(*workspace_, plan, request, observer);
    }
    return no_such_plan(plans, request.plan);
  }

  Result<RunReport> run(const RunOptions& options, StageObserver& observer) override {
    const auto writing = TILLCAST_TRY_PLAIN(lock_writing(observer));
    RunReport report;
    for (const auto& input : options.inputs) {
      report.ingests.push_back(TILLCAST_TRY_PLAIN(ingest_file(*workspace_, input, options.ingest, observer)));
      const auto& ingest = report.ingests.back();
      report.stages.push_back(
          {"ingest " + ingest.file,
           ingest.already_loaded ? StageReport::Status::kUnchanged : StageReport::Status::kDone,
           ingest.totals.rows_in, ingest.seconds, ""});
    }
    const auto snapshot = TILLCAST_TRY_PLAIN(workspace_->lake.snapshot());
    if (snapshot.loads.empty())
      return invalid_input("nothing is loaded yet; name a file: tillcast run --input FILE   (csv or xlsx)");
    report.build = TILLCAST_TRY_PLAIN(build_warehouse(*workspace_, {}, observer));
    report.stages.push_back(
        {"build", report.build.tests_failed > 0 ? StageReport::Status::kFailed : StageReport::Status::kDone,
         report.build.rows, report.build.seconds, ""});
    if (report.checks_failed() || !options.forecast) return report;
    report.plans = TILLCAST_TRY_PLAIN(fit_locked({}, FitMode::kAuto, observer));
    for (const auto& plan : report.plans) {
      report.stages.push_back({"forecast " + plan.plan,
                               plan.unchanged ? StageReport::Status::kUnchanged : StageReport::Status::kDone,
                               0, plan.seconds, ""});
    }
    return report;
  }

  Result<database::QueryResult> sql(std::string_view statement, std::int64_t rows_max) override {
    auto connection = TILLCAST_TRY_PLAIN(workspace_->database.connect());
    database::QueryLimits limits;
    limits.rows_max =
        static_cast<std::size_t>(rows_max > 0 ? rows_max : workspace_->config.integer("sql.rows_max"));
    limits.time_max = std::chrono::seconds(workspace_->config.integer("sql.seconds_max"));
    return connection.query_read_only(statement, limits);
  }

  Result<std::vector<lake::DatasetSummary>> lake_list() override { return workspace_->lake.list(); }
  Result<lake::Snapshot> lake_snapshot() override { return workspace_->lake.snapshot(); }
  Result<std::vector<lake::Finding>> lake_verify(Progress& progress) override {
    return workspace_->lake.verify(progress);
  }

  Result<RemovalReport> lake_remove(std::string_view load, StageObserver& observer) override {
    const auto writing = TILLCAST_TRY_PLAIN(lock_writing(observer));
    RemovalReport report;
    report.removed = TILLCAST_TRY_PLAIN(workspace_->lake.remove_load(load));
    TILLCAST_TRY_PLAIN(refresh_views(*workspace_));
    ++workspace_->version;
    if (require_gold(*workspace_))
      report.build = TILLCAST_TRY_PLAIN(build_warehouse(*workspace_, {}, observer));
    return report;
  }

  Result<std::vector<lake::RemovedLoad>> lake_removed() override { return workspace_->lake.removed_loads(); }

  Result<lake::CompactionReport> lake_compact(std::string_view dataset) override {
    const auto writing = TILLCAST_TRY_PLAIN(lock_writing());
    const auto report = TILLCAST_TRY_PLAIN(workspace_->lake.compact(dataset));
    TILLCAST_TRY_PLAIN(refresh_views(*workspace_));
    return report;
  }

  Result<std::vector<std::string>> lake_collect_garbage() override {
    const auto writing = TILLCAST_TRY_PLAIN(lock_writing());
    return workspace_->lake.collect_garbage();
  }

  const Config& config() const override { return workspace_->config; }
  const std::filesystem::path& data_directory() const override { return workspace_->directory; }

  Result<KpiReport> kpis(const KpiRequest& request) override { return kpi_report(*workspace_, request); }

  Result<SeriesPage> series(const SeriesRequest& request) override {
    const auto catalog = TILLCAST_TRY_PLAIN(reader_.catalog());
    return catalog->page(request);
  }

  Result<SeriesForecast> series_forecast(const std::string& series_id,
                                         std::vector<HistoryPoint>& history) override {
    return reader_.series(series_id, history);
  }

  Result<PredictionPage> predictions(const PredictionRequest& request) override {
    const auto catalog = TILLCAST_TRY_PLAIN(reader_.catalog());
    return catalog->predictions(request, catalog);
  }

  Result<std::vector<Result<SeriesForecast>>> forecast(const ForecastRequest& request) override {
    return reader_.forecast(request);
  }

  Result<SeriesExplanation> explain(const ExplainRequest& request) override {
    return reader_.explain(request);
  }

  Readiness readiness() override {
    if (auto gold = require_gold(*workspace_); !gold) return {false, gold.error().message};
    const auto catalog = reader_.catalog();
    if (!catalog) return {false, catalog.error().message};
    return {true, std::to_string((*catalog)->size()) + " series forecast"};
  }

  // Figures come from the tables as they are, forecasts from the readers' snapshot: either may change alone.
  std::string data_version() override {
    return io::xxh3_text(format_timestamp(opened_at_) + "-" + std::to_string(workspace_->version.load()) +
                         "-" + std::to_string(reader_.version()));
  }

 private:
  /// The one writing call. Its end is the moment when readers get what it wrote, before anyone is told.
  class WritingTurn {
   public:
    WritingTurn(std::unique_lock<std::mutex> writing, ForecastReader& reader)
        : writing_(std::move(writing)), reader_(&reader) {}
    WritingTurn(WritingTurn&&) = default;
    ~WritingTurn() {
      if (writing_.owns_lock()) reader_->refresh();
    }

   private:
    std::unique_lock<std::mutex> writing_;
    ForecastReader* reader_;
  };

  Result<WritingTurn> lock_writing(StageObserver& observer) {
    auto writing = lock_writing();
    if (!writing) observer.turn_refused();
    return writing;
  }

  Result<WritingTurn> lock_writing() {
    std::unique_lock writing(workspace_->writing, std::try_to_lock);
    if (!writing.owns_lock()) {
      return unavailable("another command is writing to " + workspace_->directory.string() +
                         " just now; try again when it is done");
    }
    return WritingTurn(std::move(writing), reader_);
  }

  // Does something with one plan under the write lock.
  template <class Work>
  Result<PlanReport> on_plan(const std::string& name, StageObserver& observer, const Work& work) {
    const auto writing = TILLCAST_TRY_PLAIN(lock_writing(observer));
    if (auto gold = require_gold(*workspace_); !gold) return std::move(gold.error());
    const auto plans = TILLCAST_TRY_PLAIN(plans_of(*workspace_));
    if (auto prepared = prepare_forecast_tables(*workspace_, plans); !prepared)
      return std::move(prepared.error());
    const auto at = std::ranges::find(plans, name, &ForecastPlan::name);
    if (at == plans.end()) return no_such_plan(plans, name);
    return work(*at);
  }

  Error no_such_plan(std::span<const ForecastPlan> plans, const std::string& name) const {
    std::vector<std::string> known;
    for (const auto& plan : plans) known.push_back(plan.name);
    Error error = unknown_plan(name, known);
    if (settings_written() != settings_written_)
      error.message += "; " + std::string(kSettingsFile) +
                       " was changed since this server read it: start it again to use what is new";
    return error;
  }

  std::filesystem::file_time_type settings_written() const {
    std::error_code ignored;
    return std::filesystem::last_write_time(workspace_->directory / kSettingsFile, ignored);
  }

  Result<std::vector<PlanReport>> fit_locked(std::span<const std::string> names, FitMode mode,
                                             StageObserver& observer) {
    if (auto gold = require_gold(*workspace_); !gold) return std::move(gold.error());
    const auto plans = TILLCAST_TRY_PLAIN(plans_of(*workspace_));
    for (const auto& name : names) {
      if (std::ranges::find(plans, name, &ForecastPlan::name) == plans.end())
        return no_such_plan(plans, name);
    }
    if (auto prepared = prepare_forecast_tables(*workspace_, plans); !prepared)
      return std::move(prepared.error());
    std::vector<PlanReport> reports;
    for (const auto& plan : plans) {
      if (!names.empty() && std::ranges::find(names, plan.name) == names.end()) continue;
      reports.push_back(TILLCAST_TRY_PLAIN(fit_plan(*workspace_, plan, mode, observer)));
    }
    return reports;
  }

  std::unique_ptr<Workspace> workspace_;
  ForecastReader reader_;
  Timestamp opened_at_;
  std::filesystem::file_time_type settings_written_;  ///< when the settings were, that are in force
};

}  // namespace

Result<std::vector<std::string>> Engine::init(const std::filesystem::path& data_directory, bool with_models) {
  std::error_code ignored;
  const auto settings = data_directory / kSettingsFile;
  std::vector<std::string> made;
  if (std::filesystem::exists(settings, ignored)) {
    if (!with_models)
      return conflict(data_directory.string() + " is a tillcast data directory already (it has " +
                      std::string(kSettingsFile) + ")");
  } else {
    for (const char* folder : {"", "lake", "runs", "tmp"}) {
      if (auto created = io::make_directories(data_directory / folder); !created)
        return std::move(created.error());
    }
    if (auto written = io::write_file_atomically(settings, settings_template()); !written)
      return std::move(written.error());
    made.push_back(settings.string());
  }
  if (with_models) {
    const auto models = TILLCAST_TRY_PLAIN(write_models(data_directory / "warehouse"));
    made.insert(made.end(), models.begin(), models.end());
  }
  return made;
}

Result<std::unique_ptr<Engine>> Engine::open(const std::filesystem::path& data_directory, Config config) {
  std::string note;
  auto workspace = TILLCAST_TRY_PLAIN(open_workspace(data_directory, std::move(config), note));
  if (!note.empty()) log(LogLevel::kWarning, note);
  return std::unique_ptr<Engine>(std::make_unique<DirectoryEngine>(std::move(workspace)));
}

std::vector<std::string> mapping_names() {
  std::vector<std::string> names;
  for (const auto& mapping : retail::preset_mappings()) names.push_back(mapping.name);
  return names;
}

}  // namespace tillcast::pipeline
