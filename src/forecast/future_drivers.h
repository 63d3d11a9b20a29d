#pragma once

#include <cstddef>

#include "forecast/series.h"

namespace tillcast::forecast {

/// What extend_promotions() found.
enum class PromotionPlan : std::uint8_t {
  kNone,      ///< the series has no promotions
  kKnown,     ///< the plan for all the periods was there already
  kInferred,  ///< the calendar repeats, and its rhythm was carried on
  kUnknown,   ///< no rhythm: the periods ahead stay without a plan
};

/// Gives a daily series a promotion plan for `periods` days after its last value, where none is loaded but
/// the calendar has a rhythm (every week, or every second week, as drugstores do): a day ahead gets the flag
/// of the same day in the last full cycle. The rhythm counts only when, over the last 16 weeks, the flags of
/// open days repeat after 14 (or 7) days in at least 85 of 100 cases. Known flags ahead are kept.
///
/// Without a plan for the days ahead, models that learn what a promotion does cannot be used at all; a
/// back-test then assumes what production has: that promotions are planned before their days come.
PromotionPlan extend_promotions(Series& series, std::size_t periods);

}  // namespace tillcast::forecast
