#include "core/civil_time.h"

#include <array>
#include <cstdio>

namespace tillcast {

std::string format_date(Date date) {
  const CivilDate civil = civil_from_date(date);
  std::array<char, 40> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "%04d-%02d-%02d", civil.year, civil.month, civil.day);
  return {text.data(), static_cast<std::size_t>(length)};
}

std::optional<Date> parse_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto number = [text](std::size_t from, std::size_t count) {
    int value = 0;
    for (std::size_t i = from; i < from + count; ++i) {
      if (text[i] < '0' || text[i] > '9') return -1;
      value = value * 10 + (text[i] - '0');
    }
    return value;
  };
  const int year = number(0, 4);
  const int month = number(5, 2);
  const int day = number(8, 2);
  if (!valid_civil(year, month, day)) return std::nullopt;
  return date_from_civil(year, month, day);
}

std::string format_timestamp(Timestamp timestamp) {
  const Date date = utc_date(timestamp);
  const std::int64_t of_day = timestamp.micros - date.days * kMicrosPerDay;
  const auto seconds = static_cast<int>(of_day / kMicrosPerSecond);
  const auto micros = static_cast<int>(of_day % kMicrosPerSecond);
  std::array<char, 64> text{};
  int length = std::snprintf(text.data(), text.size(), "%sT%02d:%02d:%02d", format_date(date).c_str(),
                             seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (micros != 0) {
    length +=
        std::snprintf(text.data() + length, text.size() - static_cast<std::size_t>(length), ".%06d", micros);
  }
  return std::string(text.data(), static_cast<std::size_t>(length)) + "Z";
}

}  // namespace tillcast
