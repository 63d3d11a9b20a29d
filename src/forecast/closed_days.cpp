#include "forecast/closed_days.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

namespace tillcast::forecast {
namespace {

constexpr std::int32_t kDaysLookedAt = 26 * 7;
constexpr double kClosedShareMax = 0.05;
constexpr double kOpenShareMin = 0.95;

std::size_t weekday_of(std::int32_t day) { return static_cast<std::size_t>(iso_weekday(Date{day}) - 1); }

/// When a shop, or the company, traded, and what that says of the other days.
class TradedDays {
 public:
  explicit TradedDays(std::span<const Date> traded)
      : first_(traded.front().days),
        last_(traded.back().days),
        traded_(static_cast<std::size_t>(last_ - first_ + 1), 0) {
    for (const Date day : traded) traded_[static_cast<std::size_t>(day.days - first_)] = 1;
    std::array<int, 7> seen{};
    std::array<int, 7> sold{};
    for (std::int32_t day = std::max(first_, last_ - kDaysLookedAt + 1); day <= last_; ++day) {
      ++seen[weekday_of(day)];
      sold[weekday_of(day)] += traded_[static_cast<std::size_t>(day - first_)];
    }
    int open_seen = 0;
    int open_sold = 0;
    for (std::size_t weekday = 0; weekday < 7; ++weekday) {
      closed_weekday_[weekday] = seen[weekday] >= 4 && sold[weekday] <= kClosedShareMax * seen[weekday];
      if (closed_weekday_[weekday]) continue;
      open_seen += seen[weekday];
      open_sold += sold[weekday];
    }
    holidays_show_ = open_seen > 0 && open_sold >= kOpenShareMin * open_seen;
  }
  /// A day without trade tells of a closing, and not of few sales.
  bool holidays_show() const { return holidays_show_; }
  bool is_closed(std::int32_t day) const {
    if (day < first_ || day > last_ || traded_[static_cast<std::size_t>(day - first_)] != 0) return false;
    return holidays_show_ || closed_weekday_[weekday_of(day)];
  }

 private:
  std::int32_t first_;
  std::int32_t last_;
  std::vector<std::uint8_t> traded_;
  std::array<bool, 7> closed_weekday_{};
  bool holidays_show_ = false;
};

constexpr std::size_t kTradedMin = 8;

void close(Series& series, std::size_t at) {
  series.open[at] = 0;
  series.masked[at] = 1;
}

/// Where it is known which days were open, a masked day may be one on which the shelf was empty.
bool was_closed(const History& history, std::size_t at) {
  const int open = at < history.open.size() ? history.open[at] : -1;
  return open >= 0 ? open == 0 : history.masked[at] != 0;
}

}  // namespace

void mark_closed_days(std::span<Series> series, std::span<const Date> traded) {
  if (traded.size() < kTradedMin) return;
  const TradedDays days(traded);
  for (Series& one : series) {
    if (one.grain != Grain::kDaily || !one.open.empty()) continue;
    one.open.assign(one.size(), 1);
    for (std::size_t i = 0; i < one.size(); ++i)
      if (days.is_closed(one.start.days + static_cast<std::int32_t>(i))) close(one, i);
  }
}

void mark_closed_named_days(std::span<Series* const> series, std::span<const Date> traded) {
  if (traded.size() < kTradedMin) return;
  const TradedDays days(traded);
  if (!days.holidays_show()) return;
  for (Series* const one : series) {
    if (!one->named_days) continue;
    for (const NamedDay& day : one->named_days->days) {
      const std::int64_t at = day.date.days - one->start.days;
      if (at < 0 || at >= static_cast<std::int64_t>(std::min(one->size(), one->open.size()))) continue;
      if (days.is_closed(day.date.days)) close(*one, static_cast<std::size_t>(at));
    }
  }
}

std::optional<bool> closed_by_weekday(const History& history, std::size_t at) {
  constexpr std::size_t kOccurrences = 26;
  constexpr std::size_t kOccurrencesMin = 4;
  const std::size_t n = history.size();
  std::size_t seen = 0;
  std::size_t closed = 0;
  const auto count = [&](std::size_t day) {
    if (day >= n) return;
    ++seen;
    closed += was_closed(history, day) ? 1 : 0;
  };
  for (std::size_t day = at; day >= 7 && seen < kOccurrences;) count(day -= 7);
  if (seen < kOccurrencesMin)
    for (std::size_t day = at + 7; day < n && seen < kOccurrences; day += 7) count(day);
  if (seen < kOccurrencesMin) return std::nullopt;
  return closed * 20 >= seen * 19;
}

namespace {

/// What a day of the history says of its name: closed, open, or nothing.
std::optional<bool> closed_by_itself(const History& history, std::size_t at) {
  if (!was_closed(history, at)) return false;
  if (closed_by_weekday(history, at) != false) return std::nullopt;
  const auto closed_too = [&](std::size_t day) { return day < history.size() && was_closed(history, day); };
  const bool weeks = closed_too(at - 7) && (closed_too(at + 7) || closed_too(at - 14));
  return weeks ? std::nullopt : std::optional(true);
}

bool was_always_closed(const History& history, std::int32_t name) {
  std::size_t own = 0;
  std::size_t of_all = 0;
  bool all_closed = true;
  for (std::size_t i = 0; i < history.named_days_traded.size(); ++i) {
    const NamedDay& day = history.named_days[i];
    if (day.name != name) continue;
    if (day.date >= history.start) {
      const auto said =
          closed_by_itself(history, static_cast<std::size_t>(day.date.days - history.start.days));
      if (said == false) return false;
      if (said) ++own;
    }
    const int traded = history.named_days_traded[i];
    if (traded >= 0) ++of_all;
    all_closed = all_closed && traded <= 0;
  }
  return own > 0 || (of_all > 0 && all_closed);
}

}  // namespace

bool closed_by_name(const History& history, std::size_t at) {
  const Date date{history.start.days + static_cast<std::int32_t>(at)};
  const auto same = std::ranges::equal_range(history.named_days, date, {}, &NamedDay::date);
  return std::ranges::any_of(same, [&](const NamedDay& day) { return was_always_closed(history, day.name); });
}

void share_named_days(std::span<Series> series, std::span<const std::shared_ptr<NamedDays>> places) {
  std::map<std::pair<Date, std::int32_t>, std::int8_t> traded;
  for (std::size_t i = 0; i < series.size(); ++i) {
    Series& one = series[i];
    one.named_days = places[i];
    if (one.grain != Grain::kDaily || !one.refused.empty()) continue;
    History history;
    history.start = one.start;
    history.open = one.open;
    for (const NamedDay& day : places[i]->days) {
      if (day.date < one.start || day.date >= one.date_at(one.size())) continue;
      const auto at = static_cast<std::size_t>(day.date.days - one.start.days);
      // What came later must not tell an origin in between.
      history.value = std::span(one.value).first(at + 1);
      history.masked = std::span(one.masked).first(at + 1);
      const auto closed = closed_by_itself(history, at);
      if (!closed) continue;
      std::int8_t& all = traded.try_emplace({day.date, day.name}, std::int8_t{0}).first->second;
      if (!*closed) all = 1;
    }
  }
  for (const auto& place : places) {
    if (place->traded.size() == place->days.size()) continue;  // shared, and filled already
    place->traded.assign(place->days.size(), -1);
    for (std::size_t i = 0; i < place->days.size(); ++i) {
      const auto at = traded.find({place->days[i].date, place->days[i].name});
      if (at != traded.end()) place->traded[i] = at->second;
    }
  }
}

}  // namespace tillcast::forecast
