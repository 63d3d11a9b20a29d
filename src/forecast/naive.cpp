#include "forecast/naive.h"

#include <algorithm>
#include <limits>

namespace tillcast::forecast {

int average_window(Grain grain) {
  switch (grain) {
    case Grain::kDaily:
      return 28;
    case Grain::kWeekly:
      return 8;
    case Grain::kMonthly:
      return 3;
  }
  return 28;
}

void moving_average(const History& history, int window, std::span<double> out) {
  double sum = 0;
  int seen = 0;
  for (std::size_t i = history.size(); i-- > 0 && seen < window;) {
    if (history.masked[i] != 0) continue;
    sum += history.value[i];
    ++seen;
  }
  std::ranges::fill(out, seen > 0 ? sum / seen : 0.0);
}

void naive(const History& history, std::span<double> out) { moving_average(history, 1, out); }

void historical_mean(const History& history, std::span<double> out) {
  moving_average(history, std::numeric_limits<int>::max(), out);
}

void seasonal_naive(const History& history, int season, std::span<double> out) {
  seasonal_average(history, season, 1, out);
}

void seasonal_average(const History& history, int season, int window, std::span<double> out) {
  const std::size_t n = history.size();
  const auto period = static_cast<std::size_t>(std::max(season, 1));
  moving_average(history, static_cast<int>(period), out);
  for (std::size_t step = 0; step < out.size(); ++step) {
    if (step >= period) {
      out[step] = out[step - period];
      continue;
    }
    // The first candidate lies in the last season before the forecast; older seasons follow.
    double sum = 0;
    int seen = 0;
    for (std::size_t back = period - step; back <= n && seen < window; back += period) {
      if (history.masked[n - back] != 0) continue;
      sum += history.value[n - back];
      ++seen;
    }
    if (seen > 0) out[step] = sum / seen;
  }
}

}  // namespace tillcast::forecast
