#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "core/result.h"
#include "forecast/forecast.h"

namespace tillcast::forecast {

/// A known series of a plan, as an example for one that was never seen.
struct KnownSeries {
  /// Codes of the parts of its key: store and product, or one of them and 0.
  std::array<int, 2> key{};
  std::vector<ForecastPoint> points;  ///< its forecast, the same periods for all
};

/// What is known of the key of a series that was never seen.
struct UnseenKey {
  /// The code of a part that other series have too; nullopt = new.
  std::array<std::optional<int>, 2> known{};
  /// For a new part: codes of that part with the attributes asked for; empty = all.
  std::array<std::vector<int>, 2> alike{};
};

/// The forecast of a series that was never seen.
struct UnseenForecast {
  std::vector<ForecastPoint> points;
  std::size_t examples = 0;  ///< known series whose errors gave the intervals
};

/// Forecasts of series without any history of their own from the forecasts of the known series of a plan.
///
/// The expected size of a series is the mean of all x an effect of its store x an effect of its product
/// (Poisson quasi-likelihood of a log-linear model by iterative proportional fitting, Deming & Stephan 1940;
/// effects of few series are drawn towards 1 by credibility, Bühlmann & Straub 1970). A new store or product
/// has the mean effect of all, or of those alike. Its course over the periods is that of its store and
/// product in proportion.
///
/// Intervals are honest about the size, which is what nobody knows of a new series: each example series is
/// forecast as if it were new in the same way, without its own sales, and its predictive distribution over
/// that forecast is one part of a mixture; bounds are quantiles of the mixture, with the finite-sample
/// correction over the examples.
///
/// Immutable after create(), thread-safe.
class UnseenPool {
 public:
  static constexpr std::size_t kSeriesMin = 5;
  /// kInvalidInput with fewer than kSeriesMin series, or when their forecasts differ in length.
  static Result<UnseenPool> create(std::vector<KnownSeries> known);

  UnseenForecast forecast(const UnseenKey& key) const;
  std::size_t steps() const { return steps_; }
  /// Positions of up to `count` series that a forecast for this key leans on most, spread evenly over them.
  std::vector<std::size_t> nearest(const UnseenKey& key, std::size_t count) const;

 private:
  struct Part {
    std::vector<double> sum;       ///< by code: sizes of its series
    std::vector<double> expected;  ///< by code: what the mean and the other part's effect say
    std::vector<double> effect;
    std::vector<std::size_t> series;  ///< by code: how many
    double doubt = 0;                 ///< series that it takes to trust an effect by half

    /// An effect of so many series, drawn towards 1.
    double drawn(double raw, double count) const;
  };
  void fit_effects();
  double doubt_of(std::size_t part) const;
  double effect_without(std::size_t part, std::size_t series) const;
  double new_effect(std::size_t part, std::span<const int> alike, std::optional<int> without) const;
  bool is_example(const UnseenKey& key, std::size_t series, bool same_known) const;
  std::vector<std::size_t> examples_of(const UnseenKey& key) const;
  std::vector<double> course_of(const UnseenKey& key) const;

  std::vector<KnownSeries> known_;
  std::vector<double> size_;  ///< by series: its mean per period
  std::array<Part, 2> parts_;
  std::size_t steps_ = 0;
  double mean_ = 0;
};

}  // namespace tillcast::forecast
