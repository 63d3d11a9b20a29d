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

/// Why the values of a series are what they are, by one decompose() of its history for all questions. What
/// lies ahead is taken apart by the same parts: the level at the end, and what weekdays, season, promotion
/// and named days did so far on such days; what a model sees otherwise, its trend included, is the rest.
/// Thread-safe.
class HistoryExplanation {
 public:
  /// @param ahead  steps after options.gap that may be asked for; nothing is learnt from them
  HistoryExplanation(const Series& series, std::size_t ahead, const BacktestOptions& options);

  /// Level (the trend), weekday, season of the year, promotion, named days, rest: one entry for each of the
  /// last `periods`.
  std::vector<ForecastParts> past(std::size_t periods) const;
  /// Forecasts of a model that does not explain itself: one entry for each step, at most `ahead`; a closed
  /// step has one part, of 0.
  std::vector<ForecastParts> of(std::span<const double> steps) const;

 private:
  ForecastParts parts_at(std::size_t period, double level, double rest) const;

  std::size_t known_ = 0;
  std::vector<std::uint8_t> closed_;  // of the steps
  Decomposition found_;               // of the history and the steps
};

/// Adds parts of a weight to others, by name.
void add_parts(const ForecastParts& from, double weight, ForecastParts& to);

}  // namespace tillcast::forecast
