#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/result.h"
#include "forecast/series.h"
#include "pipeline/series_catalog.h"
#include "pipeline/workspace.h"

namespace tillcast::pipeline {

/// Histories with their drivers, kept in memory for the readers of one catalogue: read from gold when first
/// asked for, a whole plan at once when it fits, else series by series; least recently used first out beyond
/// `bytes_max`. Thread-safe; one thread reads from the database at a time, and the others find what it
/// brought.
class SeriesShelf {
 public:
  SeriesShelf(Workspace& workspace, std::shared_ptr<const SeriesCatalog> catalog, std::size_t bytes_max);

  /// The series behind a stored forecast, its values cut at the last period of that forecast, with the
  /// drivers known for up to 366 periods more. kNotFound when gold has it no longer.
  Result<std::shared_ptr<const forecast::Series>> find(const SeriesForecast& stored);

 private:
  using Series = std::shared_ptr<const forecast::Series>;
  struct Kept {
    std::string id;
    Series series;
    std::size_t bytes = 0;
  };
  Series kept(std::string_view id);
  void keep(const std::string& id, forecast::Series series);
  Result<void> load(const SeriesForecast& stored);

  Workspace& workspace_;
  std::shared_ptr<const SeriesCatalog> catalog_;
  std::size_t bytes_max_;
  std::mutex loading_;
  std::set<std::string> plans_loaded_;  ///< as a whole; guarded by loading_
  mutable std::mutex mutex_;            ///< guards what follows
  std::size_t bytes_ = 0;
  std::list<Kept> order_;  ///< most recently used first
  std::unordered_map<std::string_view, std::list<Kept>::iterator> by_id_;
};

}  // namespace tillcast::pipeline
