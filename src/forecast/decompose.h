#pragma once

#include <span>
#include <string>
#include <vector>

#include "forecast/model.h"
#include "forecast/series.h"

namespace tillcast::forecast {

/// What the days named by one driver (holidays, school holidays) did to the values.
struct NamedEffect {
  std::string name;            ///< of the driver
  std::vector<double> effect;  ///< one per period; neutral on other days
};

/// Why the values are what they are: parts that give every value of the history back, as a sum or, where
/// demand is positive, as a product. All vectors have one entry per period; a part without say is neutral: 0
/// in a sum, 1 in a product.
struct Decomposition {
  bool multiplicative = false;
  std::vector<double> trend;      ///< in units
  std::vector<double> weekday;    ///< season of the week; neutral in weeks and months
  std::vector<double> year;       ///< season of the year; neutral before two years are known
  std::vector<double> promotion;  ///< neutral without a promotion
  std::vector<NamedEffect> days;  ///< one per driver of flags or categories, in their order
  /// The rest. In a masked period it takes off what a closed day did not sell.
  std::vector<double> remainder;

  /// Sum or product of all parts: the value of the history up to rounding.
  double value_at(std::size_t period) const;
};

struct DecomposeOptions {
  bool allow_multiplicative = true;  ///< a product where at most 2 % of the observed values are not positive
  int robust_rounds = 2;             ///< rounds of bisquare weights that take outliers out of the fit
};

/// Splits a history into trend, seasons, promotion and named days. A partly linear model: the trend is a
/// local line (loess: 1.5 years where the season of the year is known, otherwise a quarter), everything else
/// a regression on weekdays, sine waves of the year, the promotion flag and the named days, estimated after
/// the trend has been smoothed out of both sides (Speckman 1988, J. R. Stat. Soc. B 50(3)), with STL's
/// robustness weights (Cleveland et al. 1990). Masked periods teach nothing. Columns that never vary while
/// observed stay neutral; no history at all gives empty parts.
/// @param days  drivers with at least one value per period of the history; kNumber ones are passed over.
/// A category has an effect for each of its kinds in daily series.
/// Pure, thread-safe; costs some milliseconds for three years of days.
Decomposition decompose(const History& history, std::span<const Driver> days,
                        const DecomposeOptions& options = {});

}  // namespace tillcast::forecast
