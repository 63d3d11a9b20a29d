#include "pipeline/tune.h"

#include <chrono>
#include <cmath>

#include "core/text.h"
#include "forecast/global_options.h"
#include "forecast/global_search.h"
#include "pipeline/forecasts.h"
#include "pipeline/plan_series.h"

namespace tillcast::pipeline {

Result<TuneReport> tune_trees(Workspace& workspace, const ForecastPlan& plan, const TuneRequest& request,
                              StageObserver& observer) {
  if (plan.frequency != "daily")
    return invalid_input("plan '" + plan.name + "' is " + plan.frequency +
                         "; only daily plans have trees to tune");
  const auto started = std::chrono::steady_clock::now();
  StageReport stage;
  stage.name = "tune " + plan.name;
  observer.stage_started(stage.name, kShares);
  const PlanSeries data = TILLCAST_TRY_PLAIN(load_plan_series(workspace, plan, {.observer = &observer}));
  const auto options = forecast_options(workspace, plan);
  forecast::SearchOptions search;
  search.seconds = request.seconds;
  search.trials_max = request.trials_max;
  search.metric =
      options.choice.metric == forecast::Metric::kAuto ? forecast::Metric::kWape : options.choice.metric;
  const auto trials = TILLCAST_TRY(
      forecast::search_options(data.series, data.attributes, {0, options.backtest.horizon, options.threads},
                               tree_options(plan), search, {}, observer),
      "plan '" + plan.name + "'");
  TuneReport report;
  report.metric = std::string(forecast::metric_name(search.metric));
  for (const auto& trial : trials)
    report.trials.push_back({forecast::format_global_options(trial.options), trial.error, trial.cpu_seconds});
  const auto& best = forecast::best_trial(trials);
  report.best = static_cast<std::size_t>(&best - trials.data());
  stage.detail = std::to_string(trials.size()) + " trials, best " + report.metric + " " +
                 fixed(best.error, 4) + ", the plan's own " + fixed(trials.front().error, 4);
  stage.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  observer.stage_finished(stage);
  return report;
}

}  // namespace tillcast::pipeline
