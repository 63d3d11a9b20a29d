#include "pipeline/forecasts.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <span>

#include "forecast/global_blend.h"
#include "forecast/global_model.h"
#include "forecast/global_monthly.h"
#include "forecast/global_options.h"
#include "io/file_hash.h"
#include "pipeline/forecast_tables.h"
#include "pipeline/learnt_loads.h"
#include "pipeline/models.h"
#include "pipeline/monitor.h"
#include "pipeline/plan_drivers.h"
#include "pipeline/plan_levels.h"
#include "pipeline/plan_quantiles.h"
#include "pipeline/series_retrain.h"

namespace tillcast::pipeline {
namespace {

// What is served is the same when data, definition, champion and experiment are.
std::string run_id_of(const ForecastPlan& plan, const FitIds& ids, int champion,
                      const std::string& experiment) {
  std::string levels = plan.reconcile;
  for (const auto& level : plan.levels) levels += "," + level;
  return io::xxh3_text(ids.fit_id + "\nversion " + std::to_string(champion) + "\n" + experiment + "\n" +
                       levels + "\nquantiles " + shares_text(stored_shares(plan)));
}

// Whether to fit now, and why, for people; empty = no.
Result<std::string> fit_reason(Workspace& workspace, const ForecastPlan& plan, FitMode mode,
                               const registry::Aliases& named,
                               std::span<const registry::VersionInfo> versions, const FitIds& ids,
                               const PlanSeries& data, const std::string& removed) {
  if (named.champion == 0) {
    if (mode != FitMode::kUpdate) return std::string("there is no version yet");
    return not_found("plan '" + plan.name +
                     "' has no champion to update; fit one with `tillcast forecast fit " + plan.name + "`");
  }
  if (mode == FitMode::kFit) return std::string("asked for");
  if (mode == FitMode::kUpdate) return std::string();
  // What is compared must not change under a running experiment.
  if (TILLCAST_TRY_PLAIN(running_experiment(workspace, plan.name))) return std::string();
  if (!removed.empty()) return "the champion learnt from " + removed;
  const auto champion = load_model(workspace, plan.name, named.champion);
  if (!champion) return "the champion cannot be read: " + champion.error().message;
  if (versions.empty()) return std::string("no version can be read");
  // The fit of one series says nothing of how old the others are.
  const auto full = std::find_if_not(versions.rbegin(), versions.rend(), is_one_series_fit);
  const registry::VersionInfo& newest = full == versions.rend() ? versions.back() : *full;
  if (workspace.config.flag("forecast.retrain_on_alert")) {
    auto connection = TILLCAST_TRY_PLAIN(workspace.database.connect());
    const auto alert = TILLCAST_TRY_PLAIN(plan_alert_since(connection, plan.name, newest.created_at));
    if (!alert.empty()) return "alert: " + alert;
  }
  return needs_refit(newest, **champion, ids, data, workspace.config.integer("forecast.refit_days"));
}

// What is said of promotions that are carried on.
std::string rhythm_of(const PlanSeries& data) {
  if (data.promotions_inferred == 0) return "";
  const bool all = data.promotions_inferred == data.series.size();
  return ", promotions " + (all ? "" : "of " + std::to_string(data.promotions_inferred) + " ") +
         "ahead by their rhythm";
}

// Of a plan that has lost all its series: what was forecast last stays.
Result<PlanReport> keep_stored(Workspace& workspace, const ForecastPlan& plan) {
  auto connection = TILLCAST_TRY_PLAIN(workspace.database.connect());
  const auto runs = TILLCAST_TRY_PLAIN(
      connection.query("SELECT run_id FROM forecast_run WHERE plan = ?", {database::Value(plan.name)}));
  std::optional<PlanReport> stored;
  if (runs.rows() > 0) stored = TILLCAST_TRY_PLAIN(stored_report(connection, plan, runs.text(0, 0)));
  PlanReport report = stored.value_or(PlanReport{});
  report.plan = plan.name;
  report.unchanged = true;
  return report;
}

// Models that learn from all series at once, where the plan wants them.
std::vector<forecast::PanelCandidate> panel_models(const ForecastPlan& plan, const PlanSeries& data) {
  if (!learns_from_all(plan, data.series)) return {};
  if (plan.frequency == "monthly") return {{std::make_shared<forecast::GlobalMonthly>(), nullptr}};
  if (plan.global == "on" || plan.global == "auto")
    return {{std::make_shared<forecast::GlobalModel>(tree_options(plan)), nullptr}};
  auto parts = forecast::full_recipe();
  for (auto& part : parts)
    part = forecast::parse_global_options(plan.trees, part).value_or(part);  // read before, see below
  return {{std::make_shared<forecast::GlobalBlend>(std::move(parts)), nullptr}};
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
  options.backtest.origins = static_cast<std::size_t>(workspace.config.integer("forecast.origins"));
  options.choice.metric = forecast::find_metric(plan.metric).value_or(forecast::Metric::kAuto);
  options.threads = static_cast<unsigned>(workspace.threads("forecast.threads"));
  options.quantile_shares = stored_shares(plan);
  options.keep_errors = plan.reconcile != "none" || !options.quantile_shares.empty();
  return options;
}

forecast::GlobalModelOptions tree_options(const ForecastPlan& plan) {
  // configured_plans() has read them once.
  return forecast::parse_global_options(plan.trees).value_or(forecast::GlobalModelOptions{});
}

Result<PlanReport> fit_plan(Workspace& workspace, const ForecastPlan& plan, FitMode mode,
                            StageObserver& observer) {
  const auto started = std::chrono::steady_clock::now();
  const std::string stage = "forecast " + plan.name;
  observer.stage_started(stage, kShares);
  const auto seconds = [&started] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  };
  PlanSeries data = TILLCAST_TRY_PLAIN(load_plan_series(workspace, plan, {.observer = &observer}));
  for (const auto& line : data.notes) observer.note(plan.name + ": " + line);
  if (std::ranges::all_of(data.series, [](const auto& one) { return one.size() == 0; })) {
    if (auto cut = check_cut(workspace, plan); !cut) return std::move(cut.error());
  }
  if (data.series.empty()) {
    const auto named = TILLCAST_TRY_PLAIN(registry_of(workspace).aliases(plan.name));
    PlanReport kept = TILLCAST_TRY_PLAIN(keep_stored(workspace, plan));
    kept.model_version = named.champion;
    kept.seconds = seconds();
    const std::string what =
        named.champion == 0 ? std::string("nothing to fit")
                            : "version " + std::to_string(named.champion) + " and its forecasts are kept";
    observer.note(plan.name + ": no series has sales; " + what);
    observer.stage_finished({stage, StageReport::Status::kUnchanged, 0, kept.seconds, what});
    return kept;
  }
  auto options = forecast_options(workspace, plan);
  options.attributes = data.attributes;
  options.panel_models = panel_models(plan, data);
  const FitIds ids = fit_ids(plan, options, data);
  const auto registry = registry_of(workspace);
  std::vector<registry::Finding> damaged;
  const auto versions = TILLCAST_TRY_PLAIN(registry.versions(plan.name, &damaged));
  for (const auto& one : damaged) observer.note(plan.name + ": " + one.message);
  const auto same = std::ranges::find_if(versions, [&](const registry::VersionInfo& one) {
    return one.fit_id == ids.fit_id && registry.problem_of(one, registry::Registry::Look::kContent).empty();
  });
  if (same != versions.end()) TILLCAST_TRY_PLAIN(settle_aliases(workspace, *same));

  auto connection = TILLCAST_TRY_PLAIN(workspace.database.connect());
  const auto monitored = TILLCAST_TRY_PLAIN(measure_forecasts(workspace, connection, plan, data, observer));
  if (monitored.opened + monitored.closed > 0)
    observer.note(plan.name + ": " + std::to_string(monitored.opened) + " forecast alerts opened, " +
                  std::to_string(monitored.closed) + " closed; see table forecast_alert");
  if (monitored.outcomes > 0) ++workspace.version;

  std::optional<FittedVersion> fresh;
  auto named = TILLCAST_TRY_PLAIN(registry.aliases(plan.name));
  const auto champion = std::ranges::find(versions, named.champion, &registry::VersionInfo::number);
  const std::string removed =
      champion == versions.end() ? "" : TILLCAST_TRY_PLAIN(find_removed_load(workspace, *champion));
  if (same == versions.end() || named.champion == 0 || !removed.empty()) {
    const std::string why =
        TILLCAST_TRY_PLAIN(fit_reason(workspace, plan, mode, named, versions, ids, data, removed));
    if (!why.empty()) {
      options.report_levels = TILLCAST_TRY_PLAIN(load_levels(connection, plan, data));
      // A level with one group says what the total says.
      std::erase_if(options.report_levels, [](const forecast::LevelLabels& level) {
        return level.name != "total" &&
               std::ranges::adjacent_find(level.label, std::not_equal_to<>()) == level.label.end();
      });
      fresh = TILLCAST_TRY(fit_version(workspace, plan, data, options, observer), stage);
      named = TILLCAST_TRY_PLAIN(registry.aliases(plan.name));
    }
  }

  const auto experiment = TILLCAST_TRY_PLAIN(running_experiment(workspace, plan.name));
  if (!removed.empty() && named.champion == champion->number) {
    observer.note(plan.name + ": champion " + std::to_string(named.champion) + " learnt from " + removed +
                  (experiment ? "; it stays until experiment '" + experiment->name + "' ends"
                              : "; `tillcast forecast fit " + plan.name + "` makes another"));
  }
  const std::string run_id = run_id_of(plan, ids, named.champion, experiment ? experiment->name : "");
  const auto finish = [&](PlanReport report, StageReport::Status status, std::string detail) {
    if (fresh) {
      report.fitted_version = fresh->info.number;
      report.verdict = fresh->info.verdict_reason;
      detail += ", version " + std::to_string(fresh->info.number) + " fitted: " + fresh->info.verdict;
    }
    report.seconds = seconds();
    observer.stage_finished({stage, status, 0, report.seconds, detail});
    return report;
  };
  if (auto stored = TILLCAST_TRY_PLAIN(stored_report(connection, plan, run_id))) {
    stored->unchanged = !fresh;
    return finish(*stored, fresh ? StageReport::Status::kDone : StageReport::Status::kUnchanged,
                  std::to_string(stored->series) + " series, same data as before");
  }
  Served served =
      TILLCAST_TRY(serve_models(workspace, plan, data, options, fresh ? &*fresh : nullptr, observer), stage);
  const auto shown = TILLCAST_TRY_PLAIN(connection.query(
      "SELECT model_version FROM forecast_run WHERE plan = ?", {database::Value(plan.name)}));
  served.figures_are_stored = shown.rows() > 0 && shown.integer(0, 0).value_or(0) == served.champion;
  const std::size_t told = data.notes.size();
  if (auto added = add_levels(connection, plan, options, data, served.run, observer); !added)
    return std::move(added.error()).with_context(stage);
  for (const auto& line : std::span(data.notes).subspan(told)) observer.note(plan.name + ": " + line);
  served.versions.resize(served.run.series.size(),
                         served.champion);  // of the groups: no variant, both may be in them
  served.variants.resize(served.run.series.size());
  const PlanReport report = report_of(plan, run_id, served);
  if (auto done = store_forecasts(connection, plan, data, served, report, observer); !done)
    return std::move(done.error()).with_context("store " + stage);
  ++workspace.version;
  return finish(
      report, StageReport::Status::kDone,
      std::to_string(report.series) + " series x " + std::to_string(plan.horizon) + " periods" +
          (report.fallbacks + report.failed > 0
               ? ", " + std::to_string(report.fallbacks + report.failed) + " with a fallback"
               : "") +
          panels_of(options, served.run) + rhythm_of(data) +
          (data.stock_outs > 0 ? ", " + std::to_string(data.stock_outs) + " out of stock left out" : "") +
          (fresh ? "" : ", updated without a fit from version " + std::to_string(served.champion)));
}

}  // namespace tillcast::pipeline
