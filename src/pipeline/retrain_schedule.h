#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/civil_time.h"
#include "core/result.h"

namespace tillcast::pipeline {

/// When forecasts are trained again by themselves; the setting `forecast.retrain`. All times are UTC.
///   "daily 03:00", "weekly monday 03:00", "every 24h" (s, m, h or d), "" = never.
class RetrainSchedule {
 public:
  /// kInvalidInput says what was expected. Pure.
  static Result<RetrainSchedule> parse(std::string_view text);

  bool enabled() const { return period_micros_ > 0; }
  /// The newest moment in (after, now] at which a training was due, or `after` when there was none. However
  /// many were missed, the answer is one: the newest. Pure.
  Timestamp newest_due(Timestamp after, Timestamp now) const;

 private:
  std::int64_t period_micros_ = 0;  ///< 0 = never
  std::int64_t offset_micros_ = 0;  ///< of a moment that is due, from 1970-01-01T00:00Z
  bool from_last_ = false;          ///< "every": counted from the last one instead
};

}  // namespace tillcast::pipeline
