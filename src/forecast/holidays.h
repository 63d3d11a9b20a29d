#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/civil_time.h"

namespace tillcast::forecast {

/// What a holiday does to shops. The numbers are the values of the driver `holiday` and never change.
enum class HolidayKind : std::uint8_t {
  kNone = 0,
  kPublic = 1,     ///< a day off that is none of the next two
  kEaster = 2,     ///< Good Friday, Easter Sunday and Monday
  kChristmas = 3,  ///< 24 to 26 December, where they are days off
  kEvent = 4,      ///< no day off, but people buy otherwise: Halloween, Black Friday
};
/// "public", "easter", "christmas", "event"; empty for kNone.
std::string_view holiday_kind_name(HolidayKind kind);

struct Holiday {
  Date date;
  std::string name;
  HolidayKind kind = HolidayKind::kPublic;
};

/// Easter Sunday of the western churches: the Gregorian computus of Meeus, Jones and Butcher (Meeus 1991,
/// Astronomical Algorithms, chapter 8). Years 1583..9999.
Date easter_sunday(int year);
/// Easter Sunday of the orthodox churches in the Gregorian calendar (Meeus 1991). Years 1900..2099.
Date orthodox_easter_sunday(int year);

/// ISO 3166 code of a country as the data spell it ("EIRE", "RSA", "USA", "Channel Islands", "Deutschland",
/// "de"), in any case; "" when there is no calendar for it.
std::string_view holiday_country(std::string_view name);
/// Codes that holiday_country() gives, in order.
std::vector<std::string_view> holiday_countries();
/// Codes of the regions that the calendar of a country knows; none for a country without.
std::vector<std::string_view> holiday_regions(std::string_view country);
/// Whether holidays() knows this region of the country, by code or name.
bool is_holiday_region(std::string_view country, std::string_view region);

/// Holidays of one year by rule: fixed days, days by Easter, the n-th weekday of a month, substitute days,
/// plus a table of exceptional days (royal weddings, jubilees). Sorted by date; two may share a date.
/// @param country  as holiday_country() takes it; no calendar = no holidays
/// @param region   German state (code or name), Scotland, Northern Ireland, Alsace ...; empty or unknown =
///                 what holds everywhere in the country
/// @param year     1900..2099. docs/forecasting.md lists the countries. Pure, thread-safe.
std::vector<Holiday> holidays(std::string_view country, std::string_view region, int year);

}  // namespace tillcast::forecast
