#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "forecast/booster.h"
#include "forecast/panel_features.h"
#include "forecast/panel_model.h"

namespace tillcast::forecast {

/// What trees of a global model learn.
enum class GlobalTarget : std::uint8_t {
  kAuto,       ///< kUnits when the values are whole numbers and small or often zero, else kLogarithm
  kLogarithm,  ///< logarithm of the value minus the base: revenue
  kUnits,      ///< units, by Tweedie deviance on top of the base: counts and rare demand
};

/// How logarithms become values again.
enum class BackTransform : std::uint8_t {
  kMedian,  ///< exp: the median
  kMean,    ///< exp(s²/2): the mean, for errors in units
  kRmspe,   ///< exp(-1.5 s²): least squared relative error; s is the spread of residuals on a hold-out
};

struct GlobalModelOptions {
  GlobalTarget target = GlobalTarget::kAuto;
  BoosterOptions booster = {.rounds = 350, .learning_rate = 0.06};
  int seeds = 2;  ///< boosters with seeds booster.seed, +1, ... whose scores are averaged
  BackTransform back = BackTransform::kMedian;
  std::size_t rows_max = 1'500'000;  ///< training rows; more are sampled, evenly over series and snapshots
  /// Snapshots in one horizon: with more, a day is seen from several cuts, and levels of all series together
  /// take more than a few values. The rows stay about as many as there are days: each is taken from one cut
  /// or another.
  int shifts = 3;
  int snapshots_max = 100;  ///< newest first
  int history_min = 84;     ///< days a snapshot must have before it
  /// Rows weigh half at this age in days; 0 = all the same.
  double half_life = 0;
  /// Columns that are not learnt from, by name or, ending in *, by the beginning of their names.
  std::vector<std::string> left_out;
  ModelId id = ModelId::kGlobalTrees;
};

/// One model of gradient boosted trees for all series of a daily panel: features of panel_features.h,
/// Booster. Series too short for a base are declined. With threads, the seeds train side by side.
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

  /// The columns of a panel if they are those of the fit.
  Result<> check_columns(const PanelFeatures& features) const;

  std::vector<FeatureColumn> columns;
  std::vector<Booster> boosters;
  bool logarithm = true;
  double factor = 1;            ///< of the back-transform
  std::size_t learnt_rows = 0;  ///< learnt from
};

/// kLogarithm or kUnits for the values of a panel.
GlobalTarget choose_target(const Panel& panel);

}  // namespace tillcast::forecast
