#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "core/progress.h"
#include "forecast/model.h"

namespace tillcast::forecast {

struct Interval {
  double lo80 = 0;
  double hi80 = 0;
  double lo95 = 0;
  double hi95 = 0;
};

/// What an interval depends on besides the forecast itself.
struct IntervalContext {
  DemandClass demand_class = DemandClass::kSmooth;
  std::size_t series = 0;  ///< position of the series, for its own spread
  std::size_t step = 0;    ///< 0 = first step of the horizon
  std::size_t origin = 0;  ///< of a residual: which origin it comes from
};

/// Prediction intervals from the residuals of a back-test: split conformal (Vovk, Gammerman & Shafer 2005;
/// Lei et al. 2018, J. Am. Stat. Assoc. 113) on residuals scaled by the size of the forecast and by the
/// spread of their series, so that residuals of all series of a class form one pool per part of the horizon.
/// Quantiles are empirical, asymmetric and take the finite-sample correction; nothing is Normal. Few
/// residuals: the pool widens from (class, part of the horizon) to class to everything.
///
/// All series of one origin share their weather and holidays, so a pool of 100,000 residuals is really a few
/// origins. What the residuals of an origin have in common in a part of the horizon, their median, might as
/// well have had the other sign: three origins that were all too low say little about the fourth. So every
/// residual enters twice, as it is and with its origin's common error turned round (not those of rare demand,
/// where zeros must stay what they are). Then each origin is held against the quantiles of the others
/// (cross-conformal, Vovk 2015, Ann. Math. Artif. Intell. 74, by origin) and the intervals are stretched
/// until the middle one of the origins would have been covered; a single odd one, such as Christmas, does not
/// widen all. Where origins have nothing in common none of this changes anything.
class IntervalCalibrator {
 public:
  /// @param series_count  series in the run; @param horizon  steps of a forecast
  IntervalCalibrator(std::size_t series_count, std::size_t horizon, bool non_negative);

  /// One residual of a back-test. `level` is the mean demand of the series' history, > 0.
  void add(const IntervalContext& context, double actual, double forecast, double level);
  /// Computes spreads and quantiles; no add() after it. Ends early, with quantiles that are none, when
  /// progress asked to stop.
  void finish(const Progress& progress);
  /// The intervals around a forecast: lo95 <= lo80 <= forecast <= hi80 <= hi95, never below 0 for demand.
  /// Before any residual all bounds equal the forecast; see residuals().
  Interval interval(const IntervalContext& context, double forecast, double level) const;
  /// Quantiles around a forecast at increasing shares in (0, 1), non-crossing, never below 0 for demand; the
  /// bounds of interval() are those at 2.5, 10, 90 and 97.5 %, held on their side of the forecast.
  void quantiles(const IntervalContext& context, double forecast, double level,
                 std::span<const double> shares, std::span<double> out) const;
  std::size_t residuals() const { return residual_count_; }
  /// True when the pool behind this class is too small for a 95 % statement (fewer than 39 residuals).
  bool thin(DemandClass demand_class) const;

 private:
  static constexpr std::size_t kParts = 4;  ///< parts of the horizon with quantiles of their own
  struct Residual {
    IntervalContext context;
    double scaled;
  };
  using Pool = std::vector<double>;  ///< scores, sorted, each residual twice
  /// In units of its series' spread.
  double score_of(const Residual& residual) const;
  /// Fills origin_error_.
  void find_origin_errors();
  void add_both(const Residual& residual, Pool& pool) const;
  /// Of the 80 and the 95 % interval, from the residuals of a class or of all.
  std::array<double, 2> find_stretch(std::optional<DemandClass> demand_class, const Progress& progress) const;
  std::size_t part_of(std::size_t step) const;
  double spread_of(const IntervalContext& context) const;
  const Pool& pool_for(const IntervalContext& context) const;

  std::size_t horizon_;
  bool non_negative_;
  bool finished_ = false;
  std::size_t residual_count_ = 0;
  std::vector<Residual> residuals_;  ///< until finish()
  std::vector<double> spread_;       ///< per series
  std::array<double, kDemandClassCount> class_spread_{};
  std::array<std::vector<std::array<double, kParts>>, kDemandClassCount> origin_error_;  ///< [origin][part]
  std::array<std::array<Pool, kParts>, kDemandClassCount> parts_;
  std::array<Pool, kDemandClassCount> classes_;
  Pool all_;
  std::array<std::array<double, 2>, kDemandClassCount> class_stretch_{};
  std::array<double, 2> all_stretch_{};
};

}  // namespace tillcast::forecast
