#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "forecast/attribute_codes.h"
#include "forecast/booster.h"
#include "forecast/panel_model.h"

namespace tillcast::forecast {

struct GlobalMonthlyOptions {
  BoosterOptions booster = {.rounds = 200,
                            .leaves = 8,
                            .learning_rate = 0.05,
                            .column_share = 0.7,
                            .row_share = 0.8,
                            .leaf_rows_min = 50,
                            .early_stopping_rounds = 20};
  /// How much of the past growth goes on, before the panel's own years say so (damped trend; Gardner &
  /// McKenzie 1985); counts as one year of experience.
  double damping = 0.5;
};

/// One model for all series of a monthly panel, of any number of stores, products or other series. A series
/// is its level x the season of the panel x growth; boosted trees learn what departs from that (own seasons,
/// own growth, kinds of series), and as many of them are kept as help on the newest twelve months. Growth
/// goes on beyond the years of training, damped as far as earlier years say: a tree alone cannot forecast
/// above what it saw.
class GlobalMonthly final : public PanelModel {
 public:
  explicit GlobalMonthly(GlobalMonthlyOptions options = {}) : options_(options) {}
  ModelId id() const override { return ModelId::kGlobalMonthly; }
  std::string refuses(const Panel& panel, const PanelTask& task) const override;
  Result<std::shared_ptr<const FittedPanel>> fit(const Panel& panel, const PanelTask& task,
                                                 Progress& progress) const override;
  Result<std::shared_ptr<const FittedPanel>> load(std::string_view text) const override;

 private:
  GlobalMonthlyOptions options_;
};

/// What GlobalMonthly learnt.
class FittedMonthly final : public FittedPanel {
 public:
  std::string save() const override;
  /// Series with fewer than twelve months lean on those that share their attributes.
  Result<std::vector<double>> predict(const Panel& panel, const PanelTask& task) const override;
  /// Parts of the logarithm: level, season, growth and what the trees add.
  Result<std::vector<ExplainedStep>> explain(const Panel& panel, std::size_t member,
                                             const PanelTask& task) const override;

  struct Effects {
    std::string name;
    std::vector<double> by_code;  ///< logarithm of the size of a category over the mean; 0 = unknown
  };
  std::array<double, 12> season{};  ///< value per day of January.. over the mean of the year
  double past_growth = 0;           ///< logarithm, per year, as it was
  double damping = 0;               ///< growth / past_growth
  double mean_level = 0;            ///< logarithm of the mean value per day of a series
  std::vector<Effects> effects;     ///< of the attributes that are categories
  AttributeCodes codes;             ///< of the panel it learnt from
  std::optional<Booster> booster;   ///< none when trees did not help

 private:
  /// explain() on a panel with the codes of the fit.
  Result<std::vector<ExplainedStep>> explain_member(const Panel& known, std::size_t member,
                                                    const PanelTask& task) const;
};

}  // namespace tillcast::forecast
