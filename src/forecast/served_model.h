#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "forecast/explain.h"
#include "forecast/fitted_model.h"

namespace tillcast::forecast {

/// What one of the models behind a forecast says of the periods ahead.
struct MemberForecast {
  ModelId model = ModelId::kZero;
  double weight = 1;
  std::vector<double> steps;             ///< as it is served: closed periods are 0, never negative
  std::vector<ForecastParts> explained;  ///< when asked for: one per step, adding up to it
};

/// The series of a plan at one cut, with drivers known far ahead, for models that look at all of them.
struct PlanInput {
  std::vector<std::string> ids;
  std::vector<Series> series;
  std::vector<AttributeColumn> attributes;
};

/// The fitted models of one version, read once, to forecast and explain single series without a fit.
/// Thread-safe: panels are prepared once for each horizon and kept.
class ServedModel {
 public:
  /// @param known  models of all series that the version may have used; the pooled ones need not be named
  /// @param input  the plan's series; nullptr when they do not fit into memory: models that look at all of
  /// them then decline
  static Result<std::shared_ptr<const ServedModel>> create(FittedRun fitted,
                                                           std::span<const PanelCandidate> known,
                                                           std::shared_ptr<const PlanInput> input);

  /// What the version knows of a series; nullptr when it does not, or when its history begins elsewhere now.
  const FittedSeries* find(std::string_view id, const Series& series) const;
  /// Position of a series in the input; none without an input that has it.
  std::optional<std::size_t> place(std::string_view id) const;
  /// Forecasts of every model behind the forecast of a series, with the version's parameters and weights; the
  /// forecast is their weighted sum, up to the scaling of blends to their total. Costs one filter pass.
  /// @param explanation  of the series and `horizon` steps: MemberForecast::explained is filled; nullptr =
  /// not
  /// @return kNotFound when the version does not know the series, kInvalidInput when one of its models
  /// declines
  Result<std::vector<MemberForecast>> members(const std::string& id, const Series& series,
                                              std::size_t horizon,
                                              const HistoryExplanation* explanation) const;
  /// How far blends are scaled to the forecast of their sum.
  double total_share() const { return fitted_.total_share; }

 private:
  struct Prepared {
    std::map<ModelId, Result<std::shared_ptr<const PreparedPanel>>> panels;
    std::map<std::size_t, std::size_t> member_of;  ///< position of a series in the run -> in the panel
  };
  std::shared_ptr<const Prepared> prepare(std::size_t horizon) const;
  Result<MemberForecast> panel_member(const std::string& id, const FittedMember& which, const Series& series,
                                      const BacktestOptions& options,
                                      const HistoryExplanation* explanation) const;

  FittedRun fitted_;
  std::unordered_map<std::string_view, const FittedSeries*> by_id_;
  std::map<ModelId, std::shared_ptr<const FittedPanel>> panels_;
  std::shared_ptr<const PlanInput> input_;
  std::unordered_map<std::string_view, std::size_t> place_of_;
  mutable std::mutex mutex_;
  struct Kept {
    std::shared_ptr<const Prepared> panels;
    std::uint64_t used = 0;  ///< when last
  };
  mutable std::map<std::size_t, Kept> prepared_;  ///< by horizon; guarded
  mutable std::uint64_t prepared_uses_ = 0;       ///< guarded
};

}  // namespace tillcast::forecast
