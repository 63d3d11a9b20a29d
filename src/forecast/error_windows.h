#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace tillcast::forecast {

struct ForecastRun;

/// Errors of series alike over whole horizons of a back-test: what sums over days get their dependence from.
struct ErrorWindows {
  std::string level;         ///< of a hierarchy; empty = the series themselves
  std::string demand_class;  ///< its demand_class_name()
  std::size_t steps = 0;
  std::vector<float> errors;  ///< [window][step], each series scaled to one size; NaN = not observed
};

/// Picks error windows of a run made with ForecastOptions::keep_errors for each level and class, evenly over
/// its series, all windows of one series together.
/// @param levels       of each series of the run, empty = no levels
/// @param windows_max  of each level and class
std::vector<ErrorWindows> error_windows(const ForecastRun& run, std::span<const std::string> levels,
                                        std::size_t windows_max);

/// Those for a series of this level and class; else all of the level; else none: PathRanks then takes the
/// widest. The windows have the steps of `windows`, which must agree.
ErrorWindows windows_for(std::span<const ErrorWindows> windows, const std::string& level,
                         const std::string& demand_class);

}  // namespace tillcast::forecast
