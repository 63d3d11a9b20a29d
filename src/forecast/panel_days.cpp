#include <algorithm>
#include <cmath>

#include "forecast/panel_days_internal.h"

namespace tillcast::forecast {
namespace {

void finish_stream(EventStream& stream) {
  const auto days = static_cast<int>(stream.on.size());
  const std::size_t size = stream.on.size();
  for (auto* each : {&stream.last_on, &stream.next_on, &stream.last_off, &stream.next_off, &stream.count})
    each->assign(size + (each == &stream.count ? 1 : 0), 0);
  std::int16_t on = -1;
  std::int16_t off = -1;
  for (std::size_t day = 0; day < size; ++day) {
    (stream.on[day] != 0 ? on : off) = static_cast<std::int16_t>(day);
    stream.last_on[day] = on;
    stream.last_off[day] = off;
    stream.count[day + 1] = static_cast<std::int16_t>(stream.count[day] + stream.on[day]);
  }
  on = off = EventStream::kNever;
  for (int day = days; day-- > 0;) {
    const auto at = static_cast<std::size_t>(day);
    (stream.on[at] != 0 ? on : off) = static_cast<std::int16_t>(day);
    stream.next_on[at] = on;
    stream.next_off[at] = off;
  }
  for (int day = 0; day < days; ++day) {
    const std::size_t position = position_near(stream, day, days);
    if (position + 1 == kPositions) continue;
    stream.near_day.push_back(static_cast<std::int16_t>(day));
    stream.near_position.push_back(static_cast<std::uint8_t>(position));
  }
}

/// A driver on the calendar: NaN where unknown.
template <class T>
std::vector<T> on_calendar(std::span<const T> from, int begin, const PanelCalendar& calendar, T missing) {
  std::vector<T> out(static_cast<std::size_t>(calendar.days()), missing);
  const std::size_t count = std::min(from.size(), out.size() - static_cast<std::size_t>(begin));
  std::copy_n(from.begin(), count, out.begin() + begin);
  return out;
}

int days_ahead(std::size_t known, std::size_t history) {
  return static_cast<int>(known > history ? known - history : 0);
}

/// A day on which a shop that is open on such weekdays is closed.
EventStream closings(const MemberDays& days, const PanelMember& member, const PanelCalendar& calendar,
                     std::vector<std::uint8_t>& closed) {
  EventStream stream;
  const std::size_t size = static_cast<std::size_t>(calendar.days());
  const std::vector<std::int8_t> open =
      on_calendar<std::int8_t>(member.history.open, days.begin, calendar, std::int8_t{-1});
  closed.assign(size, 0);
  stream.on.assign(size, 0);
  for (std::size_t day = 0; day < size; ++day) closed[day] = open[day] == 0 ? 1 : 0;
  for (auto day = static_cast<std::size_t>(days.begin); day < size; ++day) {
    if (closed[day] == 0) continue;
    int seen = 0;
    int shut = 0;
    for (int back = 1; back <= 26; ++back) {
      const int at = static_cast<int>(day) - 7 * back;
      if (at < days.begin) break;
      ++seen;
      shut += closed[static_cast<std::size_t>(at)];
    }
    stream.on[day] = seen == 0 || 2 * shut < seen ? 1 : 0;
  }
  stream.ahead = days_ahead(member.history.open.size(), member.history.size());
  return stream;
}

void find_long_closings(const std::vector<std::uint8_t>& closed, MemberDays& days) {
  const auto size = static_cast<int>(closed.size());
  days.long_closed.assign(closed.size(), 0);
  days.long_begin.assign(closed.size(), -1);
  days.long_end.assign(closed.size(), -1);
  std::int16_t last_begin = -1;
  std::int16_t last_end = -1;
  for (int day = 0; day < size;) {
    const auto at = static_cast<std::size_t>(day);
    if (closed[at] == 0) {
      days.long_begin[at] = last_begin;
      days.long_end[at] = last_end;
      ++day;
      continue;
    }
    int end = day;
    while (end < size && closed[static_cast<std::size_t>(end)] != 0) ++end;
    const bool is_long = end - day >= kLongClosing;
    if (is_long) {
      last_begin = static_cast<std::int16_t>(day);
      last_end = static_cast<std::int16_t>(end);
    }
    for (; day < end; ++day) {
      const auto within = static_cast<std::size_t>(day);
      days.long_closed[within] = is_long ? 1 : 0;
      days.long_begin[within] = last_begin;
      days.long_end[within] = last_end;
    }
  }
}

}  // namespace

PanelCalendar calendar_of(const Panel& panel, const PanelTask& task) {
  PanelCalendar calendar;
  calendar.first = panel.end.days;
  for (const PanelMember& member : panel.members)
    calendar.first = std::min(calendar.first, member.history.start.days);
  // Day numbers are 16 bits wide; eighty years are enough.
  calendar.first = std::max(calendar.first, panel.end.days - 30000);
  calendar.end = panel.end.days - calendar.first;
  calendar.steps = static_cast<int>(task.steps());
  for (int day = 0; day < calendar.days(); ++day) {
    const Date date{calendar.first + day};
    const CivilDate civil = civil_from_date(date);
    const Date next_month = date_from_civil(civil.month == 12 ? civil.year + 1 : civil.year,
                                            civil.month == 12 ? 1 : civil.month + 1, 1);
    calendar.weekday.push_back(static_cast<std::int8_t>(iso_weekday(date) - 1));
    calendar.day_of_month.push_back(static_cast<std::int8_t>(civil.day));
    calendar.days_left.push_back(static_cast<std::int8_t>(next_month.days - date.days - 1));
    calendar.month.push_back(static_cast<std::int8_t>(civil.month));
    calendar.day_of_year.push_back(
        static_cast<std::int16_t>(date.days - date_from_civil(civil.year, 1, 1).days + 1));
  }
  return calendar;
}

PanelShape shape_of(const Panel& panel) {
  PanelShape shape;
  for (const PanelMember& member : panel.members) {
    shape.promotion = shape.promotion || !member.history.promotion.empty();
    shape.open = shape.open || !member.history.open.empty();
    shape.price = shape.price || !member.history.price.empty();
    if (shape.drivers.empty()) {
      for (const DriverView& driver : member.drivers) {
        shape.drivers.emplace_back(driver.name);
        shape.kinds.push_back(driver.kind);
      }
    }
  }
  return shape;
}

MemberDays member_days(const PanelMember& member, const PanelCalendar& calendar, bool logarithm) {
  MemberDays days;
  const History& history = member.history;
  days.begin = std::max(history.start.days - calendar.first, 0);
  const auto skipped = static_cast<std::size_t>(calendar.first + days.begin - history.start.days);
  const std::size_t size = static_cast<std::size_t>(calendar.days());
  days.value.assign(size, std::nanf(""));
  for (std::size_t i = skipped; i < history.size(); ++i) {
    if (history.masked[i] != 0 || (logarithm && !(history.value[i] > 0))) continue;
    days.value[static_cast<std::size_t>(days.begin) + i - skipped] =
        static_cast<float>(logarithm ? std::log(history.value[i]) : std::max(history.value[i], 0.0));
  }
  days.seen.assign(size + 1, 0);
  for (std::size_t day = 0; day < size; ++day)
    days.seen[day + 1] = static_cast<std::int16_t>(days.seen[day] + (std::isnan(days.value[day]) ? 0 : 1));
  const auto rest = [&](auto span) { return span.empty() ? span : span.subspan(skipped); };
  if (!history.promotion.empty()) {
    days.promoted = on_calendar<std::int8_t>(rest(history.promotion), days.begin, calendar, std::int8_t{-1});
    days.promotion_ahead = days_ahead(history.promotion.size(), history.size());
  }
  if (!history.price.empty()) {
    days.price.assign(size, std::nanf(""));
    const auto prices = rest(history.price);
    for (std::size_t i = 0; i < prices.size() && static_cast<std::size_t>(days.begin) + i < size; ++i)
      days.price[static_cast<std::size_t>(days.begin) + i] = static_cast<float>(prices[i]);
    days.price_ahead = days_ahead(history.price.size(), history.size());
  }
  EventStream promotion;
  promotion.on.assign(size, 0);
  for (std::size_t day = 0; day < days.promoted.size(); ++day)
    promotion.on[day] = days.promoted[day] == 1 ? 1 : 0;
  promotion.ahead = days.promotion_ahead;
  days.streams.push_back(std::move(promotion));
  for (const DriverView& driver : member.drivers) {
    days.drivers.push_back(on_calendar<float>(rest(driver.value), days.begin, calendar, std::nanf("")));
    days.driver_ahead.push_back(days_ahead(driver.value.size(), history.size()));
    if (driver.kind == DriverKind::kNumber) continue;
    EventStream stream;
    stream.on.assign(size, 0);
    for (std::size_t day = 0; day < size; ++day) stream.on[day] = days.drivers.back()[day] > 0 ? 1 : 0;
    stream.ahead = days.driver_ahead.back();
    days.streams.push_back(std::move(stream));
  }
  PanelMember shifted = member;
  shifted.history.open = rest(history.open);
  std::vector<std::uint8_t> closed;
  EventStream closing = closings(days, shifted, calendar, closed);
  closing.ahead = days_ahead(history.open.size(), history.size());
  days.streams.push_back(std::move(closing));
  find_long_closings(closed, days);
  for (EventStream& stream : days.streams) finish_stream(stream);
  return days;
}

std::size_t position_near(const EventStream& stream, int day, int cut) {
  const auto at = static_cast<std::size_t>(day);
  if (stream.on[at] != 0) return kNear;
  const int ahead = stream.next_on[at] - day;
  if (ahead <= kNear && stream.next_on[at] <= cut + stream.ahead)
    return static_cast<std::size_t>(kNear - ahead);
  const int since = stream.last_on[at] < 0 ? kNear + 1 : day - stream.last_on[at];
  return since <= kNear ? static_cast<std::size_t>(kNear + since) : kPositions - 1;
}

void WindowMeans::start(int first, int end) {
  first_ = first;
  const auto days = static_cast<std::size_t>(std::max(end - first, 0));
  sum_.assign(days + 1, 0);
  count_.assign(days + 1, 0);
}

void WindowMeans::add(int day, float value, float weight) {
  const auto at = static_cast<std::size_t>(day - first_) + 1;
  sum_[at] += static_cast<double>(value * weight);
  count_[at] += static_cast<double>(weight);
}

void WindowMeans::finish() {
  double sum = 0;
  double count = 0;
  for (std::size_t i = 1; i < sum_.size(); ++i) {
    sum_[i] = sum += sum_[i];
    count_[i] = count += count_[i];
  }
}

}  // namespace tillcast::forecast
