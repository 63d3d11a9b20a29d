#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "forecast/backtest.h"
#include "forecast/blend.h"

namespace tillcast::forecast {

struct ChoiceOptions {
  Metric metric = Metric::kAuto;
  /// How many origins of own experience weigh as much as the experience of all series of the class. A series
  /// alone has two or three origins: too few to trust, as the same model then loses on the next one.
  double pooling = 10;
  /// The simplest model within this share of the best error is taken.
  double tie = 0.005;
  BlendOptions blend;
};

/// The score of each model of each series on origins [first, last): the logarithm of its error over the error
/// of the seasonal naive, weighed between the series' own and the mean of its class; NaN for a model that was
/// refused. Empty for a series that has none of these origins. Deterministic.
std::vector<std::vector<double>> score_models(std::span<const Series> series,
                                              std::span<const SeriesBacktest> tests, std::size_t first,
                                              std::size_t last, const ChoiceOptions& options);

/// For each series the place of its model in SeriesBacktest::models, chosen on origins [first, last) (0 = the
/// newest); nullopt when the series has none of these origins or no model ran. With a column of
/// ModelId::kBlend: the blend, unless one member is enough (blend_weights). Without: the best score, ties to
/// the simpler model. Deterministic.
std::vector<std::optional<std::size_t>> choose_models(std::span<const Series> series,
                                                      std::span<const SeriesBacktest> tests,
                                                      std::size_t first, std::size_t last,
                                                      const ChoiceOptions& options);

/// The metric that judges a class when kAuto is asked.
Metric metric_for(Metric asked, DemandClass demand_class);

/// Candidates for a class when the caller names none, simplest first.
std::vector<ModelId> default_models(DemandClass demand_class, Grain grain);

/// The model of a series too short for any back-test: the first one that accepts the history, by class.
ModelId default_model(const History& history, DemandClass demand_class);

}  // namespace tillcast::forecast
