#include "forecast/holidays.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "forecast/holiday_rules_internal.h"

namespace tillcast::forecast {
namespace {

std::string lower(std::string_view text) {
  std::string folded;
  for (const char c : text) folded += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  const auto from = folded.find_first_not_of(" \t");
  const auto to = folded.find_last_not_of(" \t");
  return from == std::string::npos ? std::string() : folded.substr(from, to - from + 1);
}

// Calls `each` with the pieces between separators until it returns true.
template <class Each>
bool any_piece(std::string_view text, char separator, Each each) {
  while (!text.empty()) {
    const auto end = text.find(separator);
    if (each(text.substr(0, end))) return true;
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return false;
}

const HolidayCountry* find_country(std::string_view name) {
  const std::string wanted = lower(name);
  if (wanted.empty()) return nullptr;
  for (const HolidayCountry& country : holiday_calendars()) {
    if (lower(country.code) == wanted) return &country;
    if (any_piece(country.names, ';', [&](std::string_view one) { return one == wanted; })) return &country;
  }
  return nullptr;
}

// The code of a region as its calendar knows it; what is unknown stays as it is and fits no rule.
std::string region_code(const HolidayCountry& country, std::string_view region) {
  const std::string wanted = lower(region);
  std::string code = wanted;
  any_piece(country.regions, '|', [&](std::string_view one) {
    const std::string_view first = one.substr(0, one.find(';'));
    const bool found = any_piece(one, ';', [&](std::string_view name) { return name == wanted; });
    if (found) code = first;
    return found;
  });
  return code;
}

bool holds_in(std::string_view regions, std::string_view region) {
  if (regions.empty()) return true;
  const bool except = regions.front() == '-';
  if (except) regions.remove_prefix(1);
  const bool named = any_piece(regions, ' ', [region](std::string_view one) { return lower(one) == region; });
  return named != except;
}

int japanese_equinox(double offset, int year) {
  return static_cast<int>(std::floor(offset + 0.242194 * (year - 1980))) -
         static_cast<int>(std::floor((year - 1980) / 4.0));
}

Date day_of(const HolidayRule& rule, int year) {
  switch (rule.base) {
    case RuleBase::kEaster:
      return {easter_sunday(year).days + rule.day};
    case RuleBase::kOrthodoxEaster:
      return {orthodox_easter_sunday(year).days + rule.day};
    case RuleBase::kWeekday: {
      const Date from = date_from_civil(year, rule.month, rule.day);
      return {from.days + (rule.weekday - iso_weekday(from) + 7) % 7};
    }
    case RuleBase::kVernalEquinox:
      return date_from_civil(year, 3, japanese_equinox(20.8431, year));
    case RuleBase::kAutumnEquinox:
      return date_from_civil(year, 9, japanese_equinox(23.2488, year));
    case RuleBase::kFixed:
      break;
  }
  return date_from_civil(year, rule.month, rule.day);
}

bool is_day_off(const std::vector<Holiday>& list, Date date) {
  return std::ranges::any_of(
      list, [date](const Holiday& one) { return one.date == date && one.kind != HolidayKind::kEvent; });
}

// A substitute is a plain day off, whatever it stands for: it has none of the customs of the day itself.
void add_substitute(std::vector<Holiday>& list, const HolidayRule& rule, Date day) {
  const int weekday = iso_weekday(day);
  std::optional<Date> moved;
  const auto next_free = [&list](Date from, bool weekend_too) {
    Date at = from;
    do ++at.days;
    while (is_day_off(list, at) || (!weekend_too && iso_weekday(at) >= kSaturday));
    return at;
  };
  if (rule.shift == RuleShift::kNextFree && weekday >= kSaturday) moved = next_free(day, false);
  if (rule.shift == RuleShift::kSundayNextFree && weekday == kSunday) moved = next_free(day, true);
  if (rule.shift == RuleShift::kNearestWeekday && weekday >= kSaturday)
    moved = Date{day.days + (weekday == kSaturday ? -1 : 1)};
  if (moved) list.push_back({*moved, std::string(rule.name) + " (substitute day)", HolidayKind::kPublic});
}

// Article 3 of Japan's law on holidays: a day between two holidays is one as well.
void add_days_between(std::vector<Holiday>& list) {
  const std::vector<Holiday> known = list;
  for (const Holiday& one : known) {
    const Date between{one.date.days + 1};
    if (is_day_off(known, {one.date.days + 2}) && !is_day_off(list, between) &&
        iso_weekday(between) != kSunday)
      list.push_back({between, "Citizens' Holiday", HolidayKind::kPublic});
  }
}

std::vector<Holiday> by_rule(const HolidayCountry& country, const std::string& region, int year) {
  std::vector<Holiday> list;
  std::vector<const HolidayRule*> held;
  for (const HolidayRule& rule : country.rules) {
    if (year < rule.first_year || year > rule.last_year || !holds_in(rule.regions, region)) continue;
    Date day = day_of(rule, year);
    if (rule.shift == RuleShift::kSundayToSaturday && iso_weekday(day) == kSunday) --day.days;
    list.push_back({day, std::string(rule.name), rule.kind});
    held.push_back(&rule);
  }
  for (const HolidayException& one : country.exceptions) {
    if (one.year != year || !holds_in(one.regions, region)) continue;
    const Date day = date_from_civil(one.year, one.month, one.day);
    if (one.name.empty()) {
      for (std::size_t i = list.size(); i-- > 0;) {
        if (list[i].date != day) continue;
        list.erase(list.begin() + static_cast<std::ptrdiff_t>(i));
        if (i < held.size()) held.erase(held.begin() + static_cast<std::ptrdiff_t>(i));
      }
    } else {
      list.push_back({day, std::string(one.name), HolidayKind::kPublic});
    }
  }
  // Substitutes come after all the days themselves, which they must not fall on.
  for (std::size_t i = 0; i < held.size(); ++i) add_substitute(list, *held[i], list[i].date);
  if (country.code == "JP") add_days_between(list);
  return list;
}

}  // namespace

std::string_view holiday_kind_name(HolidayKind kind) {
  switch (kind) {
    case HolidayKind::kNone:
      return "";
    case HolidayKind::kPublic:
      return "public";
    case HolidayKind::kEaster:
      return "easter";
    case HolidayKind::kChristmas:
      return "christmas";
    case HolidayKind::kEvent:
      return "event";
  }
  return "";
}

Date easter_sunday(int year) {
  const int a = year % 19;
  const int b = year / 100;
  const int c = year % 100;
  const int h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
  const int l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
  const int m = (a + 11 * h + 22 * l) / 451;
  const int sum = h + l - 7 * m + 114;
  return date_from_civil(year, sum / 31, sum % 31 + 1);
}

Date orthodox_easter_sunday(int year) {
  const int d = (19 * (year % 19) + 15) % 30;
  const int e = (2 * (year % 4) + 4 * (year % 7) - d + 34) % 7;
  const int sum = d + e + 114;
  constexpr int kJulianDaysBehind = 13;  // 1900 to 2099
  return {date_from_civil(year, sum / 31, sum % 31 + 1).days + kJulianDaysBehind};
}

std::string_view holiday_country(std::string_view name) {
  const HolidayCountry* country = find_country(name);
  return country == nullptr ? std::string_view() : country->code;
}

std::vector<std::string_view> holiday_countries() {
  std::vector<std::string_view> codes;
  for (const HolidayCountry& country : holiday_calendars()) codes.push_back(country.code);
  return codes;
}

std::vector<std::string_view> holiday_regions(std::string_view country) {
  std::vector<std::string_view> codes;
  if (const HolidayCountry* found = find_country(country)) {
    any_piece(found->regions, '|', [&](std::string_view one) {
      codes.push_back(one.substr(0, one.find(';')));
      return false;
    });
  }
  return codes;
}

bool is_holiday_region(std::string_view country, std::string_view region) {
  const HolidayCountry* found = find_country(country);
  if (found == nullptr) return false;
  const auto regions = holiday_regions(country);
  return std::ranges::find(regions, region_code(*found, region)) != regions.end();
}

std::vector<Holiday> holidays(std::string_view country, std::string_view region, int year) {
  const HolidayCountry* found = find_country(country);
  if (found == nullptr || year < 1900 || year > 2099) return {};
  // The Channel Islands are a region of the British calendar that data name as a country.
  const bool islands =
      lower(country).starts_with("channel") || lower(country) == "jersey" || lower(country) == "guernsey";
  const std::string code = region_code(*found, islands ? "channel islands" : region);
  std::vector<Holiday> list = by_rule(*found, code, year);
  // New Year's Day on a Saturday may be kept on the Friday before, which is a day of the year before.
  for (Holiday& one : by_rule(*found, code, year + 1)) list.push_back(std::move(one));
  std::erase_if(list, [year](const Holiday& one) { return civil_from_date(one.date).year != year; });
  std::ranges::stable_sort(list, {}, &Holiday::date);
  return list;
}

}  // namespace tillcast::forecast
