#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "forecast/backtest.h"
#include "forecast/model.h"

namespace tillcast::forecast::test {

/// Numerical Recipes' linear congruential generator, as shares of 2^32; the same in
/// scripts/make_forecast_references.py.
class Noise {
 public:
  explicit Noise(std::uint32_t seed) : state_(seed) {}
  double operator()() {
    state_ = 1664525U * state_ + 1013904223U;
    return static_cast<double>(state_) / 4294967296.0;
  }

 private:
  std::uint32_t state_;
};

constexpr std::array<double, 7> kWeek = {0.8, 0.9, 1.0, 1.1, 1.3, 1.5, 0.6};
constexpr std::array<double, 12> kYear = {0.7, 0.75, 0.9, 0.95, 1.0, 1.05, 1.0, 0.95, 1.0, 1.1, 1.2, 1.4};

/// "weekly", "monthly", "rare", "walk" or "twice", as the reference script makes them.
inline std::vector<double> reference_series(const std::string& name) {
  std::vector<double> values;
  if (name == "weekly") {
    Noise u(1);
    for (std::size_t t = 0; t < 210; ++t)
      values.push_back((50 + 0.1 * static_cast<double>(t)) * kWeek[t % 7] * (0.9 + 0.2 * u()));
  } else if (name == "monthly") {
    Noise u(2);
    for (std::size_t t = 0; t < 96; ++t)
      values.push_back((200 + 1.5 * static_cast<double>(t)) * kYear[t % 12] * (0.95 + 0.1 * u()));
  } else if (name == "twice") {
    Noise u(5);
    for (std::size_t t = 0; t < 420; ++t)
      values.push_back(100 + 0.05 * static_cast<double>(t) + 20 * kWeek[t % 7] + 40 * kYear[t / 5 % 12] +
                       8 * u());
  } else if (name == "rare") {
    Noise u(3);
    for (std::size_t t = 0; t < 120; ++t) {
      const bool sold = u() < 0.3;
      const double size = u();
      values.push_back(sold ? 1.0 + static_cast<int>(5 * size) : 0.0);
    }
  } else {
    Noise u(4);
    double level = 100;
    for (std::size_t t = 0; t < 80; ++t) {
      level += 10 * (u() - 0.5);
      values.push_back(level);
    }
  }
  return values;
}

/// A daily series that starts on a Monday.
inline Series daily_series(std::vector<double> values) {
  Series series;
  series.start = date_from_civil(2024, 1, 1);
  series.masked.assign(values.size(), 0);
  series.value = std::move(values);
  return series;
}

/// Days of a shop: weekday pattern, a promotion every other week worth 40 %, closed on Sundays, noise.
inline Series shop_series(std::size_t days, std::size_t days_ahead, std::uint32_t seed) {
  Series series;
  series.start = date_from_civil(2023, 1, 2);
  Noise u(seed);
  const double level = 500 + 1000 * u();
  for (std::size_t t = 0; t < days + days_ahead; ++t) {
    const bool closed = t % 7 == 6;
    const bool promoted = (t / 7) % 2 == 0 && !closed;
    series.open.push_back(closed ? 0 : 1);
    series.promotion.push_back(promoted ? 1 : 0);
    const double noise = 0.85 + 0.1 * (u() + u() + u());
    if (t >= days) continue;
    series.masked.push_back(closed ? 1 : 0);
    series.value.push_back(closed ? 0 : level * kWeek[t % 7] * (promoted ? 1.4 : 1.0) * noise);
  }
  return series;
}

/// A history that owns nothing; the series must outlive it.
inline History whole_history(const Series& series, std::size_t horizon = 0) {
  BacktestOptions options;
  options.horizon = horizon;
  return history_at(series, series.size(), options);
}

}  // namespace tillcast::forecast::test
