#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/result.h"
#include "pipeline/quantile_answers.h"
#include "pipeline/series_catalog.h"
#include "pipeline/series_shelf.h"
#include "pipeline/served_forecasts.h"
#include "pipeline/service.h"
#include "pipeline/unseen_series.h"
#include "pipeline/workspace.h"

namespace tillcast::pipeline {

/// Stored forecasts from memory. All stored results of one moment are one immutable snapshot, read on first
/// use and exchanged as a whole when a write is done; an answer is computed from one snapshot, so it never
/// mixes runs. Readers never wait for the next snapshot. Thread-safe.
class ForecastReader {
 public:
  /// @param computed_max  periods that one request may have computed, see kComputedPeriodsMax
  explicit ForecastReader(Workspace& workspace, std::size_t computed_max = kComputedPeriodsMax)
      : workspace_(workspace), computed_max_(computed_max) {}

  Result<std::shared_ptr<const SeriesCatalog>> catalog();
  /// A series with its history up to its last period. kNotFound for an unknown id.
  Result<SeriesForecast> series(const std::string& series_id, std::vector<HistoryPoint>& history);
  /// One answer per item; see Service::forecast. Up to the stored horizon a hash look-up; beyond it, the
  /// points that are stored and then those of the version's fitted models (ServedForecasts).
  Result<std::vector<Result<SeriesForecast>>> forecast(const ForecastRequest& request);

  /// See Service::explain.
  Result<SeriesExplanation> explain(const ExplainRequest& request);

  /// For the writer, when it is done: readers get what it wrote from here on. Does nothing before the first
  /// read.
  void refresh();
  /// Counts the snapshots that readers get; changes after their data can be read.
  std::int64_t version() const;

 private:
  struct Snapshot {
    std::int64_t version = 0;
    std::shared_ptr<const SeriesCatalog> catalog;
    std::unique_ptr<SeriesShelf> shelf;
    std::unique_ptr<ServedForecasts> served;
    std::unique_ptr<UnseenSeries> unseen;
    std::unique_ptr<QuantileAnswers> quantiles;
  };
  Result<std::shared_ptr<const Snapshot>> current();
  Result<std::shared_ptr<const Snapshot>> load();
  class Computing;
  Result<SeriesForecast> forecast_one(const Snapshot& snapshot, const ForecastItem& item,
                                      const ForecastRequest& request, Computing& computing);

  Workspace& workspace_;
  std::atomic<std::int64_t> published_{0};  ///< the workspace's version when the last write was done
  const std::size_t computed_max_;
  std::mutex loading_;
  std::atomic<std::shared_ptr<const Snapshot>> snapshot_;
};

/// The error for an id that is not among the stored series.
Error unknown_series(const std::string& series_id);

}  // namespace tillcast::pipeline
