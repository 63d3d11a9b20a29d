#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "forecast/comparison.h"
#include "forecast/fitted_model.h"
#include "pipeline/backtest_figures.h"
#include "pipeline/engine.h"
#include "pipeline/plan_series.h"
#include "pipeline/settings.h"
#include "pipeline/workspace.h"
#include "registry/experiment.h"
#include "registry/registry.h"

namespace tillcast::pipeline {

/// A version in memory, immutable.
struct LoadedModel {
  registry::VersionInfo info;
  forecast::FittedRun fitted;
  BacktestFigures figures;
};

/// The registry of a data directory: `<data>/models`.
registry::Registry registry_of(const Workspace& workspace);

/// Reads and checks a version.
Result<std::shared_ptr<const LoadedModel>> load_model(const Workspace& workspace, const std::string& plan,
                                                      int number);

/// What a fit is called: of the plan's definition, the options and the program; and with the data as well.
struct FitIds {
  std::string definition_id;
  std::string fit_id;
};
FitIds fit_ids(const ForecastPlan& plan, const forecast::ForecastOptions& options, const PlanSeries& data);

/// Ids of the plan's members, in order.
std::vector<std::string> ids_of(const PlanSeries& data);

/// What the promotion gate says of a new version.
struct Verdict {
  bool promoted = false;
  std::string reason;
  std::optional<forecast::Comparison> against_champion;
  std::optional<forecast::Comparison> against_naive;
};

/// The gate: on the newest back-test origin, same series and periods, the plan's metric, paired bootstrap
/// over series. A first version must not be worse than the seasonal naive; a later one must beat the champion
/// by `margin_percent` in at least nine of ten resamples. A champion of another definition, or one that does
/// not know a tenth of the series, has had its day.
/// @param none_because  why there is no champion to beat, when it is null
Verdict judge(const forecast::ForecastRun& run, const PlanSeries& data, const ForecastPlan& plan,
              const LoadedModel* champion, const std::string& definition_id, int margin_percent,
              const std::string& none_because = "the first version");

/// A fit that became a version.
struct FittedVersion {
  registry::VersionInfo info;
  forecast::FitResult fit;
  BacktestFigures figures;
};

/// Fits the plan, has the gate judge it, stores the version and switches the aliases as the gate said. A
/// first fit that loses to the seasonal naive becomes challenger to a champion of seasonal naives, stored
/// before it. A champion that learnt from a load which was taken out counts as none. Deletes versions beyond
/// forecast.versions_kept.
Result<FittedVersion> fit_version(Workspace& workspace, const ForecastPlan& plan, const PlanSeries& data,
                                  const forecast::ForecastOptions& options, StageObserver& observer);

/// Stores a version with the gate's verdict, switches the aliases as it says and deletes versions beyond
/// forecast.versions_kept. @param info  without verdict, number and files
Result<registry::VersionInfo> add_version(Workspace& workspace, registry::VersionInfo info,
                                          const Verdict& verdict, const forecast::FittedRun& fitted,
                                          const BacktestFigures& figures);

/// The first setting of the plan that is not what a version was fitted with; empty when all are.
std::string find_changed_setting(const registry::VersionInfo& info, const ForecastPlan& plan,
                                 const forecast::ForecastOptions& options);

/// Finishes what a crash between version and alias left: a version whose verdict no alias ever followed.
Result<void> settle_aliases(Workspace& workspace, const registry::VersionInfo& version);

/// Why the newest version no longer serves for an update with this data; empty when it does.
std::string needs_refit(const registry::VersionInfo& newest, const LoadedModel& champion, const FitIds& ids,
                        const PlanSeries& data, std::int64_t refit_days);

/// The plan's running experiment, if any.
Result<std::optional<registry::Experiment>> running_experiment(const Workspace& workspace,
                                                               const std::string& plan);

/// Forecasts of a plan as they are served, each series whole from one version.
struct Served {
  forecast::ForecastRun run;
  BacktestFigures figures;  ///< the champion's
  int champion = 0;
  std::string experiment;             ///< name of the running one; empty = none
  bool figures_are_stored = false;    ///< the tables hold the details of this champion's back-test already
  std::vector<int> versions;          ///< by series; 0 = trained by itself
  std::vector<std::string> variants;  ///< by series: "champion" or "challenger"
};

/// Forecasts from the champion and, in an experiment, its challenger: no fit. `fresh` is used as it is when
/// it is the champion of now.
Result<Served> serve_models(Workspace& workspace, const ForecastPlan& plan, const PlanSeries& data,
                            const forecast::ForecastOptions& options, const FittedVersion* fresh,
                            StageObserver& observer);

}  // namespace tillcast::pipeline
