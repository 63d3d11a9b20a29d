#pragma once

#include <cstdint>
#include <vector>

#include "forecast/accuracy.h"
#include "forecast/global_model.h"

namespace tillcast::forecast {

/// One set of options that was tried.
struct SearchTrial {
  GlobalModelOptions options;
  double error = 0;        ///< of the metric on the hold-out; NaN when it could not learn
  double cpu_seconds = 0;  ///< of the process while it ran
};

struct SearchOptions {
  double seconds =
      600;  ///< CPU seconds for new trials; the one that is running when they are spent is finished
  std::size_t trials_max = 50;  ///< with the earlier ones
  std::uint32_t seed = 1;
  Metric metric = Metric::kRmspe;
};

/// Random search (Bergstra & Bengio 2012, JMLR 13) over rate, leaves, shares of rows and columns, and
/// forgetting, on a split by time: learnt at the cut one horizon before the end of the panel's series, scored
/// on the horizon after it. The first trial is `start`. Trial number i depends on the seed and i alone, so
/// passing the trials of an earlier search goes on where it ended; with the same trials_max and enough
/// seconds both give the same trials. Progress counts in shares of the trials or the seconds, whichever are
/// further on. @return the trials in order; kCancelled when
/// progress asked to stop before the first one (later it returns what is there); kInvalidInput when the start
/// cannot learn.
Result<std::vector<SearchTrial>> search_options(std::span<const Series> series,
                                                std::span<const AttributeColumn> attributes,
                                                const PanelTask& task, const GlobalModelOptions& start,
                                                const SearchOptions& options,
                                                std::vector<SearchTrial> earlier, Progress& progress);

/// The trial of the least error; trials must hold one with a finite error.
const SearchTrial& best_trial(std::span<const SearchTrial> trials);

}  // namespace tillcast::forecast
