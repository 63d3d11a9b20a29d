#include <algorithm>
#include <cmath>

#include "forecast/panel_days_internal.h"

namespace tillcast::forecast {
namespace {

void find_distances(EventStream& stream) {
  const std::size_t size = stream.on.size();
  for (auto* each : {&stream.last_on, &stream.next_on, &stream.last_off, &stream.next_off})
    each->resize(size);
  stream.count.resize(size + 1);
  std::int16_t last_on = -1;
  std::int16_t last_off = -1;
  std::int16_t count = 0;
  for (std::size_t day = 0; day < size; ++day) {
    const bool on = stream.on[day] != 0;
    stream.last_on[day] = last_on = on ? static_cast<std::int16_t>(day) : last_on;
    stream.last_off[day] = last_off = on ? last_off : static_cast<std::int16_t>(day);
    stream.count[day + 1] = count = static_cast<std::int16_t>(count + stream.on[day]);
  }
  std::int16_t next_on = EventStream::kNever;
  std::int16_t next_off = EventStream::kNever;
  for (std::size_t day = size; day-- > 0;) {
    const bool on = stream.on[day] != 0;
    stream.next_on[day] = next_on = on ? static_cast<std::int16_t>(day) : next_on;
    stream.next_off[day] = next_off = on ? next_off : static_cast<std::int16_t>(day);
  }
}

/// @param seen  as MemberDays::seen
void find_near_days(const std::vector<std::int16_t>& seen, EventStream& stream) {
  const auto size = static_cast<int>(stream.on.size());
  const auto add = [&](int day, int away) {
    if (day < 0 || day >= size) return;
    const auto at = static_cast<std::size_t>(day);
    const int distance = kNear + away;
    const auto position = static_cast<std::size_t>(distance);
    if (seen[at + 1] > seen[at] && position_near(stream, day, size) == position)
      stream.near[position].push_back(static_cast<std::int16_t>(day));
  };
  for (auto& days : stream.near) days.reserve(static_cast<std::size_t>(stream.count.back()));
  // From one run of days that are on to the next.
  int begin = stream.next_on.front();
  while (begin < size) {
    const int end = std::min<int>(stream.next_off[static_cast<std::size_t>(begin)], size);
    for (int day = begin; day < end; ++day) add(day, 0);
    for (int away = 1; away <= kNear; ++away) {
      add(begin - away, -away);
      add(end - 1 + away, away);
    }
    begin = end < size ? stream.next_on[static_cast<std::size_t>(end)] : size;
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

/// Days of a member before the calendar begins, which holds a bounded number of years.
std::size_t days_skipped(const PanelMember& member, const PanelCalendar& calendar) {
  return static_cast<std::size_t>(std::max(calendar.first - member.history.start.days, 0));
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
  std::vector<std::uint8_t> shut(size);  // how many of the 26 same weekdays before
  for (std::size_t day = 7; day < size; ++day) {
    const int left = day >= 27 * 7 ? closed[day - 27 * 7] : 0;
    shut[day] = static_cast<std::uint8_t>(shut[day - 7] + closed[day - 7] - left);
  }
  for (auto day = static_cast<std::size_t>(days.begin); day < size; ++day) {
    const int seen = std::min((static_cast<int>(day) - days.begin) / 7, 26);
    stream.on[day] = closed[day] != 0 && (seen == 0 || 2 * shut[day] < seen) ? 1 : 0;
  }
  stream.ahead = days_ahead(member.history.open.size(), member.history.size());
  return stream;
}

void find_long_closings(const std::vector<std::uint8_t>& closed, MemberDays& days) {
  const auto size = static_cast<int>(closed.size());
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
    if (end - day >= kLongClosing) {
      last_begin = static_cast<std::int16_t>(day);
      last_end = static_cast<std::int16_t>(end);
    }
    for (; day < end; ++day) {
      const auto within = static_cast<std::size_t>(day);
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

MemberDays member_values(const PanelMember& member, const PanelCalendar& calendar, bool logarithm) {
  MemberDays days;
  const History& history = member.history;
  days.begin = std::max(history.start.days - calendar.first, 0);
  const std::size_t skipped = days_skipped(member, calendar);
  const std::size_t size = static_cast<std::size_t>(calendar.days());
  days.value.assign(size, std::nanf(""));
  for (std::size_t i = skipped; i < history.size(); ++i) {
    if (history.masked[i] != 0 || (logarithm && !(history.value[i] > 0))) continue;
    days.value[static_cast<std::size_t>(days.begin) + i - skipped] =
        static_cast<float>(logarithm ? std::log(history.value[i]) : std::max(history.value[i], 0.0));
  }
  days.known.reserve(size);
  days.seen.assign(size + 1, 0);
  for (std::size_t day = 0; day < size; ++day) {
    if (!std::isnan(days.value[day])) days.known.push_back(static_cast<std::int16_t>(day));
    days.seen[day + 1] = static_cast<std::int16_t>(days.known.size());
  }
  return days;
}

MemberDays member_days(const PanelMember& member, const PanelCalendar& calendar, bool logarithm) {
  MemberDays days = member_values(member, calendar, logarithm);
  const History& history = member.history;
  const std::size_t skipped = days_skipped(member, calendar);
  const std::size_t size = days.value.size();
  const auto rest = [&](auto span) { return span.empty() ? span : span.subspan(skipped); };
  EventStream promotion;
  promotion.on.assign(size, 0);
  days.cell.resize(size);
  if (history.promotion.empty()) {
    days.promotion_ahead = calendar.days();  // there are none, now and later
    for (std::size_t day = 0; day < size; ++day)
      days.cell[day] = static_cast<std::uint8_t>(cell_of(calendar.weekday[day], 0));
  } else {
    const std::vector<std::int8_t> promoted =
        on_calendar<std::int8_t>(rest(history.promotion), days.begin, calendar, std::int8_t{-1});
    days.promotion_ahead = promotion.ahead = days_ahead(history.promotion.size(), history.size());
    for (std::size_t day = 0; day < size; ++day) {
      days.cell[day] = static_cast<std::uint8_t>(cell_of(calendar.weekday[day], promoted[day]));
      promotion.on[day] = promoted[day] == 1 ? 1 : 0;
    }
  }
  days.streams.push_back(std::move(promotion));
  if (!history.price.empty()) {
    days.price.assign(size, std::nanf(""));
    const auto prices = rest(history.price);
    for (std::size_t i = 0; i < prices.size() && static_cast<std::size_t>(days.begin) + i < size; ++i)
      days.price[static_cast<std::size_t>(days.begin) + i] = static_cast<float>(prices[i]);
    days.price_ahead = days_ahead(history.price.size(), history.size());
  }
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
  for (EventStream& stream : days.streams) {
    find_distances(stream);
    find_near_days(days.seen, stream);
  }
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

void WindowMeans::assign(int first, std::span<const float> values) {
  first_ = first;
  before_.resize(values.size() + 1);
  Sums sums;
  before_[0] = sums;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool known = !std::isnan(values[i]);
    sums.sum += known ? static_cast<double>(values[i]) : 0;
    sums.count += known ? 1 : 0;
    before_[i + 1] = sums;
  }
}

}  // namespace tillcast::forecast
