#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "forecast/model.h"

namespace tillcast::forecast {

enum class BlendKind : std::uint8_t {
  kMean,      ///< of the best model of each family, all alike
  kMedian,    ///< of the best model of each family
  kWeighted,  ///< mean of the best model of each family, weighed by error^-8
};

/// Models that look at demand alike make the same errors; one of each family is enough for a blend.
enum class ModelFamily : std::uint8_t {
  kBenchmark,  ///< naive forecasts and ensembles: never members of a blend
  kLevel,      ///< a level that is carried on: averages, simple smoothing, Croston and its heirs
  kTrend,      ///< level, trend and season of the series' own: exponential smoothing, Theta
  kDriver,     ///< by promotion and weekday
  kCalendar,   ///< products of calendar factors, pooled or not
  kGlobal,     ///< trees over all series
};
constexpr std::size_t kModelFamilyCount = 6;
ModelFamily model_family(ModelId id);

struct BlendOptions {
  BlendKind kind = BlendKind::kWeighted;
  /// A member's weight is its error to the power -8 (Bates & Granger 1969, Oper. Res. Q. 20(4), who take -2
  /// for errors of one series): equal when models are within a few percent, nearly alone when it is half as
  /// large.
  double power = 8;
  double weight_min = 0.03;  ///< members below are left out
  double alone = 0.9;        ///< a member with so much weight is used alone: the simpler forecast
  double tie = 0.005;        ///< a naive model whose error is within this share of the best is used alone
};

/// Weights of the models of one series from their scores (log of relative errors, lower is better; NaN =
/// cannot be used): the best model of each family, weighed (forecast pooling; Kourentzes, Barrow &
/// Petropoulos 2019, Int. J. Production Economics 209). They add up to 1; a single 1 where one is enough; all
/// 0 when no model can be used.
std::vector<double> blend_weights(std::span<const ModelId> models, std::span<const double> scores,
                                  const BlendOptions& options);

/// One forecast from those of several models, one row of out.size() steps for each; rows of weight 0 are not
/// read.
void combine(std::span<const std::span<const double>> rows, std::span<const double> weights, BlendKind kind,
             std::span<double> out);

}  // namespace tillcast::forecast
