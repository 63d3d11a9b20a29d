#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "forecast/accuracy.h"
#include "forecast/attribute_codes.h"
#include "forecast/booster.h"
#include "forecast/panel_features.h"
#include "forecast/panel_model.h"

namespace tillcast::forecast {

/// What trees of a global model learn.
enum class GlobalTarget : std::uint8_t {
  kAuto,       ///< kUnits when the values are whole numbers and small or often zero, else kLogarithm
  kLogarithm,  ///< logarithm of the value minus the base: revenue
  kUnits,      ///< units, by Tweedie deviance (power 1: Poisson) on top of the base: counts and rare demand
};

struct GlobalModelOptions {
  GlobalTarget target = GlobalTarget::kAuto;
  BoosterOptions booster = {.rounds = 350, .learning_rate = 0.06};
  int seeds = 2;                     ///< boosters with seeds booster.seed, +1, ... whose scores are averaged
  std::size_t rows_max = 1'500'000;  ///< training rows; more are sampled, evenly over series and snapshots
  /// Snapshots in one horizon: with more, a day is seen from several cuts, and levels of all series together
  /// take more than a few values. The rows stay about as many as there are days: each is taken from one cut
  /// or another.
  int shifts = 3;
  int snapshots_max = 100;  ///< newest first
  int history_min = 84;     ///< days a snapshot must have before it
  /// Rows weigh half at this age in days; 0 = all the same.
  double half_life = 0;
  /// What forecasts of logarithms are made for (is_aim): they are multiplied by what the metric wants of the
  /// spread of errors in the newest days (aim_factor). nullopt = the median, as it is.
  std::optional<Metric> aim;
  /// Columns that are not learnt from, by name or, ending in *, by the beginning of their names.
  std::vector<std::string> left_out;
  ModelId id = ModelId::kGlobalTrees;
};

/// One model of gradient boosted trees for all series of a daily panel: features of panel_features.h,
/// Booster. Series too short for a base are declined. With threads, the seeds train side by side. With
/// booster.early_stopping_rounds or an aim the newest horizon is kept aside at first: trees that have not
/// seen it tell how many rounds help and how far off they are; then all days are learnt from.
class GlobalModel final : public PanelModel {
 public:
  explicit GlobalModel(GlobalModelOptions options) : options_(std::move(options)) {}
  ModelId id() const override { return options_.id; }
  double fit_seconds(std::size_t values) const override;
  std::string refuses(const Panel& panel, const PanelTask& task) const override;
  Result<std::shared_ptr<const FittedPanel>> fit(const Panel& panel, const PanelTask& task,
                                                 Progress& progress) const override;
  Result<std::shared_ptr<const FittedPanel>> load(std::string_view text) const override;

 private:
  bool holds_out() const { return options_.booster.early_stopping_rounds > 0 || options_.aim.has_value(); }
  GlobalModelOptions options_;
};

/// What GlobalModel learnt.
class FittedGlobal final : public FittedPanel {
 public:
  std::string save() const override;
  Result<std::vector<double>> predict(const Panel& panel, const PanelTask& task) const override;
  /// Base and SHAP values by group of features, on the scale of logarithms.
  Result<std::vector<ExplainedStep>> explain(const Panel& panel, std::size_t member,
                                             const PanelTask& task) const override;

  /// Keeps the features of the whole panel, so that a member costs its own rows alone.
  Result<std::shared_ptr<const PreparedPanel>> prepare(const Panel& panel,
                                                       const PanelTask& task) const override;

  /// The columns of a panel if they are those of the fit.
  Result<> check_columns(const PanelFeatures& features) const;
  /// Forecasts of one member's rows, by step; NaN where there is no row.
  Result<std::vector<double>> predict_rows(const FeatureRows& rows, std::size_t steps) const;
  /// The parts of each row.
  Result<std::vector<ExplainedStep>> explain_rows(const FeatureRows& rows) const;

  AttributeCodes codes;  ///< of the panel it learnt from
  std::vector<FeatureColumn> columns;
  std::vector<Booster> boosters;
  bool logarithm = true;
  double factor = 1;            ///< of all forecasts (aim_factor)
  std::size_t learnt_rows = 0;  ///< learnt from
};

/// Whether a factor exists for the metric: RMSPE, MAPE, RMSE.
bool is_aim(Metric metric);
/// What turns the median of a lognormal variable into the forecast with the least expected `metric`.
/// @param spread  standard deviation of the logarithm
double aim_factor(Metric metric, double spread);

/// kLogarithm or kUnits for the values of a panel.
GlobalTarget choose_target(const Panel& panel);

}  // namespace tillcast::forecast
