#pragma once

#include <span>
#include <vector>

#include "forecast/model.h"

namespace tillcast::forecast {

/// The history with masked periods filled by the last observed value of the same position in the season (the
/// next one at the start), for models that need every period. All zero when nothing was observed.
std::vector<double> fill_masked(const History& history, int season);

/// True when the autocorrelation at the season's lag is significant at 90 % (Fiorucci et al. 2016, section
/// 4).
bool has_season(std::span<const double> values, int season);

enum class SeasonType { kNone, kAdditive, kMultiplicative };

/// Seasonal indices by classical decomposition: centred moving average, means by position, normalised to mean
/// 0 (additive) or 1 (multiplicative). index[0] belongs to values[0]. Needs two full seasons.
std::vector<double> seasonal_indices(std::span<const double> values, int season, SeasonType type);

}  // namespace tillcast::forecast
