#include "pipeline/forecasts.h"

#include <algorithm>
#include <chrono>

#include "core/version.h"
#include "io/file_hash.h"
#include "pipeline/forecast_tables.h"
#include "pipeline/plan_levels.h"

namespace tillcast::pipeline {
namespace {

// A run is the same when plan, options, program and all that the models see are.
std::string run_id_of(const ForecastPlan& plan, const forecast::ForecastOptions& options,
                      const PlanSeries& data) {
  std::string by;
  for (const auto& column : plan.by) by += (by.empty() ? "" : ",") + column;
  std::string levels;
  for (const auto& level : plan.levels) levels += level + ",";
  return io::xxh3_text(plan.name + "\n" + plan.measure + "\n" + by + "\n" + plan.frequency + "\n" +
                       std::to_string(plan.horizon) + "\n" + std::to_string(options.backtest.origins) + "\n" +
                       plan.metric + "\n" + plan.global + "\n" + plan.reconcile + "\n" + levels + "\n" +
                       std::string(kVersion) + "\n" + data.data_hash);
}

// What is said of promotions that are carried on.
std::string rhythm_of(const PlanSeries& data) {
  if (data.promotions_inferred == 0) return "";
  const bool all = data.promotions_inferred == data.series.size();
  return ", promotions " + (all ? "" : "of " + std::to_string(data.promotions_inferred) + " ") +
         "ahead by their rhythm";
}

}  // namespace

forecast::ForecastOptions forecast_options(const Workspace& workspace, const ForecastPlan& plan) {
  forecast::ForecastOptions options;
  options.backtest.horizon = static_cast<std::size_t>(plan.horizon);
  options.backtest.origins =
      static_cast<std::size_t>(std::max<std::int64_t>(2, workspace.config.integer("forecast.origins")));
  options.choice.metric = forecast::find_metric(plan.metric).value_or(forecast::Metric::kAuto);
  options.threads = static_cast<unsigned>(workspace.threads("forecast.threads"));
  return options;
}

Result<PlanReport> fit_plan(Workspace& workspace, const ForecastPlan& plan, StageObserver& observer) {
  const auto started = std::chrono::steady_clock::now();
  const std::string stage = "forecast " + plan.name;
  observer.stage_started(stage, "series");
  const auto seconds = [&started] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  };
  PlanSeries data = TILLCAST_TRY_PLAIN(load_plan_series(workspace, plan));
  for (const auto& line : data.notes) observer.note(plan.name + ": " + line);
  auto options = forecast_options(workspace, plan);
  options.attributes = data.attributes;
  const std::string run_id = run_id_of(plan, options, data);
  auto connection = TILLCAST_TRY_PLAIN(workspace.database.connect());
  if (auto stored = TILLCAST_TRY_PLAIN(stored_report(connection, plan, run_id))) {
    stored->seconds = seconds();
    observer.stage_finished({stage, StageReport::Status::kUnchanged, 0, stored->seconds,
                             std::to_string(stored->series) + " series, same data as before"});
    return *stored;
  }

  const auto run = TILLCAST_TRY(forecast_plan(connection, plan, options, data, observer), stage);
  PlanReport report = report_of(plan, run_id, run);
  if (auto done = store_forecasts(connection, plan, data, run, report); !done)
    return std::move(done.error()).with_context("store " + stage);
  ++workspace.version;
  report.seconds = seconds();
  observer.stage_finished(
      {stage, StageReport::Status::kDone, 0, report.seconds,
       std::to_string(report.series) + " series x " + std::to_string(plan.horizon) + " periods" +
           (report.fallbacks + report.failed > 0
                ? ", " + std::to_string(report.fallbacks + report.failed) + " with a fallback"
                : "") +
           rhythm_of(data) +
           (data.stock_outs > 0 ? ", " + std::to_string(data.stock_outs) + " out of stock left out" : "")});
  return report;
}

Result<PlanReport> fit_one_series(Workspace& workspace, const ForecastPlan& plan,
                                  const std::string& series_id, StageObserver& observer) {
  const std::string stage = "forecast " + series_id;
  observer.stage_started(stage, "series");
  const PlanSeries data = TILLCAST_TRY_PLAIN(load_plan_series(workspace, plan, {.only_id = series_id}));
  if (data.series.empty()) return not_found("there is no series '" + series_id + "' in the data");
  auto options = forecast_options(workspace, plan);
  options.attributes = data.attributes;
  const auto run = TILLCAST_TRY(forecast::forecast_all(data.series, options, observer), stage);
  PlanReport report;
  report.plan = plan.name;
  report.series = 1;
  report.fallbacks = static_cast<std::int64_t>(run.fallbacks);
  report.failed = static_cast<std::int64_t>(run.refused);
  report.seconds = run.wall_seconds;
  report.run_id =
      io::xxh3_text(series_id + "\n" + data.data_hash + "\n" + format_timestamp(SystemClock().now()));
  auto connection = TILLCAST_TRY_PLAIN(workspace.database.connect());
  if (auto done = store_one_series(connection, plan, data, run, report.run_id); !done)
    return std::move(done.error()).with_context("store " + stage);
  ++workspace.version;
  observer.stage_finished({stage, StageReport::Status::kDone, 0, report.seconds,
                           "model " + std::string(forecast::model(run.series[0].model).name)});
  return report;
}

}  // namespace tillcast::pipeline
