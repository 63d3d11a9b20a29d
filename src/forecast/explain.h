#pragma once

#include <span>
#include <string>
#include <vector>

#include "forecast/backtest.h"
#include "forecast/decompose.h"
#include "forecast/panel_model.h"

namespace tillcast::forecast {

/// One reason why a value is what it is, in units of the series.
struct ForecastPart {
  std::string name;  ///< "level", "weekday", "promotion", the name of a driver, ...
  double value = 0;
};
/// Parts that add up to a value, the level first.
using ForecastParts = std::vector<ForecastPart>;

/// Factors as amounts: the level stays as it is, and what the others make of it is shared by their logarithms
/// (logarithmic mean Divisia index; Ang 2004, Energy Policy 32(9)), which depends on no order and leaves no
/// rest. A value of 0 or below is taken apart factor after factor.
/// @param factors  the first is the level in units; the others say what each does to it
ForecastParts parts_of_product(std::span<const ForecastPart> factors);

/// The parts of a model that explains itself, as amounts.
ForecastParts parts_of(const ExplainedStep& step);

/// Why the values of a history are what they are, by decompose(): level (the trend), weekday, season of the
/// year, promotion, named days, rest. One entry for each of the last `periods`.
std::vector<ForecastParts> explain_history(const Series& series, std::size_t periods,
                                           const BacktestOptions& options);

/// Forecasts of a model that does not explain itself, by the decomposition of the history: its level at the
/// end, and what weekdays, season, promotion and named days did so far on such days; what the model sees
/// otherwise, its trend included, is the rest. One entry for each step; a closed step has one part, of 0.
std::vector<ForecastParts> explain_by_history(const Series& series, std::span<const double> steps,
                                              const BacktestOptions& options);

/// Adds parts of a weight to others, by name.
void add_parts(const ForecastParts& from, double weight, ForecastParts& to);

}  // namespace tillcast::forecast
