#include "pipeline/forecasts.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "core/version.h"
#include "forecast/global_model.h"
#include "forecast/global_monthly.h"
#include "io/file_hash.h"
#include "pipeline/forecast_tables.h"

namespace tillcast::pipeline {
namespace {

// A run is the same when plan, options, program and all that the models see are.
std::string run_id_of(const ForecastPlan& plan, const forecast::ForecastOptions& options,
                      const PlanSeries& data) {
  std::string by;
  for (const auto& column : plan.by) by += (by.empty() ? "" : ",") + column;
  std::string panels = plan.global;
  for (const auto& one : options.panel_models) panels += " " + std::string(one.model->name());
  return io::xxh3_text(plan.name + "\n" + plan.measure + "\n" + by + "\n" + plan.frequency + "\n" +
                       std::to_string(plan.horizon) + "\n" + std::to_string(options.backtest.origins) + "\n" +
                       plan.metric + "\n" + panels + "\n" + std::string(kVersion) + "\n" + data.data_hash);
}

// What is said of promotions that are carried on.
std::string rhythm_of(const PlanSeries& data) {
  if (data.promotions_inferred == 0) return "";
  const bool all = data.promotions_inferred == data.series.size();
  return ", promotions " + (all ? "" : "of " + std::to_string(data.promotions_inferred) + " ") +
         "ahead by their rhythm";
}

constexpr std::size_t kPanelSeriesMin = 50;
constexpr std::size_t kPanelDaysMin = 182;
constexpr std::size_t kPanelMonthsMin = 24;
constexpr std::size_t kPanelValuesMax = 20'000'000;  // the features of more cost minutes

// Models that learn from all series at once, where the plan wants them: "auto" for panels that are large
// enough to teach them something and small enough to learn from by the way.
std::vector<forecast::PanelCandidate> panel_models(const ForecastPlan& plan, const PlanSeries& data) {
  const bool monthly = plan.frequency == "monthly";
  if (plan.global == "off" || plan.frequency == "weekly") return {};
  if (plan.global == "auto") {
    std::size_t long_enough = 0;
    std::size_t values = 0;
    for (const auto& one : data.series) {
      long_enough += one.size() >= (monthly ? kPanelMonthsMin : kPanelDaysMin) ? 1 : 0;
      values += one.size();
    }
    if (long_enough < kPanelSeriesMin || values > kPanelValuesMax) return {};
  }
  if (monthly) return {{std::make_shared<forecast::GlobalMonthly>(), nullptr}};
  forecast::GlobalModelOptions options;
  const auto metric = forecast::find_metric(plan.metric).value_or(forecast::Metric::kAuto);
  if (metric == forecast::Metric::kRmspe) options.back = forecast::BackTransform::kRmspe;
  if (metric == forecast::Metric::kRmse || metric == forecast::Metric::kAuto)
    options.back = forecast::BackTransform::kMean;
  return {{std::make_shared<forecast::GlobalModel>(options), nullptr}};
}

// Which of them took part; a blend may have them inside, so no series are counted.
std::string panels_of(const forecast::ForecastOptions& options, const forecast::ForecastRun& run) {
  std::string text;
  for (const auto& one : options.panel_models) {
    const auto panel = std::ranges::find(run.panels, one.model->id(), &forecast::PanelForecast::id);
    if (panel == run.panels.end()) continue;
    text += panel->refused.empty() ? ", " + std::string(one.model->name()) + " among the models"
                                   : ", " + std::string(one.model->name()) + " left out: " + panel->refused;
  }
  return text;
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
  const PlanSeries data = TILLCAST_TRY_PLAIN(load_plan_series(workspace, plan));
  for (const auto& line : data.notes) observer.note(plan.name + ": " + line);
  auto options = forecast_options(workspace, plan);
  options.attributes = data.attributes;
  options.panel_models = panel_models(plan, data);
  const std::string run_id = run_id_of(plan, options, data);
  auto connection = TILLCAST_TRY_PLAIN(workspace.database.connect());
  if (auto stored = TILLCAST_TRY_PLAIN(stored_report(connection, plan, run_id))) {
    stored->seconds = seconds();
    observer.stage_finished({stage, StageReport::Status::kUnchanged, 0, stored->seconds,
                             std::to_string(stored->series) + " series, same data as before"});
    return *stored;
  }

  const auto run = TILLCAST_TRY(forecast::forecast_all(data.series, options, observer), stage);
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
           panels_of(options, run) + rhythm_of(data) +
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
