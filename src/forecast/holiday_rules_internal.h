#pragma once

#include <span>
#include <string_view>

#include "forecast/holidays.h"

namespace tillcast::forecast {

constexpr int kSaturday = 6;  ///< ISO 8601 number of the weekday
constexpr int kSunday = 7;

/// From what the day of a rule is counted.
enum class RuleBase : std::uint8_t {
  kFixed,           ///< month and day
  kEaster,          ///< `day` days after western Easter Sunday
  kOrthodoxEaster,  ///< likewise, orthodox
  kWeekday,         ///< the first `weekday` on or after month and day
  kVernalEquinox,   ///< Japan's equinox days (National Astronomical Observatory's formula, 1980..2099)
  kAutumnEquinox,
};

/// What happens when the day is no working day.
enum class RuleShift : std::uint8_t {
  kNone,
  kNextFree,         ///< Saturday or Sunday: the next weekday without a holiday as well (United Kingdom)
  kSundayNextFree,   ///< Sunday: the next day without a holiday as well (Japan, South Africa)
  kNearestWeekday,   ///< Saturday: Friday as well; Sunday: Monday as well (United States)
  kSundayToSaturday  ///< Sunday: the day before instead (Netherlands)
};

struct HolidayRule {
  std::string_view name;
  HolidayKind kind = HolidayKind::kPublic;
  RuleBase base = RuleBase::kFixed;
  int month = 0;
  int day = 0;
  int weekday = 0;
  int first_year = 0;
  int last_year = 9999;
  std::string_view regions = {};  ///< codes with spaces between; "-SCT" = everywhere else; empty = everywhere
  RuleShift shift = RuleShift::kNone;

  constexpr HolidayRule since(int year) const {
    return with([year](auto& rule) { rule.first_year = year; });
  }
  constexpr HolidayRule until(int year) const {
    return with([year](auto& rule) { rule.last_year = year; });
  }
  constexpr HolidayRule in(std::string_view codes) const {
    return with([codes](auto& rule) { rule.regions = codes; });
  }
  constexpr HolidayRule moved(RuleShift how) const {
    return with([how](auto& rule) { rule.shift = how; });
  }
  constexpr HolidayRule as(HolidayKind what) const {
    return with([what](auto& rule) { rule.kind = what; });
  }

 private:
  template <class Change>
  constexpr HolidayRule with(Change change) const {
    HolidayRule rule = *this;
    change(rule);
    return rule;
  }
};

/// A day that no rule gives, or (removed) one that a rule gives and that was not held.
struct HolidayException {
  int year;
  int month;
  int day;
  std::string_view name;  ///< empty = removed
  std::string_view regions = {};
};

struct HolidayCountry {
  std::string_view code;
  std::string_view names;  ///< lower case, ';' between
  std::span<const HolidayRule> rules;
  std::span<const HolidayException> exceptions = {};
  /// "code;name;name|code;name": how people write its regions, lower case.
  std::string_view regions = {};
};

/// All calendars, by code.
std::span<const HolidayCountry> holiday_calendars();

}  // namespace tillcast::forecast
