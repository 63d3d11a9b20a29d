#pragma once

#include <memory>
#include <string>
#include <vector>

#include "forecast/global_model.h"

namespace tillcast::forecast {

/// Mean of the logarithms of several global models, whose errors have less in common than those of one
/// model's seeds. A value that one of them declines is that of the others.
class GlobalBlend final : public PanelModel {
 public:
  explicit GlobalBlend(std::vector<GlobalModelOptions> parts) : parts_(std::move(parts)) {}
  ModelId id() const override { return ModelId::kGlobalBlend; }
  double fit_seconds(std::size_t values) const override;
  std::string refuses(const Panel& panel, const PanelTask& task) const override;
  /// Learns the parts one after the other; memory is that of the largest.
  Result<std::shared_ptr<const FittedPanel>> fit(const Panel& panel, const PanelTask& task,
                                                 Progress& progress) const override;
  Result<std::shared_ptr<const FittedPanel>> load(std::string_view text) const override;

 private:
  std::vector<GlobalModelOptions> parts_;
};

/// The full recipe: the default, one of larger trees and fewer columns, one that forgets old years, one
/// without the levels of all series together. Twice the cost of the default.
std::vector<GlobalModelOptions> full_recipe();

}  // namespace tillcast::forecast
