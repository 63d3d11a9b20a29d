#include "pipeline/model_commands.h"

#include <algorithm>
#include <cmath>

#include "core/log.h"
#include "forecast/comparison.h"
#include "pipeline/forecasts.h"
#include "pipeline/models.h"

namespace tillcast::pipeline {
namespace {

using database::Value;
using Look = registry::Registry::Look;

constexpr double kBrokenSplit = 0.001;

Error no_versions(const registry::Registry& registry, const std::string& plan) {
  std::string list;
  if (const auto plans = registry.plans()) {
    for (const auto& one : *plans) list += (list.empty() ? "" : ", ") + one;
  }
  return not_found("plan '" + plan + "' has no model versions" +
                   (list.empty() ? "; `tillcast forecast fit` makes some" : "; there are some of: " + list));
}

// Nobody changes a champion under an experiment that compares with it.
Result<void> require_no_experiment(const Workspace& workspace, const std::string& plan) {
  const auto running = TILLCAST_TRY_PLAIN(running_experiment(workspace, plan));
  if (!running) return {};
  return conflict("experiment '" + running->name + "' of plan '" + plan +
                  "' is running; end it first with `tillcast experiment stop " + plan + "` or `switch`");
}

Result<void> switch_champion(Workspace& workspace, const std::string& plan, int version,
                             const std::string& by, const std::string& reason, bool forced) {
  auto registry = registry_of(workspace);
  const auto named = TILLCAST_TRY_PLAIN(registry.aliases(plan));
  registry::AliasSwitch change;
  change.champion = version;
  if (named.challenger == version) change.challenger = 0;
  change.at = format_timestamp(SystemClock().now());
  change.by = by;
  change.reason = reason;
  change.forced = forced;
  TILLCAST_TRY_PLAIN(registry.switch_aliases(plan, change));
  ++workspace.version;
  return {};
}

// Errors of one variant by series: its own and, over the seasonal naive's, relative to it.
struct VariantSums {
  std::vector<forecast::Accuracy> own;
  std::vector<forecast::Accuracy> relative;
  std::int64_t points = 0;
};

Result<VariantSums> sums_of(database::Connection& connection, const registry::Experiment& experiment,
                            const std::string& variant) {
  const auto rows = TILLCAST_TRY_PLAIN(connection.query(
      "SELECT series_id, count(*), sum(abs(mean - actual)), sum(mean - actual), sum(abs(actual)), "
      "sum(abs(seasonal_naive - actual)) FROM forecast_outcome WHERE plan = ? AND experiment = ? AND variant "
      "= ? "
      "GROUP BY series_id ORDER BY series_id",
      {Value(experiment.plan), Value(experiment.name), Value(variant)}));
  VariantSums sums;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    forecast::Accuracy own;
    own.count = static_cast<std::size_t>(rows.integer(i, 1).value_or(0));
    own.absolute_error = rows.number(i, 2).value_or(0);
    own.error = rows.number(i, 3).value_or(0);
    own.absolute_actual = rows.number(i, 4).value_or(0);
    forecast::Accuracy relative = own;
    relative.absolute_actual = rows.number(i, 5).value_or(0);
    sums.points += static_cast<std::int64_t>(own.count);
    sums.own.push_back(own);
    sums.relative.push_back(relative);
  }
  return sums;
}

VariantFigures figures_of(const std::string& variant, int version, const VariantSums& sums) {
  VariantFigures figures;
  figures.variant = variant;
  figures.version = version;
  figures.measured = static_cast<std::int64_t>(sums.own.size());
  figures.points = sums.points;
  const auto wape = forecast::estimate_accuracy(sums.own, forecast::Measure::kWape);
  const auto bias = forecast::estimate_accuracy(sums.own, forecast::Measure::kBias);
  const auto relative = forecast::estimate_accuracy(sums.relative, forecast::Measure::kWape);
  figures.wape = wape.value, figures.wape_low = wape.low, figures.wape_high = wape.high;
  figures.bias = bias.value, figures.bias_low = bias.low, figures.bias_high = bias.high;
  figures.relative = relative.value, figures.relative_low = relative.low,
  figures.relative_high = relative.high;
  return figures;
}

void decide(ExperimentReport& report) {
  const auto& [experiment, champion, challenger, probability, winner, advice] = report;
  if (probability < kBrokenSplit) {
    report.advice = "the split is broken (sample ratio): do not read these figures";
  } else if (champion.measured == 0 || challenger.measured == 0) {
    report.advice = "no forecasts came due yet";
  } else if (challenger.relative_high < champion.relative_low) {
    report.winner = "challenger";
    report.advice =
        "the challenger is better; `tillcast experiment switch " + experiment.plan + "` makes it champion";
  } else if (champion.relative_high < challenger.relative_low) {
    report.winner = "champion";
    report.advice = "the champion is better; `tillcast experiment switch " + experiment.plan + "` keeps it";
  } else {
    report.advice = "undecided: the intervals overlap; wait for more actuals";
  }
}

Result<ExperimentReport> report_on(database::Connection& connection, const registry::Experiment& experiment) {
  ExperimentReport report;
  report.experiment = experiment;
  const auto champion = TILLCAST_TRY_PLAIN(sums_of(connection, experiment, "champion"));
  const auto challenger = TILLCAST_TRY_PLAIN(sums_of(connection, experiment, "challenger"));
  report.champion = figures_of("champion", experiment.champion, champion);
  report.challenger = figures_of("challenger", experiment.challenger, challenger);
  const auto counts = TILLCAST_TRY_PLAIN(connection.query(
      "SELECT count(*) FILTER (WHERE variant = 'champion'), count(*) FILTER (WHERE variant = 'challenger') "
      "FROM "
      "forecast_series INNER JOIN forecast_run USING (plan) WHERE plan = ? AND experiment = ?",
      {Value(experiment.plan), Value(experiment.name)}));
  report.champion.series = experiment.running() ? counts.integer(0, 0).value_or(0) : report.champion.measured;
  report.challenger.series =
      experiment.running() ? counts.integer(0, 1).value_or(0) : report.challenger.measured;
  // Of those measured, once there are some: a variant whose forecasts fail to come due shows here.
  const bool measured = report.champion.measured + report.challenger.measured > 0;
  report.sample_ratio_probability = registry::sample_ratio_probability(
      measured ? report.champion.measured : report.champion.series,
      measured ? report.challenger.measured : report.challenger.series, experiment.share_percent);
  decide(report);
  return report;
}

}  // namespace

Result<PlanModels> show_models(const Workspace& workspace, const std::string& plan, int version) {
  const auto registry = registry_of(workspace);
  PlanModels models;
  models.plan = plan;
  // Before the versions: what an alias names is not deleted.
  models.aliases = TILLCAST_TRY_PLAIN(registry.aliases(plan));
  std::vector<registry::Finding> damaged;
  models.versions = TILLCAST_TRY_PLAIN(registry.versions(plan, &damaged));
  for (const auto& one : damaged) models.problems[one.version] = one.message;
  for (const auto& info : models.versions) {
    const bool whole = info.number == models.aliases.champion || info.number == models.aliases.challenger ||
                       info.number == version;
    auto problem = registry.problem_of(info, whole ? Look::kContent : Look::kSizes);
    if (!problem.empty()) models.problems[info.number] = std::move(problem);
  }
  for (const auto& [number, problem] : models.problems)
    log(LogLevel::kWarning, "a model version is damaged",
        {{"plan", plan}, {"version", std::to_string(number)}, {"error.message", problem}});
  if (models.versions.empty() && damaged.empty()) return no_versions(registry, plan);
  std::ranges::reverse(models.versions);
  models.experiments = TILLCAST_TRY_PLAIN(registry::read_experiments(registry.folder(plan)));
  std::ranges::reverse(models.experiments);
  return models;
}

Result<std::vector<PlanModels>> list_models(const Workspace& workspace) {
  std::vector<PlanModels> all;
  const auto plans = TILLCAST_TRY_PLAIN(registry_of(workspace).plans());
  all.reserve(plans.size());
  for (const auto& plan : plans) all.push_back(TILLCAST_TRY_PLAIN(show_models(workspace, plan, 0)));
  return all;
}

Result<PlanReport> promote_version(Workspace& workspace, const ForecastPlan& plan,
                                   const PromoteRequest& request, StageObserver& observer) {
  if (auto free = require_no_experiment(workspace, plan.name); !free) return std::move(free.error());
  // Read whole, so that what cannot forecast is not promoted.
  const auto model = TILLCAST_TRY_PLAIN(load_model(workspace, plan.name, request.version));
  if (model->info.verdict != "champion" && !request.force) {
    return conflict("the gate made version " + std::to_string(request.version) + " of plan '" + plan.name +
                    "' a challenger (" + model->info.verdict_reason +
                    "); let it forecast a share of the series with `tillcast experiment create " + plan.name +
                    " NAME --challenger " + std::to_string(request.version) +
                    "`, or promote it all the same with --force");
  }
  const std::string reason = request.reason.empty() ? "promoted by hand" : request.reason;
  if (auto done = switch_champion(workspace, plan.name, request.version, request.by, reason,
                                  model->info.verdict != "champion");
      !done)
    return std::move(done.error());
  return fit_plan(workspace, plan, FitMode::kUpdate, observer);
}

Result<PlanReport> roll_back(Workspace& workspace, const ForecastPlan& plan, const RollbackRequest& request,
                             StageObserver& observer) {
  if (auto free = require_no_experiment(workspace, plan.name); !free) return std::move(free.error());
  const auto named = TILLCAST_TRY_PLAIN(registry_of(workspace).aliases(plan.name));
  const int to = request.version > 0 ? request.version : named.before_champion();
  if (to == 0) {
    return conflict("plan '" + plan.name + "' has had no champion before version " +
                    std::to_string(named.champion) + "; name a version: tillcast model rollback " +
                    plan.name + " VERSION");
  }
  TILLCAST_TRY_PLAIN(load_model(workspace, plan.name, to));
  const std::string reason = request.reason.empty() ? "roll-back" : "roll-back: " + request.reason;
  if (auto done = switch_champion(workspace, plan.name, to, request.by, reason, true); !done)
    return std::move(done.error());
  return fit_plan(workspace, plan, FitMode::kUpdate, observer);
}

Result<PlanReport> create_experiment(Workspace& workspace, const ForecastPlan& plan,
                                     const ExperimentRequest& request, StageObserver& observer) {
  if (!is_plan_name(request.name))
    return invalid_input("an experiment's name has letters, digits and _, found '" + request.name + "'");
  if (request.share_percent < 1 || request.share_percent > 99)
    return invalid_input("the challenger's share must be 1 to 99 percent, found " +
                         std::to_string(request.share_percent));
  if (auto free = require_no_experiment(workspace, plan.name); !free) return std::move(free.error());
  const auto registry = registry_of(workspace);
  const auto named = TILLCAST_TRY_PLAIN(registry.aliases(plan.name));
  if (named.champion == 0) return no_versions(registry, plan.name);
  registry::Experiment experiment;
  experiment.name = request.name;
  experiment.plan = plan.name;
  experiment.champion = named.champion;
  experiment.challenger = request.challenger > 0 ? request.challenger : named.challenger;
  if (experiment.challenger == 0 || experiment.challenger == experiment.champion) {
    return conflict("plan '" + plan.name + "' has no challenger beside its champion " +
                    std::to_string(named.champion) + "; name a version with --challenger");
  }
  TILLCAST_TRY_PLAIN(load_model(workspace, plan.name, experiment.challenger));
  experiment.share_percent = request.share_percent;
  experiment.created_at = format_timestamp(SystemClock().now());
  experiment.salt = plan.name + "/" + request.name;
  auto all = TILLCAST_TRY_PLAIN(registry::read_experiments(registry.folder(plan.name)));
  if (std::ranges::find(all, request.name, &registry::Experiment::name) != all.end())
    return conflict("plan '" + plan.name + "' has had an experiment '" + request.name +
                    "'; choose another name");
  all.push_back(experiment);
  TILLCAST_TRY_PLAIN(registry::store_experiments(registry.folder(plan.name), all));
  return fit_plan(workspace, plan, FitMode::kUpdate, observer);
}

Result<std::vector<ExperimentReport>> experiment_reports(Workspace& workspace, const std::string& plan) {
  const auto registry = registry_of(workspace);
  if (!plan.empty() && TILLCAST_TRY_PLAIN(registry.versions(plan)).empty())
    return no_versions(registry, plan);
  auto plans = plan.empty() ? TILLCAST_TRY_PLAIN(registry.plans()) : std::vector<std::string>{plan};
  auto connection = TILLCAST_TRY_PLAIN(workspace.database.connect());
  std::vector<ExperimentReport> reports;
  for (const auto& one : plans) {
    auto all = TILLCAST_TRY_PLAIN(registry::read_experiments(registry.folder(one)));
    std::ranges::reverse(all);
    for (const auto& experiment : all)
      reports.push_back(TILLCAST_TRY_PLAIN(report_on(connection, experiment)));
  }
  return reports;
}

Result<PlanReport> end_experiment(Workspace& workspace, const ForecastPlan& plan, const std::string& winner,
                                  const std::string& by, StageObserver& observer) {
  const auto registry = registry_of(workspace);
  auto all = TILLCAST_TRY_PLAIN(registry::read_experiments(registry.folder(plan.name)));
  const auto running = std::ranges::find_if(all, &registry::Experiment::running);
  if (running == all.end()) return not_found("plan '" + plan.name + "' has no running experiment");
  auto connection = TILLCAST_TRY_PLAIN(workspace.database.connect());
  const auto report = TILLCAST_TRY_PLAIN(report_on(connection, *running));
  std::string chosen = winner;
  if (winner == "auto") {
    if (report.winner.empty())
      return conflict("experiment '" + running->name + "' has no winner: " + report.advice +
                      "; name one with --to champion or --to challenger");
    chosen = report.winner;
  }
  // The switch comes first: after a crash between the two the experiment still runs, and can be ended again.
  if (chosen == "challenger") {
    const bool forced = report.winner != "challenger";
    if (auto done = switch_champion(workspace, plan.name, running->challenger, by,
                                    "experiment '" + running->name + "'", forced);
        !done)
      return std::move(done.error());
  }
  running->ended_at = format_timestamp(SystemClock().now());
  running->outcome = (chosen.empty() ? "stopped" : "switched to the " + chosen) + "; " + report.advice;
  TILLCAST_TRY_PLAIN(registry::store_experiments(registry.folder(plan.name), all));
  ++workspace.version;
  return fit_plan(workspace, plan, FitMode::kUpdate, observer);
}

}  // namespace tillcast::pipeline
