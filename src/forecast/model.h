#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forecast/series.h"

namespace tillcast::forecast {

constexpr double kMeanYearDays = 365.25;

/// Every model that can be asked for by name. The order is the order of simplicity: ties go to the earlier
/// one.
enum class ModelId : std::uint8_t {
  kZero,
  kMean,
  kNaive,
  kSeasonalNaive,
  kSeasonalNaiveDouble,
  kSeasonalNaiveYear,
  kMovingAverage,
  kSeasonalAverage,
  kDriverMedian,
  kSes,
  kSeasonalSes,
  kCroston,
  kSba,
  kTsb,
  kAdida,
  kImapa,
  kHolt,
  kSeasonProduct,
  kPooledLevel,  ///< learns from all series at once: see pooled_season.h
  kPooledSeason,
  kTheta,
  kDynamicTheta,
  kCes,
  kHoltWinters,
  kAutoEts,
  kMstl,
  kMedianEnsemble,
  kGlobalTrees,  ///< learns from all series at once: see panel_model.h
  kGlobalMonthly,
  kGlobalBlend,
  kColdStart,  ///< new series take after series alike: see cold_start.h; never a candidate
  kBlend,      ///< weighted mean of other models: see blend.h
  kCount,
};
constexpr std::size_t kModelCount = static_cast<std::size_t>(ModelId::kCount);

/// Classes of demand by mean interval between demands (ADI) and squared coefficient of variation of the
/// demand sizes (CV²): Syntetos, Boylan & Croston 2005, J. Oper. Res. Soc. 56(5). The limits are 1.32 and
/// 0.49.
enum class DemandClass : std::uint8_t { kSmooth, kErratic, kIntermittent, kLumpy, kNone };
constexpr std::size_t kDemandClassCount = 5;
std::string_view demand_class_name(DemandClass demand_class);
/// Demand with many zeros.
constexpr bool is_rare(DemandClass demand_class) {
  return demand_class == DemandClass::kIntermittent || demand_class == DemandClass::kLumpy;
}

/// All that a model may see: the periods before the origin, and the drivers that are known ahead. It holds
/// nothing of the future, so a model cannot leak it.
struct History {
  Grain grain = Grain::kDaily;
  Date start;
  std::span<const double> value;           ///< one per period, oldest first, finite
  std::span<const std::uint8_t> masked;    ///< same length; 1 = do not learn from this period
  std::span<const std::int8_t> promotion;  ///< empty, or history plus the periods known ahead; -1 = unknown
  std::span<const std::int8_t> open;       ///< likewise
  std::span<const double> price;           ///< likewise; NaN = unknown
  std::span<const NamedDay> named_days;    ///< by date, beyond the history as well
  std::span<const std::int8_t> named_days_traded;  ///< NamedDays::traded of those within the history
  int season = 1;                                  ///< periods in a season, 1 = none

  std::size_t size() const { return value.size(); }
  /// Periods that may be learnt from.
  std::size_t observed_count() const {
    return static_cast<std::size_t>(std::ranges::count(masked, std::uint8_t{0}));
  }
};

/// What a fit found: a model's own numbers in its own order. A later origin filters with them, unchanged.
using Parameters = std::vector<double>;

/// True for the models of panel_model.h, which learn from all series at once: their functions in the table
/// refuse every history, and their forecasts come through a PanelModel.
bool is_panel_model(ModelId id);

/// One forecasting model as plain functions. Both are pure and thread-safe.
struct Model {
  ModelId id;
  std::string_view name;   ///< as in options, tables and reports
  std::string_view paper;  ///< what it implements
  bool capped;             ///< learns from values with outliers capped
  /// Why the model cannot be used on this history, empty when it can.
  std::string (*refuses)(const History&);
  /// Estimates parameters from the whole history.
  Parameters (*fit)(const History&);
  /// Forecasts out.size() periods after the history, given parameters of the same or an earlier history.
  void (*predict)(const History&, const Parameters&, std::span<double> out);
};

const Model& model(ModelId id);
/// All models, by ModelId.
std::span<const Model> all_models();
/// The model of that name, or nullptr.
const Model* find_model(std::string_view name);

}  // namespace tillcast::forecast
