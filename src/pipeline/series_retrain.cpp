#include "pipeline/series_retrain.h"

#include <algorithm>

#include "core/version.h"
#include "forecast/choice.h"
#include "io/file_hash.h"
#include "pipeline/forecasts.h"
#include "pipeline/learnt_loads.h"
#include "pipeline/models.h"
#include "pipeline/plan_levels.h"
#include "registry/code_revision.h"

namespace tillcast::pipeline {
namespace {

constexpr const char* kSeriesSetting = "series";
constexpr const char* kBaseSetting = "full_version";
constexpr const char* kUntilSetting = "series_data_until";

// Candidates that need nothing of other series.
std::vector<forecast::ModelId> own_models(const forecast::Series& series,
                                          const forecast::BacktestOptions& options) {
  auto models = forecast::default_models(forecast::class_at_newest_origin(series, options), series.grain);
  std::erase_if(models, [](forecast::ModelId id) { return forecast::is_panel_model(id); });
  return models;
}

// The full fit that a version goes back to.
int base_of(const registry::VersionInfo& info) {
  const auto at = info.settings.find(kBaseSetting);
  return at == info.settings.end() ? info.number : std::stoi(at->second);
}

// Why the champion's forecast of this series cannot be held against the new one; empty when it can.
std::string find_no_comparison(const forecast::FittedSeries* known, const forecast::Series& series) {
  if (known == nullptr || (known->start == series.start && known->known == series.size())) return {};
  for (const auto& member : known->members) {
    if (forecast::is_panel_model(member.model)) {
      return "the champion forecasts this series with " + std::string(forecast::model(member.model).name) +
             ", which has seen the newer sales and cannot be judged on them; fit the plan, or promote by "
             "hand";
    }
  }
  return {};
}

void exchange(const forecast::FittedSeries& fresh, forecast::FittedRun& fitted) {
  const auto at = std::ranges::find(fitted.series, fresh.id, &forecast::FittedSeries::id);
  if (at == fitted.series.end())
    fitted.series.push_back(fresh);
  else
    *at = fresh;
}

}  // namespace

bool is_one_series_fit(const registry::VersionInfo& info) { return info.settings.contains(kSeriesSetting); }

Result<PlanReport> retrain_series(Workspace& workspace, const ForecastPlan& plan,
                                  const std::string& series_id, StageObserver& observer) {
  const std::string stage = "forecast " + series_id;
  observer.stage_started(stage, kShares);
  if (is_level_id(plan, series_id)) {
    return invalid_input("'" + series_id +
                         "' is a sum of the plan's series and is made with them; train plan '" + plan.name +
                         "'");
  }
  const auto registry = registry_of(workspace);
  const auto named = TILLCAST_TRY_PLAIN(registry.aliases(plan.name));
  if (named.champion == 0)
    return not_found("plan '" + plan.name +
                     "' has no version yet in which to exchange a series; train the plan");
  const auto champion = TILLCAST_TRY_PLAIN(load_model(workspace, plan.name, named.champion));
  if (const auto removed = TILLCAST_TRY_PLAIN(find_removed_load(workspace, champion->info)); !removed.empty())
    return conflict("champion " + std::to_string(named.champion) + " of plan '" + plan.name +
                    "' learnt from " + removed + "; train the plan");
  const PlanSeries data =
      TILLCAST_TRY_PLAIN(load_plan_series(workspace, plan, {.only_id = series_id, .observer = &observer}));
  if (data.series.empty()) return not_found("there is no series '" + series_id + "' in the data");
  auto options = forecast_options(workspace, plan);
  if (const std::string changed = find_changed_setting(champion->info, plan, options); !changed.empty())
    return conflict("plan '" + plan.name + "' has another " + changed + " than its champion, version " +
                    std::to_string(named.champion) + "; train the plan");

  FittedVersion made;
  const std::string fit_id =
      io::xxh3_text(champion->info.definition_id + "\n" + std::to_string(base_of(champion->info)) + "\n" +
                    series_id + "\n" + data.data_hash);
  const auto versions = TILLCAST_TRY_PLAIN(registry.versions(plan.name));
  const auto same = std::ranges::find(versions, fit_id, &registry::VersionInfo::fit_id);
  const bool fresh = same == versions.end();
  if (fresh) {
    const std::vector<std::string> ids = {series_id};
    options.models = own_models(data.series[0], options.backtest);
    options.rival = champion->fitted.of(ids);
    const auto* const known = options.rival[0];
    made.fit = TILLCAST_TRY(forecast::fit_all(data.series, ids, options, observer), stage);
    const auto margin = static_cast<int>(workspace.config.integer("forecast.gate_margin_percent"));
    Verdict verdict = judge(made.fit.run, data, plan, champion.get(), champion->info.definition_id, margin);
    const auto hold_back = [&verdict](const std::string& why) {
      verdict.promoted = false;
      verdict.reason = why + "; " + verdict.reason;
    };
    if (const std::string why = find_no_comparison(known, data.series[0]); !why.empty()) hold_back(why);
    const auto experiment = TILLCAST_TRY_PLAIN(running_experiment(workspace, plan.name));
    if (experiment) hold_back("experiment '" + experiment->name + "' is running");
    verdict.reason = series_id + " alone: " + verdict.reason;

    forecast::FittedRun fitted = champion->fitted;
    exchange(made.fit.fitted.series[0], fitted);
    made.figures = champion->figures;
    for (const auto& [id, row] : figures_of(made.fit.run, data).series) made.figures.series[id] = row;
    made.info = champion->info;
    made.info.created_at = format_timestamp(SystemClock().now());
    made.info.fit_id = fit_id;
    made.info.data_hash = io::xxh3_text(champion->info.data_hash + data.data_hash);
    made.info.parent = named.champion;
    made.info.settings[kSeriesSetting] = series_id;
    made.info.settings[kBaseSetting] = std::to_string(base_of(champion->info));
    made.info.settings[kUntilSetting] = format_date(data.data_until);
    TILLCAST_TRY_PLAIN(add_gold_commit(workspace, made.info));
    std::erase_if(made.info.metrics, [](const auto& one) { return one.first.starts_with("gate_"); });
    made.info.tool_version = kVersion;
    made.info.code_revision = registry::code_revision();
    made.info =
        TILLCAST_TRY_PLAIN(add_version(workspace, std::move(made.info), verdict, fitted, made.figures));
    observer.note(series_id + ": version " + std::to_string(made.info.number) +
                  (verdict.promoted ? " is the champion: " : " is a challenger: ") + verdict.reason);
  } else {
    TILLCAST_TRY_PLAIN(settle_aliases(workspace, *same));
    made.info = *same;
  }
  observer.stage_finished(
      {stage, fresh ? StageReport::Status::kDone : StageReport::Status::kUnchanged, 0,
       made.fit.run.wall_seconds,
       (fresh ? "version " : "same data as version ") + std::to_string(made.info.number)});
  PlanReport report = TILLCAST_TRY_PLAIN(fit_plan(workspace, plan, FitMode::kUpdate, observer));
  report.fitted_version = fresh ? made.info.number : 0;
  report.verdict = made.info.verdict_reason;
  report.series = 1;
  report.fallbacks = static_cast<std::int64_t>(made.fit.run.fallbacks);
  report.failed = static_cast<std::int64_t>(made.fit.run.refused);
  return report;
}

}  // namespace tillcast::pipeline
