#pragma once

#include <span>
#include <vector>

#include "core/result.h"
#include "forecast/fitted_model.h"

namespace tillcast::forecast {

/// The fits that these texts hold, each with its model: one of `known` or a pooled one. A text of a model
/// that is neither is left out. kCorruptData names the model.
Result<std::vector<PanelCandidate>> load_panels(std::span<const FittedPanelText> saved,
                                                std::span<const PanelCandidate> known);

}  // namespace tillcast::forecast
