#include "retail/date_format.h"

#include <array>
#include <charconv>
#include <cmath>

#include "core/civil_time.h"
#include "core/text.h"

namespace tillcast::retail {
namespace {

constexpr std::array<std::string_view, 12> kMonthNames = {"jan", "feb", "mar", "apr", "may", "jun",
                                                          "jul", "aug", "sep", "oct", "nov", "dec"};

/// Reads min..max digits at `at`; -1 when there are fewer.
int read_number(std::string_view text, std::size_t& at, int digits_min, int digits_max) {
  int value = 0;
  int digits = 0;
  while (digits < digits_max && at < text.size() && is_ascii_digit(text[at])) {
    value = value * 10 + (text[at++] - '0');
    ++digits;
  }
  return digits >= digits_min ? value : -1;
}

std::optional<std::int64_t> civil_micros(int year, int month, int day, int hour, int minute, int second) {
  if (!valid_civil(year, month, day) || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 59) {
    return std::nullopt;
  }
  return date_from_civil(year, month, day).days * kMicrosPerDay +
         (hour * 3600 + minute * 60 + second) * kMicrosPerSecond;
}

}  // namespace

Result<DateFormat> DateFormat::parse(std::string_view format) {
  DateFormat result;
  result.text_ = format;
  if (format == "ISO" || format == "SERIAL") {
    result.kind_ = format == "ISO" ? Kind::kIso : Kind::kSerial;
    return result;
  }
  bool year = false, month = false, day = false, after_hours = false;
  for (std::size_t at = 0; at < format.size();) {
    const char c = format[at];
    std::size_t run = 1;
    while (at + run < format.size() && format[at + run] == c) ++run;
    if (format.substr(at).starts_with("AMPM")) {
      result.steps_.push_back({Part::kHalf, 0, 0, 0});
      at += 4;
      continue;
    }
    const auto digits_min = static_cast<std::uint8_t>(run);
    const bool known_length = run <= 2;
    if (c == 'Y' && (run == 4 || run == 2)) {
      result.steps_.push_back({run == 4 ? Part::kYear : Part::kShortYear, digits_min, digits_min, 0});
      year = true;
    } else if (c == 'M' && run == 3) {
      result.steps_.push_back({Part::kMonthName, 3, 3, 0});
      month = true;
    } else if (c == 'M' && known_length && after_hours) {
      result.steps_.push_back({Part::kMinute, digits_min, 2, 0});
    } else if (c == 'M' && known_length) {
      result.steps_.push_back({Part::kMonth, digits_min, 2, 0});
      month = true;
    } else if (c == 'D' && known_length) {
      result.steps_.push_back({Part::kDay, digits_min, 2, 0});
      day = true;
    } else if (c == 'H' && known_length) {
      result.steps_.push_back({Part::kHour, digits_min, 2, 0});
      after_hours = true;
    } else if (c == 'S' && known_length) {
      result.steps_.push_back({Part::kSecond, digits_min, 2, 0});
    } else if ((ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z' && c != 'T') || is_ascii_digit(c)) {
      return invalid_input("date format '" + std::string(format) + "': '" +
                           std::string(format.substr(at, run)) +
                           "' is unknown; expected YYYY YY MMM MM M DD D HH H MM SS AMPM, ISO or SERIAL");
    } else {
      for (std::size_t i = 0; i < run; ++i) result.steps_.push_back({Part::kLiteral, 0, 0, c});
    }
    at += run;
  }
  if (!year || !month || !day) {
    return invalid_input("date format '" + std::string(format) +
                         "' lacks a year, month or day; for example M/D/YYYY H:MM");
  }
  return result;
}

std::optional<WrittenTime> DateFormat::read(std::string_view text) const {
  if (kind_ == Kind::kIso) return read_iso_time(text);
  if (kind_ == Kind::kSerial) return read_serial_date(text, false);
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, half = -1;
  std::size_t at = 0;
  for (const Step& step : steps_) {
    if (step.part == Part::kLiteral) {
      if (at >= text.size() || text[at] != step.literal) return std::nullopt;
      ++at;
      continue;
    }
    if (step.part == Part::kHalf || step.part == Part::kMonthName) {
      const std::size_t length = step.part == Part::kHalf ? 2 : 3;
      if (text.size() - at < length) return std::nullopt;
      const char word[] = {ascii_lower(text[at]), ascii_lower(text[at + 1]),
                           length == 3 ? ascii_lower(text[at + 2]) : '\0'};
      at += length;
      if (step.part == Part::kHalf) {
        if ((word[0] != 'a' && word[0] != 'p') || word[1] != 'm') return std::nullopt;
        half = word[0] == 'p' ? 1 : 0;
        continue;
      }
      month = 0;
      for (std::size_t i = 0; i < kMonthNames.size(); ++i) {
        if (kMonthNames[i] == std::string_view(word, 3)) month = static_cast<int>(i) + 1;
      }
      if (month == 0) return std::nullopt;
      continue;
    }
    const int value = read_number(text, at, step.digits_min, step.digits_max);
    if (value < 0) return std::nullopt;
    switch (step.part) {
      case Part::kYear:
        year = value;
        break;
      case Part::kShortYear:
        year = value + (value < 69 ? 2000 : 1900);
        break;
      case Part::kMonth:
        month = value;
        break;
      case Part::kDay:
        day = value;
        break;
      case Part::kHour:
        hour = value;
        break;
      case Part::kMinute:
        minute = value;
        break;
      case Part::kSecond:
        second = value;
        break;
      default:
        break;
    }
  }
  if (at != text.size()) return std::nullopt;
  if (half >= 0) {
    if (hour < 1 || hour > 12) return std::nullopt;
    hour = hour % 12 + 12 * half;
  }
  const auto micros = civil_micros(year, month, day, hour, minute, second);
  if (!micros) return std::nullopt;
  return WrittenTime{*micros, std::nullopt};
}

std::optional<WrittenTime> read_iso_time(std::string_view text) {
  std::size_t at = 0;
  const auto expect = [&](char c) { return at < text.size() && text[at] == c && (++at, true); };
  const int year = read_number(text, at, 4, 4);
  if (year < 0 || !expect('-')) return std::nullopt;
  const int month = read_number(text, at, 2, 2);
  if (month < 0 || !expect('-')) return std::nullopt;
  const int day = read_number(text, at, 2, 2);
  int hour = 0, minute = 0, second = 0;
  std::int64_t fraction = 0;
  if (at < text.size()) {
    if (!expect('T') && !expect(' ')) return std::nullopt;
    hour = read_number(text, at, 2, 2);
    if (hour < 0 || !expect(':')) return std::nullopt;
    minute = read_number(text, at, 2, 2);
    if (expect(':')) {
      second = read_number(text, at, 2, 2);
      if (expect('.')) {
        std::int64_t unit = kMicrosPerSecond / 10;
        const std::size_t begin = at;
        for (; at < text.size() && is_ascii_digit(text[at]); ++at, unit /= 10)
          fraction += (text[at] - '0') * unit;
        if (at == begin) return std::nullopt;
      }
    }
  }
  const auto micros = civil_micros(year, month, day, hour, minute, second);
  if (!micros) return std::nullopt;
  WrittenTime written{*micros + fraction, std::nullopt};
  if (at == text.size()) return written;
  if (expect('Z')) {
    written.offset_seconds = 0;
  } else {
    const bool west = text[at] == '-';
    if (!expect('+') && !expect('-')) return std::nullopt;
    const int hours = read_number(text, at, 2, 2);
    expect(':');
    const int minutes = at < text.size() ? read_number(text, at, 2, 2) : 0;
    if (hours < 0 || hours > 15 || minutes < 0 || minutes > 59) return std::nullopt;
    written.offset_seconds = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
  }
  if (at != text.size()) return std::nullopt;
  return written;
}

std::optional<WrittenTime> read_serial_date(std::string_view text, bool epoch_1904) {
  double serial = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), serial);
  constexpr double kSerialMax = 2'958'466;  // the day after 9999-12-31
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || !(serial >= 0) ||
      serial >= (epoch_1904 ? kSerialMax - 1462 : kSerialMax)) {
    return std::nullopt;
  }
  const std::int64_t seconds = std::llround(serial * 86'400);
  std::int64_t day = seconds / 86'400;
  constexpr std::int64_t kEpoch1900 = date_from_civil(1899, 12, 30).days;
  constexpr std::int64_t kEpoch1904 = date_from_civil(1904, 1, 1).days;
  if (epoch_1904) {
    day += kEpoch1904;
  } else {
    day += kEpoch1900 + (day < 60 ? 1 : 0);
  }
  return WrittenTime{day * kMicrosPerDay + seconds % 86'400 * kMicrosPerSecond, std::nullopt};
}

}  // namespace tillcast::retail
