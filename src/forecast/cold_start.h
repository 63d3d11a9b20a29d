#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "forecast/series.h"

namespace tillcast::forecast {

struct ColdStartOptions {
  std::size_t neighbours = 20;     ///< at most so many series alike
  std::size_t neighbours_min = 3;  ///< fewer: no forecast
  /// How many periods of the neighbours' typical sales weigh as much as what the new one has sold itself.
  double prior_periods = 14;
};

/// The forecast of one new series.
struct ColdStart {
  std::vector<double> forecast;         ///< one per step asked for; empty when there are too few neighbours
  std::vector<std::size_t> neighbours;  ///< nearest first
  bool launch_profile = false;          ///< the neighbours' own first periods are known and were used
  double scale = 1;                     ///< of the new series against its neighbours, shrunk towards 1
};

/// Forecasts of series too new for a model, an announced one without any sales included, from series alike:
/// nearest neighbours by attributes (Gower 1971, Biometrics 27(4): share of categories that differ, distance
/// of numbers as a share of their range, half for the unknown). Where enough neighbours were themselves
/// launched within the data their mean curve by age is the profile; else their recent level. A daily profile
/// takes the neighbours' weekdays. The scale of the new series against it is its own sales over what the
/// profile says for the same periods, drawn towards 1 as the mean of a gamma distribution that
/// `prior_periods` of typical sales have formed (Poisson-gamma shrinkage: Efron & Morris 1977).
/// @param series      of the run, all ending with the same period; those with at least `donor_min` observed
///                    periods are asked
/// @param attributes  one value per series; without any, all are equally near
/// @param target      the new series; its age at the first step is its own length (0 = starts there)
/// @param steps       periods after the end of the series
/// Pure, thread-safe. O(series) for each target.
ColdStart cold_start(std::span<const Series> series, std::span<const AttributeColumn> attributes,
                     std::size_t target, std::size_t donor_min, std::size_t steps,
                     const ColdStartOptions& options);

/// Gower's distance of two series by their attributes, 0 to 1; 0 without attributes.
/// @param ranges  per attribute, largest minus smallest known value
double attribute_distance(std::span<const AttributeColumn> attributes, std::span<const double> ranges,
                          std::size_t a, std::size_t b);
/// Ranges of the attributes for attribute_distance.
std::vector<double> attribute_ranges(std::span<const AttributeColumn> attributes);

}  // namespace tillcast::forecast
