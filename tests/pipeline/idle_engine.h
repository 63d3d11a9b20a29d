#pragma once

#include <string>
#include <vector>

#include "pipeline/engine.h"
#include "pipeline/settings.h"

namespace tillcast::test {

/// An Engine that does nothing: a base for tests that watch what is asked of it.
class IdleEngine : public pipeline::Engine {
 public:
  explicit IdleEngine(std::filesystem::path directory)
      : config_(pipeline::setting_specs()), directory_(std::move(directory)) {}

  Result<pipeline::IngestReport> ingest(const std::filesystem::path&, const pipeline::IngestOptions&,
                                        pipeline::StageObserver&) override {
    return none();
  }
  Result<pipeline::BuildReport> build(const pipeline::BuildOptions&, pipeline::StageObserver&) override {
    return none();
  }
  Result<std::vector<pipeline::PlanReport>> fit_forecasts(std::span<const std::string>,
                                                          pipeline::StageObserver&) override {
    return none();
  }
  Result<pipeline::PlanReport> refit_series(const std::string&, pipeline::StageObserver&) override {
    return none();
  }
  Result<std::vector<pipeline::PlanReport>> update_forecasts(std::span<const std::string>,
                                                             pipeline::StageObserver&) override {
    return none();
  }
  Result<pipeline::PlanReport> promote_model(const pipeline::PromoteRequest&,
                                             pipeline::StageObserver&) override {
    return none();
  }
  Result<pipeline::PlanReport> rollback_model(const pipeline::RollbackRequest&,
                                              pipeline::StageObserver&) override {
    return none();
  }
  Result<std::vector<std::string>> verify_models() override { return none(); }
  Result<pipeline::PlanReport> create_experiment(const pipeline::ExperimentRequest&,
                                                 pipeline::StageObserver&) override {
    return none();
  }
  Result<std::vector<pipeline::ExperimentReport>> experiments(const std::string&) override { return none(); }
  Result<pipeline::PlanReport> end_experiment(const std::string&, const std::string&, const std::string&,
                                              pipeline::StageObserver&) override {
    return none();
  }
  Result<std::vector<pipeline::PlanModels>> models() override { return none(); }
  Result<pipeline::PlanModels> models_of(const std::string&, int) override { return none(); }
  Result<std::vector<pipeline::ForecastAlert>> alerts(const pipeline::AlertRequest&) override {
    return none();
  }
  Result<std::vector<pipeline::MonitorFigures>> monitor(const pipeline::MonitorRequest&) override {
    return none();
  }
  Result<std::vector<std::string>> plan_names() override { return std::vector<std::string>{"weekly"}; }
  Result<pipeline::RunReport> run(const pipeline::RunOptions&, pipeline::StageObserver&) override {
    return none();
  }
  Result<database::QueryResult> sql(std::string_view, std::int64_t) override { return none(); }
  Result<std::vector<lake::DatasetSummary>> lake_list() override { return none(); }
  Result<lake::Snapshot> lake_snapshot() override { return none(); }
  Result<std::vector<lake::Finding>> lake_verify(Progress&) override { return none(); }
  Result<pipeline::TuneReport> tune(const pipeline::TuneRequest&, pipeline::StageObserver&) override {
    return none();
  }
  Result<pipeline::RemovalReport> lake_remove(std::string_view, pipeline::StageObserver&) override {
    return none();
  }
  Result<std::vector<lake::RemovedLoad>> lake_removed() override { return none(); }
  Result<lake::CompactionReport> lake_compact(std::string_view) override { return none(); }
  Result<std::vector<std::string>> lake_collect_garbage() override { return none(); }
  const Config& config() const override { return config_; }
  const std::filesystem::path& data_directory() const override { return directory_; }

  Result<pipeline::KpiReport> kpis(const pipeline::KpiRequest&) override { return none(); }
  Result<pipeline::SeriesPage> series(const pipeline::SeriesRequest&) override { return none(); }
  Result<pipeline::SeriesExplanation> explain(const pipeline::ExplainRequest&) override { return none(); }
  Result<pipeline::SeriesForecast> series_forecast(const std::string&,
                                                   std::vector<pipeline::HistoryPoint>&) override {
    return none();
  }
  Result<std::vector<Result<pipeline::SeriesForecast>>> forecast(
      const pipeline::ForecastRequest& request) override {
    std::vector<Result<pipeline::SeriesForecast>> answers;
    for (const auto& item : request.items) {
      if (item.series_id == "weekly/1") {
        answers.emplace_back(pipeline::SeriesForecast{});
      } else {
        answers.emplace_back(not_found("there is no series '" + item.series_id + "'"));
      }
    }
    return answers;
  }
  Result<pipeline::PredictionPage> predictions(const pipeline::PredictionRequest&) override { return none(); }
  Readiness readiness() override { return {true, ""}; }
  std::string data_version() override { return "1"; }

 protected:
  Config config_;

 private:
  static Error none() { return not_found("an idle engine"); }
  std::filesystem::path directory_;
};

}  // namespace tillcast::test
