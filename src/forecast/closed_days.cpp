#include "forecast/closed_days.h"

#include <algorithm>
#include <array>
#include <vector>

namespace tillcast::forecast {
namespace {

constexpr std::int32_t kDaysLookedAt = 26 * 7;
constexpr double kClosedShareMax = 0.05;
constexpr double kOpenShareMin = 0.95;

std::size_t weekday_of(std::int32_t day) { return static_cast<std::size_t>(iso_weekday(Date{day}) - 1); }

}  // namespace

void mark_closed_days(std::span<Series> series, std::span<const Date> traded) {
  if (traded.size() < 8) return;
  const std::int32_t first = traded.front().days;
  const std::int32_t last = traded.back().days;
  std::vector<std::uint8_t> has_trade(static_cast<std::size_t>(last - first + 1), 0);
  for (const Date day : traded) has_trade[static_cast<std::size_t>(day.days - first)] = 1;

  std::array<int, 7> seen{};
  std::array<int, 7> sold{};
  for (std::int32_t day = std::max(first, last - kDaysLookedAt + 1); day <= last; ++day) {
    ++seen[weekday_of(day)];
    sold[weekday_of(day)] += has_trade[static_cast<std::size_t>(day - first)];
  }
  std::array<bool, 7> closed_weekday{};
  int open_seen = 0;
  int open_sold = 0;
  for (std::size_t weekday = 0; weekday < 7; ++weekday) {
    closed_weekday[weekday] = seen[weekday] >= 4 && sold[weekday] <= kClosedShareMax * seen[weekday];
    if (closed_weekday[weekday]) continue;
    open_seen += seen[weekday];
    open_sold += sold[weekday];
  }
  const bool holidays_show = open_seen > 0 && open_sold >= kOpenShareMin * open_seen;

  for (Series& one : series) {
    if (one.grain != Grain::kDaily || !one.open.empty()) continue;
    one.open.assign(one.size(), 1);
    for (std::size_t i = 0; i < one.size(); ++i) {
      const std::int32_t day = one.start.days + static_cast<std::int32_t>(i);
      if (day < first || day > last || has_trade[static_cast<std::size_t>(day - first)] != 0) continue;
      if (!closed_weekday[weekday_of(day)] && !holidays_show) continue;
      one.open[i] = 0;
      one.masked[i] = 1;
    }
  }
}

}  // namespace tillcast::forecast
