#include "pipeline/retrain_schedule.h"

#include <array>
#include <charconv>
#include <optional>

namespace tillcast::pipeline {
namespace {

constexpr std::array<std::string_view, 7> kWeekdays = {"monday", "tuesday",  "wednesday", "thursday",
                                                       "friday", "saturday", "sunday"};

std::string_view next_word(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  const auto end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

std::optional<std::int64_t> whole_number(std::string_view digits) {
  std::int64_t number = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size() || number < 0)
    return std::nullopt;
  return number;
}

// "03:00" as micros since midnight.
std::optional<std::int64_t> time_of_day(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hour = whole_number(text.substr(0, 2));
  const auto minute = whole_number(text.substr(3));
  if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
  return (*hour * 3600 + *minute * 60) * kMicrosPerSecond;
}

// "24h" as micros.
std::optional<std::int64_t> period(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const char unit = text.back();
  const std::int64_t seconds = unit == 's'   ? 1
                               : unit == 'm' ? 60
                               : unit == 'h' ? 3600
                               : unit == 'd' ? 86'400
                                             : 0;
  const auto count = whole_number(text.substr(0, text.size() - 1));
  if (seconds == 0 || !count || *count < 1 || *count > 100'000) return std::nullopt;
  return *count * seconds * kMicrosPerSecond;
}

}  // namespace

Result<RetrainSchedule> RetrainSchedule::parse(std::string_view text) {
  const auto wrong = [text] {
    return invalid_input(
        "forecast.retrain must be \"daily 03:00\", \"weekly monday 03:00\", \"every 24h\" or empty (UTC), "
        "found '" +
        std::string(text) + "'");
  };
  RetrainSchedule schedule;
  std::string_view rest = text;
  const std::string_view word = next_word(rest);
  if (word.empty()) return schedule;
  if (word == "every") {
    const auto length = period(next_word(rest));
    if (!length) return wrong();
    schedule.period_micros_ = *length;
    schedule.from_last_ = true;
  } else if (word == "daily") {
    const auto time = time_of_day(next_word(rest));
    if (!time) return wrong();
    schedule.period_micros_ = kMicrosPerDay;
    schedule.offset_micros_ = *time;
  } else if (word == "weekly") {
    const std::string_view day = next_word(rest);
    const auto time = time_of_day(next_word(rest));
    std::size_t weekday = 0;
    while (weekday < kWeekdays.size() && kWeekdays[weekday] != day) ++weekday;
    if (!time || weekday == kWeekdays.size()) return wrong();
    schedule.period_micros_ = 7 * kMicrosPerDay;
    // 1970-01-05 was the first Monday.
    schedule.offset_micros_ = (4 + static_cast<std::int64_t>(weekday)) * kMicrosPerDay + *time;
  } else {
    return wrong();
  }
  if (!next_word(rest).empty()) return wrong();
  return schedule;
}

Timestamp RetrainSchedule::newest_due(Timestamp after, Timestamp now) const {
  if (!enabled() || now <= after) return after;
  const std::int64_t origin = from_last_ ? after.micros : offset_micros_;
  std::int64_t periods = (now.micros - origin) / period_micros_;
  if ((now.micros - origin) % period_micros_ < 0) --periods;
  const Timestamp due{origin + periods * period_micros_};
  return due > after ? due : after;
}

}  // namespace tillcast::pipeline
