#include "pipeline/models.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "core/text.h"
#include "core/version.h"
#include "io/file_hash.h"
#include "pipeline/file_checkpoint.h"
#include "pipeline/learnt_loads.h"
#include "registry/code_revision.h"

namespace tillcast::pipeline {
namespace {

constexpr const char* kModelFile = "model.txt";
constexpr const char* kFiguresFile = "backtest.txt";
constexpr double kConfidence = 0.9;
constexpr double kUnknownMax = 0.1;  // share of series that a champion may not know

forecast::Metric metric_of(const ForecastPlan& plan) {
  return forecast::find_metric(plan.metric).value_or(forecast::Metric::kAuto);
}

std::string metric_label(const ForecastPlan& plan) {
  const auto metric = metric_of(plan);
  return std::string(
      forecast::metric_name(metric == forecast::Metric::kAuto ? forecast::Metric::kWapeBias : metric));
}

std::string against(const std::string& whom, const ForecastPlan& plan, const forecast::Comparison& found) {
  return metric_label(plan) + " " + fixed(found.own, 4) + " against " + fixed(found.other, 4) + " of " +
         whom + " on the newest origin, better in " + fixed(100 * found.better, 0) +
         " % of 1,000 resamples of " + std::to_string(found.units) + (found.units == 1 ? " unit" : " units");
}

std::vector<forecast::PairedAccuracy> pairs(const forecast::ForecastRun& run, bool with_rival) {
  std::vector<forecast::PairedAccuracy> units;
  units.reserve(run.series.size());
  for (const auto& series : run.series) {
    for (const auto& part : series.held_out)
      units.push_back({part.own, with_rival ? part.rival : part.naive});
  }
  return units;
}

void note_comparison(registry::VersionInfo& info, const char* name, const forecast::Comparison& found) {
  const std::string prefix = std::string("gate_") + name + "_";
  info.metrics[prefix + "ratio"] = found.ratio;
  info.metrics[prefix + "low"] = found.low;
  info.metrics[prefix + "high"] = found.high;
  info.metrics[prefix + "better"] = found.better;
}

std::map<std::string, std::string> settings_of(const ForecastPlan& plan,
                                               const forecast::ForecastOptions& options) {
  return {{"measure", plan.measure},
          {"by", join(plan.by, ",")},
          {"frequency", plan.frequency},
          {"horizon", std::to_string(plan.horizon)},
          {"top", std::to_string(plan.top)},
          {"metric", plan.metric},
          {"origins", std::to_string(options.backtest.origins)}};
}

registry::VersionInfo describe(const ForecastPlan& plan, const forecast::ForecastOptions& options,
                               const PlanSeries& data, const FitIds& ids, const BacktestFigures& figures) {
  registry::VersionInfo info;
  info.plan = plan.name;
  info.created_at = format_timestamp(SystemClock().now());
  info.fit_id = ids.fit_id;
  info.definition_id = ids.definition_id;
  info.data_hash = data.data_hash;
  info.series = static_cast<std::int64_t>(data.series.size());
  std::optional<Date> first;
  for (const auto& one : data.series) {
    info.periods += static_cast<std::int64_t>(one.size());
    if (one.size() > 0 && (!first || one.start < *first)) first = one.start;
  }
  if (first) info.data_from = format_date(*first);
  info.data_until = format_date(data.data_until);
  info.settings = settings_of(plan, options);
  info.settings["drivers"] = !plan.drivers           ? "those known for all periods ahead"
                             : plan.drivers->empty() ? "none"
                                                     : join(*plan.drivers, ",");
  info.settings["trees"] = plan.trees.empty() ? "the usual" : plan.trees;
  info.metrics = figures.run;
  info.inputs = {{"series_id", "VARCHAR"}, {"business_date", "DATE"}, {plan.measure, "DOUBLE"}};
  info.outputs = {{"series_id", "VARCHAR"}, {"business_date", "DATE"}, {"mean", "DOUBLE"}, {"lo80", "DOUBLE"},
                  {"hi80", "DOUBLE"},       {"lo95", "DOUBLE"},        {"hi95", "DOUBLE"}};
  info.tool_version = kVersion;
  info.code_revision = registry::code_revision();
  return info;
}

Result<registry::VersionInfo> store_version(registry::Registry& registry, registry::VersionInfo info,
                                            const Verdict& verdict, const forecast::FittedRun& fitted,
                                            const BacktestFigures& figures) {
  info.verdict = verdict.promoted ? "champion" : "challenger";
  info.verdict_reason = verdict.reason;
  if (verdict.against_champion) note_comparison(info, "champion", *verdict.against_champion);
  if (verdict.against_naive) note_comparison(info, "naive", *verdict.against_naive);
  const registry::NewFile files[] = {{kModelFile, forecast::format_fitted(fitted)},
                                     {kFiguresFile, format_figures(figures)}};
  return registry.add(std::move(info), files);
}

// Passes a wish to stop on, and no progress: the fit before was all of what is shown.
class CancelOnly final : public Progress {
 public:
  explicit CancelOnly(const Progress& observer) : observer_(observer) {}
  void update(std::uint64_t, std::uint64_t) override {}
  bool cancelled() const override { return observer_.cancelled(); }

 private:
  const Progress& observer_;
};

// The floor under a first fit that lost to it: the seasonal naive as champion.
Result<void> store_naive_champion(Workspace& workspace, registry::Registry& registry,
                                  const ForecastPlan& plan, const PlanSeries& data,
                                  forecast::ForecastOptions options, FitIds ids, const std::string& why,
                                  const Progress& observer) {
  options.models = {forecast::ModelId::kSeasonalNaive};
  options.panel_models.clear();
  CancelOnly silent(observer);
  const auto fit = TILLCAST_TRY_PLAIN(forecast::fit_all(data.series, ids_of(data), options, silent));
  const BacktestFigures figures = figures_of(fit.run, data);
  ids.fit_id = io::xxh3_text(ids.fit_id + "\nseasonal naive");
  Verdict verdict;
  verdict.promoted = true;
  verdict.reason = "the seasonal naive, as the fitted models lost to it: " + why;
  auto described = describe(plan, options, data, ids, figures);
  TILLCAST_TRY_PLAIN(add_gold_commit(workspace, described));
  const auto info =
      TILLCAST_TRY_PLAIN(store_version(registry, std::move(described), verdict, fit.fitted, figures));
  return settle_aliases(workspace, info);
}

}  // namespace

registry::Registry registry_of(const Workspace& workspace) {
  return registry::Registry(workspace.directory / "models");
}

Result<std::shared_ptr<const LoadedModel>> load_model(const Workspace& workspace, const std::string& plan,
                                                      int number) {
  const auto registry = registry_of(workspace);
  auto model = std::make_shared<LoadedModel>();
  model->info = TILLCAST_TRY_PLAIN(registry.version(plan, number));
  const std::string name = "version " + std::to_string(number) + " of plan " + plan;
  const std::string text = TILLCAST_TRY_PLAIN(registry.read_file(model->info, kModelFile));
  model->fitted = TILLCAST_TRY(forecast::parse_fitted(text), name);
  const std::string figures = TILLCAST_TRY_PLAIN(registry.read_file(model->info, kFiguresFile));
  model->figures = TILLCAST_TRY(parse_figures(figures), name);
  return std::shared_ptr<const LoadedModel>(std::move(model));
}

FitIds fit_ids(const ForecastPlan& plan, const forecast::ForecastOptions& options, const PlanSeries& data) {
  std::string definition = plan.name + "\n" + plan.measure + "\n" + join(plan.by, ",") + "\n" +
                           plan.frequency + "\n" + std::to_string(plan.horizon) + "\n" +
                           std::to_string(plan.top) + "\n" + std::to_string(options.backtest.origins) + "\n" +
                           plan.metric + "\n" + std::string(kVersion);
  definition += "\n" + plan.global;
  if (!plan.trees.empty()) definition += "\n" + plan.trees;
  for (const auto& candidate : options.panel_models) {
    definition += "\n" + std::string(candidate.model->name());
  }
  return {io::xxh3_text(definition), io::xxh3_text(definition + "\n" + data.data_hash)};
}

std::vector<std::string> ids_of(const PlanSeries& data) {
  std::vector<std::string> ids;
  ids.reserve(data.members.size());
  for (const auto& member : data.members) ids.push_back(member.id);
  return ids;
}

Verdict judge(const forecast::ForecastRun& run, const PlanSeries& data, const ForecastPlan& plan,
              const LoadedModel* champion, const std::string& definition_id, int margin_percent,
              const std::string& none_because) {
  Verdict verdict;
  const double margin = margin_percent / 100.0;
  const auto naive = forecast::compare_accuracy(pairs(run, false), metric_of(plan));
  const bool tested = naive.units > 0 && std::isfinite(naive.own) && std::isfinite(naive.other);
  if (tested) verdict.against_naive = naive;
  // The bias of one origin is mostly one event that all series share: it alone makes nobody a loser.
  const auto by_wape = forecast::compare_accuracy(pairs(run, false), forecast::Metric::kWape);
  const auto loses = [margin](const forecast::Comparison& found) {
    return found.ratio > 1 + margin && found.better <= 1 - kConfidence;
  };
  const bool loses_to_naive = tested && loses(naive) && loses(by_wape);
  const auto first = [&](const std::string& because) {
    verdict.promoted = !loses_to_naive;
    verdict.reason = because + (tested ? "; " + against("the seasonal naive", plan, naive)
                                       : "; too short for a back-test");
    return verdict;
  };
  if (champion == nullptr) return first(none_because);
  if (champion->info.definition_id != definition_id) return first("the plan or the program changed");
  std::size_t unknown = 0;
  for (const auto* one : champion->fitted.of(ids_of(data))) unknown += one == nullptr ? 1 : 0;
  if (static_cast<double>(unknown) > kUnknownMax * static_cast<double>(data.members.size()))
    return first("the champion does not know " + std::to_string(unknown) + " of " +
                 std::to_string(data.members.size()) + " series");
  const auto found = forecast::compare_accuracy(pairs(run, true), metric_of(plan));
  if (found.units == 0 || !std::isfinite(found.own) || !std::isfinite(found.other))
    return first("nothing to compare with the champion");
  verdict.against_champion = found;
  const std::string figures = against("champion " + std::to_string(champion->info.number), plan, found);
  if (found.ratio <= 1 - margin && found.better >= kConfidence) {
    verdict.promoted = true;
    verdict.reason = "wins: " + figures;
  } else {
    verdict.reason = (found.own == found.other    ? "a tie: "
                      : found.ratio <= 1 - margin ? "better, but not surely: "
                                                  : "does not win: ") +
                     figures + "; needed: " + std::to_string(margin_percent) + " % better in 90 %";
  }
  return verdict;
}

Result<void> settle_aliases(Workspace& workspace, const registry::VersionInfo& version) {
  auto registry = registry_of(workspace);
  const auto named = TILLCAST_TRY_PLAIN(registry.aliases(version.plan));
  const bool followed = std::ranges::any_of(
      named.changes, [&version](const registry::AliasChange& change) { return change.to == version.number; });
  if (followed) return {};
  registry::AliasSwitch change;
  if (version.verdict == "champion") {
    change.champion = version.number;
    change.challenger = 0;
  } else {
    change.challenger = version.number;
  }
  change.at = format_timestamp(SystemClock().now());
  change.by = "gate";
  change.reason = version.verdict_reason;
  TILLCAST_TRY_PLAIN(registry.switch_aliases(version.plan, change));
  return {};
}

Result<FittedVersion> fit_version(Workspace& workspace, const ForecastPlan& plan, const PlanSeries& data,
                                  const forecast::ForecastOptions& options, StageObserver& observer) {
  auto registry = registry_of(workspace);
  auto named = TILLCAST_TRY_PLAIN(registry.aliases(plan.name));
  std::shared_ptr<const LoadedModel> champion;
  std::string removed;
  if (named.champion != 0) {
    auto loaded = load_model(workspace, plan.name, named.champion);
    if (loaded) {
      removed = TILLCAST_TRY_PLAIN(find_removed_load(workspace, (*loaded)->info));
      if (removed.empty()) champion = std::move(*loaded);
    } else {
      observer.note(plan.name +
                    ": the champion cannot be read and is not compared: " + loaded.error().message);
    }
  }
  forecast::ForecastOptions fit_options = options;
  const auto ids = ids_of(data);
  const FitIds names = fit_ids(plan, options, data);
  if (champion) {
    fit_options.rival = champion->fitted.of(ids);
    fit_options.rival_is_alike = champion->info.definition_id == names.definition_id;
  }
  FileCheckpoint checkpoint(checkpoint_folder(workspace), plan.name, names.fit_id, data, observer);
  const auto checkpoint_ms = workspace.config.integer("forecast.checkpoint_ms");
  if (checkpoint_ms > 0) fit_options.checkpoint = &checkpoint;
  fit_options.checkpoint_seconds = static_cast<double>(checkpoint_ms) / 1000;
  FittedVersion result;
  result.fit = TILLCAST_TRY_PLAIN(forecast::fit_all(data.series, ids, fit_options, observer));
  result.figures = figures_of(result.fit.run, data);
  const auto margin = static_cast<int>(workspace.config.integer("forecast.gate_margin_percent"));
  Verdict verdict =
      judge(result.fit.run, data, plan, champion.get(), names.definition_id, margin,
            removed.empty() ? "the first version"
                            : "champion " + std::to_string(named.champion) + " learnt from " + removed);
  const auto experiment = TILLCAST_TRY_PLAIN(running_experiment(workspace, plan.name));
  if (experiment && verdict.promoted) {
    verdict.promoted = false;
    verdict.reason = "experiment '" + experiment->name + "' is running; " + verdict.reason;
  }
  if (!verdict.promoted && (named.champion == 0 || (!removed.empty() && !experiment))) {
    TILLCAST_TRY_PLAIN(
        store_naive_champion(workspace, registry, plan, data, options, names, verdict.reason, observer));
    named = TILLCAST_TRY_PLAIN(registry.aliases(plan.name));
  }
  auto info = describe(plan, options, data, names, result.figures);
  info.parent = named.champion;
  TILLCAST_TRY_PLAIN(add_gold_commit(workspace, info));
  result.info =
      TILLCAST_TRY_PLAIN(add_version(workspace, std::move(info), verdict, result.fit.fitted, result.figures));
  checkpoint.remove();
  observer.note(plan.name + ": version " + std::to_string(result.info.number) +
                (verdict.promoted ? " is the champion: " : " is a challenger: ") + verdict.reason);
  return result;
}

Result<registry::VersionInfo> add_version(Workspace& workspace, registry::VersionInfo info,
                                          const Verdict& verdict, const forecast::FittedRun& fitted,
                                          const BacktestFigures& figures) {
  auto registry = registry_of(workspace);
  auto stored = TILLCAST_TRY_PLAIN(store_version(registry, std::move(info), verdict, fitted, figures));
  TILLCAST_TRY_PLAIN(settle_aliases(workspace, stored));
  const auto experiment = TILLCAST_TRY_PLAIN(running_experiment(workspace, stored.plan));
  std::vector<int> pinned;
  if (experiment) pinned = {experiment->champion, experiment->challenger};
  const auto keep =
      static_cast<int>(std::max<std::int64_t>(1, workspace.config.integer("forecast.versions_kept")));
  TILLCAST_TRY_PLAIN(registry.collect_garbage(stored.plan, keep, pinned));
  return stored;
}

std::string find_changed_setting(const registry::VersionInfo& info, const ForecastPlan& plan,
                                 const forecast::ForecastOptions& options) {
  for (const auto& [name, value] : settings_of(plan, options)) {
    const auto at = info.settings.find(name);
    if (at == info.settings.end() || at->second != value) return name;
  }
  return info.tool_version == kVersion ? "" : "program";
}

std::string needs_refit(const registry::VersionInfo& newest, const LoadedModel& champion, const FitIds& ids,
                        const PlanSeries& data, std::int64_t refit_days) {
  if (champion.info.definition_id != ids.definition_id || newest.definition_id != ids.definition_id)
    return "the plan or the program changed";
  const auto cut = parse_date(newest.data_until);
  if (!cut || data.data_until < *cut)
    return "the data end earlier than those of version " + std::to_string(newest.number);
  const auto age = data.data_until.days - cut->days;
  if (age > refit_days)
    return "the newest version is " + std::to_string(age) +
           " days behind the data (forecast.refit_days = " + std::to_string(refit_days) + ")";
  std::size_t unknown = 0;
  const auto known = champion.fitted.of(ids_of(data));
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (data.series[i].size() == 0) continue;
    unknown += known[i] == nullptr || known[i]->start != data.series[i].start ? 1 : 0;
  }
  if (static_cast<double>(unknown) > kUnknownMax * static_cast<double>(data.series.size()))
    return std::to_string(unknown) + " of " + std::to_string(data.series.size()) +
           " series are new or have another history";
  return {};
}

Result<std::optional<registry::Experiment>> running_experiment(const Workspace& workspace,
                                                               const std::string& plan) {
  auto all = TILLCAST_TRY_PLAIN(registry::read_experiments(registry_of(workspace).folder(plan)));
  for (auto& one : all) {
    if (one.running()) return std::optional<registry::Experiment>(std::move(one));
  }
  return std::optional<registry::Experiment>{};
}

Result<Served> serve_models(Workspace& workspace, const ForecastPlan& plan, const PlanSeries& data,
                            const forecast::ForecastOptions& options, const FittedVersion* fresh,
                            StageObserver& observer) {
  const auto named = TILLCAST_TRY_PLAIN(registry_of(workspace).aliases(plan.name));
  if (named.champion == 0)
    return not_found("plan '" + plan.name + "' has no champion yet; make one with `tillcast forecast fit " +
                     plan.name + "`");
  const auto experiment = TILLCAST_TRY_PLAIN(running_experiment(workspace, plan.name));
  const auto ids = ids_of(data);
  Served served;
  served.champion = experiment ? experiment->champion : named.champion;
  served.versions.assign(ids.size(), served.champion);
  served.variants.assign(ids.size(), "champion");
  if (fresh != nullptr && fresh->info.number == served.champion) {
    served.run = fresh->fit.run;
    served.figures = fresh->figures;
  } else {
    const auto champion = TILLCAST_TRY_PLAIN(load_model(workspace, plan.name, served.champion));
    served.run =
        TILLCAST_TRY_PLAIN(forecast::predict_all(champion->fitted, data.series, ids, options, observer));
    served.figures = champion->figures;
  }
  if (experiment) {
    const auto challenger = TILLCAST_TRY_PLAIN(load_model(workspace, plan.name, experiment->challenger));
    auto other =
        TILLCAST_TRY_PLAIN(forecast::predict_all(challenger->fitted, data.series, ids, options, observer));
    served.experiment = experiment->name;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (!registry::in_challenger_share(*experiment, ids[i])) continue;
      served.run.series[i] = std::move(other.series[i]);
      served.versions[i] = experiment->challenger;
      served.variants[i] = "challenger";
      const auto figures = challenger->figures.series.find(ids[i]);
      if (figures != challenger->figures.series.end()) served.figures.series[ids[i]] = figures->second;
    }
    const auto count = [&served](forecast::SeriesStatus status) {
      return static_cast<std::size_t>(
          std::ranges::count(served.run.series, status, &forecast::SeriesForecast::status));
    };
    served.run.ok = count(forecast::SeriesStatus::kOk);
    served.run.fallbacks = count(forecast::SeriesStatus::kFallback);
    served.run.refused = count(forecast::SeriesStatus::kRefused);
  }
  return served;
}

}  // namespace tillcast::pipeline
