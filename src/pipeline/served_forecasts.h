#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "forecast/served_model.h"
#include "pipeline/series_catalog.h"
#include "pipeline/series_shelf.h"
#include "pipeline/service.h"
#include "pipeline/workspace.h"

namespace tillcast::pipeline {

/// What the versions behind one catalogue say beyond what is stored: longer forecasts, and why a forecast is
/// what it is. Versions and, where they fit into memory, whole plans are read when first needed, and kept.
/// Thread-safe.
class ServedForecasts {
 public:
  /// @param bytes_max  a plan whose series would take more is not kept as a whole
  ServedForecasts(Workspace& workspace, std::shared_ptr<const SeriesCatalog> catalog, SeriesShelf& shelf,
                  std::size_t bytes_max);

  /// The stored points, then those of the version's fitted models at the same size, without a fit. Where the
  /// version cannot say so much (a model that needs drivers nobody knows) the series is fitted anew, and the
  /// extension says so. A group of a level is the sum of its series, unless they are too many for one answer.
  Result<SeriesForecast> extend(const SeriesForecast& stored, std::size_t periods);
  /// Periods that `extend` computes, kRefitFactor times as many for what it has to fit anew, as far as that
  /// is known before.
  std::size_t cost(const SeriesForecast& stored, std::size_t periods);
  /// See Service::explain.
  Result<SeriesExplanation> explain(const SeriesForecast& stored, const ExplainRequest& request);

 private:
  struct Source {
    std::shared_ptr<const forecast::ServedModel> model;
    std::shared_ptr<const forecast::PlanInput> input;  ///< nullptr when it does not fit
  };
  Result<> of_version(const SeriesForecast& stored) const;
  using Members = std::vector<const SeriesForecast*>;
  Result<Members> members_of(const SeriesForecast& group);
  std::size_t cost_of(const Members& members, std::size_t periods) const;
  Result<std::vector<ForecastPoint>> summed_points(const SeriesForecast& group, std::size_t periods);
  Result<Source> source_of(const SeriesForecast& stored);
  Result<std::shared_ptr<const forecast::PlanInput>> input_of(const ForecastPlan& plan);
  Result<std::shared_ptr<const forecast::Series>> series_of(const SeriesForecast& stored,
                                                            const Source& source);
  Result<std::vector<ForecastPoint>> served_points(const SeriesForecast& stored, std::size_t periods);
  Result<SeriesForecast> refit(const SeriesForecast& stored, std::size_t periods, const std::string& reason);

  Workspace& workspace_;
  std::shared_ptr<const SeriesCatalog> catalog_;
  SeriesShelf& shelf_;
  std::size_t bytes_max_;
  std::mutex mutex_;  ///< guards what follows; held while it is read
  std::map<std::string, std::shared_ptr<const forecast::PlanInput>> inputs_;
  std::map<std::pair<std::string, int>, std::shared_ptr<const forecast::ServedModel>> models_;
  std::map<std::string, std::map<std::string, Members>> groups_;  ///< by plan, by id
};

}  // namespace tillcast::pipeline
