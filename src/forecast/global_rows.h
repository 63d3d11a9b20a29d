#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/progress.h"
#include "core/result.h"
#include "forecast/booster.h"
#include "forecast/global_model.h"
#include "forecast/panel_features.h"

namespace tillcast::forecast {

/// Days before the end of the panel of each snapshot, newest first, as far back as history_min allows.
std::vector<int> snapshot_cuts(const Panel& panel, const PanelTask& task, const GlobalModelOptions& options);

/// Which rows of a panel, by the days that their labels lie in.
enum class RowPart : std::uint8_t {
  kAll,
  kEarlier,  ///< no label in the newest steps of the panel: those are kept for a look at unseen days
  kNewest,   ///< the newest snapshot alone, whose labels are these steps
};

/// What boosters learn from one panel: the features of its snapshots, sampled to about as many rows as there
/// are days or rows_max; those sampled keep the shares of series and snapshots. Borrows the panel and the
/// options. Thread-safe once made.
class GlobalRows {
 public:
  /// @param logarithm  labels are logarithms over the base, else units
  GlobalRows(const Panel& panel, const PanelTask& task, const GlobalModelOptions& options, bool logarithm,
             Progress& progress);

  const std::vector<FeatureColumn>& columns() const { return features_.columns(); }
  /// A training set, cut into bins as the rows are made. @return kInvalidInput when there are no rows,
  /// kCancelled
  Result<BoosterData> make(RowPart part, Progress& progress) const;
  /// The same with the bins of `reference`, for validation.
  Result<BoosterData> make_like(const BoosterData& reference, RowPart part, Progress& progress) const;
  /// The rows themselves, block by block in order: made in parallel, taken one block after the other.
  /// @param stride  every so many members
  Result<> each(RowPart part, std::size_t stride, Progress& progress,
                const std::function<Result<>(FeatureRows&)>& take) const;
  /// What a booster is to learn of a row.
  float label(const FeatureRows& rows, std::size_t row) const {
    return logarithm_ ? rows.label[row] - static_cast<float>(rows.offset[row]) : rows.label[row];
  }

 private:
  bool keeps(RowPart part, std::size_t member, std::size_t cut, int step, float label) const;
  std::size_t count(RowPart part) const;
  Result<> fill(BoosterData& data, RowPart part, std::size_t rows, Progress& progress) const;

  std::size_t members_;
  PanelTask task_;
  const GlobalModelOptions& options_;
  bool logarithm_;
  std::vector<int> cuts_;
  PanelFeatures features_;
  std::vector<std::size_t> blank_;  ///< columns that are not learnt from
  std::size_t rows_wanted_ = 0;
  double share_ = 1;  ///< of the candidates that are taken
};

}  // namespace tillcast::forecast
