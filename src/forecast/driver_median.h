#pragma once

#include <span>
#include <vector>

#include "forecast/model.h"

namespace tillcast::forecast {

struct DriverMedianOptions {
  int window_days = 365;   ///< how far back a period still counts
  int cell_count_min = 3;  ///< fewer observations than this in a cell: the next wider cell
};

/// The median of the same weekday with the same promotion flag over the last year: robust against outliers,
/// aware of the strongest driver, and on daily shop sales hard to beat. Weeks and months have no weekday;
/// there months use the month of the year. Where open days are known a day without sales counts as a fault of
/// the data, unless there is nothing else; elsewhere zeros are demand. When a cell has too few observations
/// the wider ones are asked in turn: the weekday scaled by the promotion's effect, the weekday, the promotion
/// flag, everything in the window, everything ever. An unknown promotion counts as "weekday, any promotion".
/// Pure, thread-safe.
void driver_median(const History& history, const DriverMedianOptions& options, std::span<double> out);

/// Median; the mean of the middle two for an even count; 0 for none. Reorders `values`.
double median_of(std::span<double> values);

}  // namespace tillcast::forecast
