#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forecast/checkpoint.h"
#include "forecast/forecast.h"

namespace tillcast::forecast {

/// A run's series [from, to), back-tested and fitted between two looks at the checkpoint.
struct Stretch {
  std::size_t from = 0;
  std::size_t to = 0;
  bool kept = false;   ///< enough work to be kept
  bool found = false;  ///< back-tested before

  std::size_t size() const { return to - from; }
};

/// The steps of one run in its checkpoint. What does not read back (a checksum says so) was never kept.
class KeptSteps {
 public:
  /// @param checkpoint   nullptr = nothing is kept
  /// @param seconds_min  CPU seconds, as estimated, that are worth keeping
  KeptSteps(Checkpoint* checkpoint, double seconds_min)
      : checkpoint_(checkpoint), seconds_min_(seconds_min) {}

  /// All series, in stretches of so much work; one without a checkpoint. @param value_seconds  of one period
  std::vector<Stretch> stretches(std::span<const Series> series, double value_seconds) const;
  /// Reads what back-tests of local models there are into `tests` and marks their stretches.
  void find_backtests(std::span<Stretch> stretches, std::span<SeriesBacktest> tests) const;
  void keep_backtests(const Stretch& stretch, std::span<const SeriesBacktest> tests) const;
  /// What the final fits learnt of the series of a stretch, into SeriesForecast::fitted. @return whether it
  /// was there
  bool find_members(const Stretch& stretch, std::span<SeriesForecast> forecasts) const;
  void keep_members(const Stretch& stretch, std::span<const SeriesForecast> forecasts) const;
  /// The same candidates, whose fits are taken from the checkpoint, or put there. Borrow this object.
  std::vector<PanelCandidate> with_kept_fits(std::vector<PanelCandidate> candidates) const;

  /// The text of any other step.
  std::optional<std::string> find(const std::string& step) const;
  void keep(const std::string& step, std::string text) const;

 private:
  Checkpoint* checkpoint_;
  double seconds_min_;
};

}  // namespace tillcast::forecast
