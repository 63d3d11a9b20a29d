#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <tuple>

#include "core/result.h"
#include "forecast/path_ranks.h"
#include "pipeline/series_catalog.h"
#include "pipeline/service.h"

namespace tillcast::pipeline {

/// Whether a request asks for anything that this file answers; nothing here is touched otherwise.
inline bool asks_quantiles(const ForecastRequest& request) {
  return request.sum || !request.quantiles.empty();
}

/// kInvalidInput naming the share that is out of bounds, or the size that is too large.
/// @param points  of all answers together
Result<> check_quantiles(const ForecastRequest& request, std::size_t points);

/// Quantiles and sums of the forecasts of one catalogue. Thread-safe.
class QuantileAnswers {
 public:
  explicit QuantileAnswers(std::shared_ptr<const SeriesCatalog> catalog) : catalog_(std::move(catalog)) {}

  /// Fills quantile_shares, quantiles and sum of an answer. Shares between the stored ones are taken from a
  /// straight line. A point beyond the stored horizon has the shape of the last stored season between its own
  /// bounds.
  /// @param stored  what the catalogue has of the series
  /// @param places  of the answer's points, in periods after the first that is forecast
  /// @return kInvalidInput when the plan keeps no quantiles or none so far out
  Result<> add(const SeriesForecast& stored, const ForecastRequest& request,
               std::span<const std::size_t> places, SeriesForecast& answer);

 private:
  using RanksKey =
      std::tuple<std::string, std::string, std::string, std::size_t>;  // plan, level, class, steps
  std::shared_ptr<const forecast::PathRanks> ranks_for(const SeriesForecast& stored, std::size_t steps);
  Result<ForecastSum> sum_of(const SeriesForecast& stored, const StoredQuantiles& quantiles,
                             std::span<const float> values, std::span<const std::size_t> places,
                             const ForecastRequest& request, const SeriesForecast& answer);

  std::shared_ptr<const SeriesCatalog> catalog_;
  std::mutex mutex_;
  std::map<RanksKey, std::shared_ptr<const forecast::PathRanks>> ranks_;
};

}  // namespace tillcast::pipeline
