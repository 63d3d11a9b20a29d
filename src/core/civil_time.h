#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tillcast {

/// Days since 1970-01-01 in the proleptic Gregorian calendar; DATE in SQL.
struct Date {
  std::int32_t days = 0;
  auto operator<=>(const Date&) const = default;
};

/// Microseconds since 1970-01-01T00:00Z; TIMESTAMP WITH TIME ZONE in SQL.
struct Timestamp {
  std::int64_t micros = 0;
  auto operator<=>(const Timestamp&) const = default;
};

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

/// Year, month 1..12, day 1..31.
struct CivilDate {
  int year = 1970;
  int month = 1;
  int day = 1;
};

/// Days since 1970-01-01 of a calendar day. The caller has checked the ranges (see valid_civil).
/// Hinnant, "chrono-Compatible Low-Level Date Algorithms".
constexpr Date date_from_civil(int year, int month, int day) {
  const int y = year - (month <= 2 ? 1 : 0);
  const int era = (y >= 0 ? y : y - 399) / 400;
  const int year_of_era = y - era * 400;
  const int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return {era * 146'097 + day_of_era - 719'468};
}

constexpr CivilDate civil_from_date(Date date) {
  const int z = date.days + 719'468;
  const int era = (z >= 0 ? z : z - 146'096) / 146'097;
  const int day_of_era = z - era * 146'097;
  const int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int month_index = (5 * day_of_year + 2) / 153;
  const int month = month_index + (month_index < 10 ? 3 : -9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month,
          day_of_year - (153 * month_index + 2) / 5 + 1};
}

constexpr bool is_leap_year(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

constexpr int days_in_month(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap_year(year) ? 29 : kDays[month - 1];
}

/// True for a real calendar day of the years 1..9999.
constexpr bool valid_civil(int year, int month, int day) {
  return year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 &&
         day <= days_in_month(year, month);
}

/// ISO weekday, Monday 1 .. Sunday 7.
constexpr int iso_weekday(Date date) { return ((date.days % 7 + 7) % 7 + 3) % 7 + 1; }

/// The first day of the month that holds `date`.
constexpr Date month_start(Date date) {
  const CivilDate civil = civil_from_date(date);
  return date_from_civil(civil.year, civil.month, 1);
}

/// "2024-03-01"
std::string format_date(Date date);
/// Exactly YYYY-MM-DD, else nullopt.
std::optional<Date> parse_date(std::string_view text);
/// "2024-03-01T08:26:00Z", with microseconds only where there are any.
std::string format_timestamp(Timestamp timestamp);
/// The date of a timestamp in UTC.
constexpr Date utc_date(Timestamp timestamp) {
  const std::int64_t days = timestamp.micros / kMicrosPerDay - (timestamp.micros % kMicrosPerDay < 0 ? 1 : 0);
  return {static_cast<std::int32_t>(days)};
}

/// Passes time in, so that tests can hold it still.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
};

/// The machine's clock. Thread-safe.
class SystemClock final : public Clock {
 public:
  Timestamp now() const override {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count()};
  }
};

}  // namespace tillcast
