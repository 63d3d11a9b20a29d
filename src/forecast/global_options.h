#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "forecast/global_model.h"

namespace tillcast::forecast {

/// Settings of a global model as words, e.g. "rounds=350 rate=0.06 leaves=40": rounds, rate, leaves, columns
/// and rows (shares drawn for every tree), leaf (rows in a leaf, at least), l2, seeds, half_life (days; 0 =
/// none), seed, shifts, history (days a snapshot has before it, at least), power (of the Tweedie deviance of
/// counts; 1 = Poisson), stop (rounds without gain in the newest days after which no more trees are grown; 0
/// = never), aim (rmspe, mape or rmse: GlobalModelOptions::aim), drop (a column, or columns that begin so:
/// "drop=own_*"; may be repeated).
/// @param start  what is not named
/// @return kInvalidInput that names the word, what is known and the range.
Result<GlobalModelOptions> parse_global_options(std::string_view words, GlobalModelOptions start = {});

/// The words of all that a search varies, of the seeds, and of what is not as usual; parse_global_options()
/// reads them back.
std::string format_global_options(const GlobalModelOptions& options);

}  // namespace tillcast::forecast
