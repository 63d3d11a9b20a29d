#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "pipeline/quantile_tables.h"
#include "pipeline/service.h"
#include "pipeline/settings.h"
#include "pipeline/workspace.h"

namespace tillcast::pipeline {

/// All stored forecasts of a data directory in memory: a read is one hash look-up. Immutable once made, so
/// one catalogue serves all threads while the next is loaded.
class SeriesCatalog {
 public:
  /// Reads the forecast tables as they are at one moment; an empty catalogue when there are none yet.
  static Result<std::shared_ptr<const SeriesCatalog>> load(Workspace& workspace);

  /// nullptr for an unknown id.
  const SeriesForecast* find(std::string_view id) const;
  /// The quantiles of a series that find() gave; without shares where none are stored.
  const StoredQuantiles& quantiles(const SeriesForecast& found) const {
    return quantiles_[static_cast<std::size_t>(&found - series_.data())];
  }
  /// The error windows of a plan.
  std::span<const forecast::ErrorWindows> windows(const std::string& plan) const;
  /// The plan behind a series.
  const ForecastPlan* plan(const std::string& name) const;
  /// kNotFound naming the plans there are; none for the empty name.
  Result<> check_plan(const std::string& plan) const;
  Result<SeriesPage> page(const SeriesRequest& request) const;
  /// See Service::predictions. @param self  the owner of this catalogue, for the page to keep.
  Result<PredictionPage> predictions(const PredictionRequest& request,
                                     std::shared_ptr<const SeriesCatalog> self) const;
  /// The stored series of a plan, groups of its levels included, largest first.
  std::vector<const SeriesForecast*> series_of(const std::string& plan) const;
  /// Whether groups above its series are stored too.
  bool has_levels(const std::string& plan) const;
  /// Periods of history of all series of a plan together.
  std::size_t periods(const std::string& plan) const;
  std::size_t size() const { return series_.size(); }
  /// Changes whenever any stored run changes.
  const std::string& version() const { return version_; }

 private:
  /// Reads all tables inside one transaction: never runs of one write beside points of the next.
  Result<> fill(database::Connection& inside);
  /// Shares and error windows. @return the most shares that one series has
  Result<std::size_t> fill_quantiles(database::Connection& inside);

  std::string cursor_at(std::size_t place) const;
  /// kInvalidInput for what is no cursor, and for one of other runs.
  Result<std::size_t> place_of(const std::string& cursor) const;
  std::vector<SeriesForecast> series_;      ///< totals, then by plan, largest total first
  std::vector<StoredQuantiles> quantiles_;  ///< of each
  std::map<std::string, std::vector<forecast::ErrorWindows>> windows_;
  std::unordered_map<std::string_view, std::size_t> by_id_;
  std::map<std::string, ForecastPlan> plans_;
  std::string version_;
};

/// The error for a plan that is not among `known`.
Error unknown_plan(const std::string& plan, std::span<const std::string> known);

}  // namespace tillcast::pipeline
