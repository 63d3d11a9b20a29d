#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "forecast/accuracy.h"
#include "forecast/model.h"
#include "forecast/outliers.h"
#include "forecast/series.h"

namespace tillcast::forecast {

struct BacktestOptions {
  std::size_t horizon = 1;   ///< periods forecast at each origin
  std::size_t gap = 0;       ///< periods between the origin and the first one forecast
  std::size_t origins = 3;   ///< at most so many, as far as the history reaches
  std::size_t step = 0;      ///< periods from one origin to the next; 0 = the horizon
  int season = 0;            ///< periods in a season; 0 = by grain
  bool refit = false;        ///< estimate parameters at every origin instead of at the oldest alone
  bool non_negative = true;  ///< demand: forecasts below 0 become 0
  OutlierOptions outliers;
};

/// Periods after the `observed` ones up to the last whose driver is known: NaN at the end is none.
std::size_t known_ahead(std::span<const float> driver, std::size_t observed);

/// The part of a series that is known at an origin: `end` periods, and as many future drivers as are known at
/// the series' own end. The only place where history is cut; a model gets nothing else.
History history_at(const Series& series, std::size_t end, const BacktestOptions& options);

/// The steps of a forecast that are known or inferred to be closed: `open` is 0, or, where it is unknown, the
/// weekday (closed_by_weekday) or a named holiday (closed_by_name) is closed. One byte per step.
std::vector<std::uint8_t> closed_steps(const History& history, std::size_t steps);

/// Makes raw forecasts of the steps after a history what is served: closed steps are 0, demand is never
/// negative.
/// @return false when a value is not finite; `out` is then unusable.
bool serve_steps(const History& history, bool non_negative, std::span<double> out);

/// One model's forecast of gap + horizon steps as it is served: closed steps are 0, demand is never negative.
/// @param fitted  parameters of this or an earlier origin
/// @return false when a value is not finite; `out` is then unusable.
bool predict_steps(const Model& which, const History& history, const Parameters& fitted, bool non_negative,
                   std::span<double> out);

/// Whether a forecast of a period is judged: where its value may be learnt from; and on a closed day that was
/// forecast open, against 0. A closed day that was forecast closed counts nowhere.
bool is_scored(const Series& series, std::size_t at, double forecast);

/// One series forecast from earlier origins by each model.
struct SeriesBacktest {
  DemandClass demand_class = DemandClass::kNone;      ///< class_at_newest_origin()
  DemandClass demand_class_now = DemandClass::kNone;  ///< of all days
  std::vector<std::size_t> ends;                      ///< periods known at each origin, newest origin first
  std::vector<ModelId> models;                        ///< as asked
  std::vector<std::string> refused;                   ///< per model: why it was left out, empty when it ran
  std::size_t horizon = 0;
  std::size_t gap = 0;
  double scale = 0;              ///< mean |seasonal difference| before the oldest origin, for MASE
  ErrorScale scales;             ///< all scales before the oldest origin; seasonal is `scale`
  std::vector<float> forecasts;  ///< [model][origin][step after the gap]

  std::span<const float> forecast(std::size_t model_at, std::size_t origin) const {
    return std::span(forecasts).subspan((model_at * ends.size() + origin) * horizon, horizon);
  }
  /// The class that a choice made on origins [first, all) may know: the one from 0 on is made after the last
  /// day, that from 1 on is judged on the newest origin.
  DemandClass class_from(std::size_t first) const { return first == 0 ? demand_class_now : demand_class; }
  /// Period that a step of an origin is about.
  std::size_t period(std::size_t origin, std::size_t step) const { return ends[origin] + gap + step; }
  /// Accuracy of a model over origins [first, last).
  Accuracy accuracy(const Series& series, std::size_t model_at, std::size_t first, std::size_t last) const;
};

/// Periods that must be known at the oldest origin: two seasons, within 8 to 28.
std::size_t history_min(const History& history);

/// The demand class by the days up to the newest origin of the back-test, so that what is chosen there knows
/// nothing of the days it is judged on; by all days where the history is too short for an origin.
DemandClass class_at_newest_origin(const Series& series, const BacktestOptions& options);

/// Rolling-origin back-test (Tashman 2000, Int. J. Forecasting 16(4)) on the code path of the final forecast.
/// Parameters are estimated at the oldest origin and the newer ones only filter with them, unless
/// options.refit. No origins (`ends` empty) when the series is too short. Pure, thread-safe.
SeriesBacktest backtest(const Series& series, std::span<const ModelId> models,
                        const BacktestOptions& options);

}  // namespace tillcast::forecast
