#include "core/time_zone.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>

namespace tillcast {
namespace {

// The Gregorian calendar repeats after 400 years, which are a whole number of weeks: the footer rule is
// written out up to kRuleYearEnd, and later times are folded back by whole cycles.
constexpr int kRuleYearEnd = 2500;
constexpr std::int64_t kCycleSeconds = 146'097LL * 86'400;
constexpr std::int64_t kFoldFromSeconds = date_from_civil(kRuleYearEnd, 1, 1).days * 86'400LL;

/// Reads big-endian numbers; reading past the end gives zeros and clears ok().
class BigEndianReader {
 public:
  explicit BigEndianReader(std::string_view bytes) : bytes_(bytes) {}
  std::int64_t number(std::size_t width) {
    const std::string_view digits = take(width);
    std::uint64_t value = !digits.empty() && (digits[0] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (const char c : digits) value = value << 8 | static_cast<unsigned char>(c);
    return static_cast<std::int64_t>(value);
  }
  std::string_view take(std::size_t count) {
    if (count > bytes_.size() - at_) {
      ok_ = false;
      return {};
    }
    at_ += count;
    return bytes_.substr(at_ - count, count);
  }
  bool ok() const { return ok_; }
  std::string_view rest() const { return bytes_.substr(at_); }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

struct Header {
  std::size_t utc_flags, standard_flags, leaps, transitions, types, abbreviation_bytes;
};

std::optional<Header> read_header(BigEndianReader& reader) {
  if (reader.take(4) != "TZif") return std::nullopt;
  reader.take(16);  // version and reserved
  Header header{};
  for (std::size_t* count : {&header.utc_flags, &header.standard_flags, &header.leaps, &header.transitions,
                             &header.types, &header.abbreviation_bytes}) {
    const std::int64_t value = reader.number(4);
    if (value < 0 || value > 100'000) return std::nullopt;
    *count = static_cast<std::size_t>(value);
  }
  return reader.ok() ? std::optional(header) : std::nullopt;
}

/// When in a year a POSIX rule changes the clock.
struct RuleDay {
  enum class Form { kJulianNoLeap, kDayOfYear, kMonthWeekDay } form = Form::kMonthWeekDay;
  int day = 0, month = 1, week = 1;
  std::int32_t time_seconds = 2 * 3600;

  std::int64_t local_seconds(int year) const {
    Date date = date_from_civil(year, 1, 1);
    if (form == Form::kJulianNoLeap) {
      date.days += day - 1 + (is_leap_year(year) && day >= 60 ? 1 : 0);
    } else if (form == Form::kDayOfYear) {
      date.days += day;
    } else {
      const Date first = date_from_civil(year, month, 1);
      int day_of_month = 1 + ((day - iso_weekday(first) % 7) + 7) % 7 + (week - 1) * 7;
      while (day_of_month > days_in_month(year, month)) day_of_month -= 7;
      date.days = first.days + day_of_month - 1;
    }
    return date.days * 86'400LL + time_seconds;
  }
};

struct PosixRule {
  std::int32_t standard_offset = 0;
  std::int32_t summer_offset = 0;
  std::optional<std::pair<RuleDay, RuleDay>> summer;  // begin (in standard time), end (in summer time)
};

/// Parser of the footer, e.g. "GMT0BST,M3.5.0/1,M10.5.0" or "<+03>-3".
class PosixRuleParser {
 public:
  explicit PosixRuleParser(std::string_view text) : text_(text) {}

  std::optional<PosixRule> parse() {
    PosixRule rule;
    if (!skip_name()) return std::nullopt;
    const auto standard = time();
    if (!standard) return std::nullopt;
    rule.standard_offset = -*standard;  // POSIX counts west of Greenwich
    if (text_.empty()) return rule;
    if (!skip_name()) return std::nullopt;
    rule.summer_offset = rule.standard_offset + 3600;
    if (!text_.empty() && text_[0] != ',') {
      const auto summer = time();
      if (!summer) return std::nullopt;
      rule.summer_offset = -*summer;
    }
    const auto begin = day();
    const auto end = begin ? day() : std::nullopt;
    if (!end || !text_.empty()) return std::nullopt;
    rule.summer = {*begin, *end};
    return rule;
  }

 private:
  bool eat(char c) {
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool skip_name() {
    std::size_t length = 0;
    if (eat('<')) {
      length = text_.find('>');
      if (length == std::string_view::npos) return false;
      text_.remove_prefix(length + 1);
      return true;
    }
    while (length < text_.size() && ((text_[length] | 0x20) >= 'a' && (text_[length] | 0x20) <= 'z'))
      ++length;
    text_.remove_prefix(length);
    return length > 0;
  }
  /// A number of up to four digits, or -1.
  int number() {
    std::size_t length = 0;
    int value = 0;
    while (length < text_.size() && length < 4 && text_[length] >= '0' && text_[length] <= '9') {
      value = value * 10 + (text_[length++] - '0');
    }
    text_.remove_prefix(length);
    return length > 0 ? value : -1;
  }
  std::optional<std::int32_t> time() {
    const bool negative = eat('-');
    if (!negative) eat('+');
    std::int32_t seconds = 0;
    for (const std::int32_t unit : {3600, 60, 1}) {
      const int part = number();
      if (part < 0 || part > 167) return std::nullopt;
      seconds += part * unit;
      if (!eat(':')) break;
    }
    return negative ? -seconds : seconds;
  }
  std::optional<RuleDay> day() {
    if (!eat(',')) return std::nullopt;
    RuleDay rule;
    if (eat('M')) {
      rule.month = number();
      rule.week = eat('.') ? number() : -1;
      rule.day = eat('.') ? number() : -1;
      const bool real = rule.month >= 1 && rule.month <= 12 && rule.week >= 1 && rule.week <= 5 &&
                        rule.day >= 0 && rule.day <= 6;
      if (!real) return std::nullopt;
    } else {
      rule.form = eat('J') ? RuleDay::Form::kJulianNoLeap : RuleDay::Form::kDayOfYear;
      rule.day = number();
      if (rule.day < 0 || rule.day > 365) return std::nullopt;
    }
    if (eat('/')) {
      const auto at = time();
      if (!at) return std::nullopt;
      rule.time_seconds = *at;
    }
    return rule;
  }

  std::string_view text_;
};

std::int64_t floor_divide(std::int64_t value, std::int64_t divisor) {
  return value / divisor - (value % divisor < 0 ? 1 : 0);
}

/// Times beyond the written-out rules are moved back by whole calendar cycles.
std::int64_t cycles_beyond(std::int64_t seconds) {
  return seconds < kFoldFromSeconds ? 0 : (seconds - kFoldFromSeconds) / kCycleSeconds + 1;
}

}  // namespace

void TimeZone::add_transition(std::int64_t utc_seconds, std::int32_t offset_seconds) {
  if (!utc_starts_.empty() && utc_seconds <= utc_starts_.back()) return;
  const std::int64_t local = utc_seconds + std::max(offsets_.back(), offset_seconds);
  utc_starts_.push_back(utc_seconds);
  local_starts_.push_back(local_starts_.empty() ? local : std::max(local, local_starts_.back()));
  offsets_.push_back(offset_seconds);
}

Result<TimeZone> TimeZone::parse(std::string_view name, std::string_view tzif) {
  const auto damaged = [name] {
    return corrupt_data("time zone " + std::string(name) +
                        ": not a TZif file of version 2 or later; reinstall tzdata");
  };
  BigEndianReader reader(tzif);
  const auto first = read_header(reader);
  if (!first || tzif[4] < '2') return damaged();
  // The version 1 block has 32-bit times; the same data follows in 64 bits.
  reader.take(first->transitions * 5 + first->types * 6 + first->abbreviation_bytes + first->leaps * 8 +
              first->standard_flags + first->utc_flags);
  const auto header = read_header(reader);
  if (!header || header->types == 0) return damaged();

  std::vector<std::int64_t> times(header->transitions);
  for (auto& time : times) time = reader.number(8);
  const std::string_view type_of = reader.take(header->transitions);
  std::vector<std::int32_t> type_offsets(header->types);
  for (auto& offset : type_offsets) {
    offset = static_cast<std::int32_t>(reader.number(4));
    reader.take(2);  // summer flag, abbreviation
    if (offset < -26 * 3600 || offset > 26 * 3600) return damaged();
  }
  reader.take(header->abbreviation_bytes + header->leaps * 12 + header->standard_flags + header->utc_flags);
  if (!reader.ok()) return damaged();

  TimeZone zone(name);
  zone.offsets_[0] = type_offsets[0];
  for (std::size_t i = 0; i < times.size(); ++i) {
    const auto type = static_cast<unsigned char>(type_of[i]);
    if (type >= type_offsets.size()) return damaged();
    zone.add_transition(times[i], type_offsets[type]);
  }

  std::string_view footer = reader.rest();
  if (footer.size() < 2 || footer.front() != '\n' || footer.back() != '\n') return damaged();
  footer = footer.substr(1, footer.size() - 2);
  if (footer.empty()) return zone;
  const auto rule = PosixRuleParser(footer).parse();
  if (!rule) return damaged();
  if (!rule->summer) {
    if (zone.offsets_.back() != rule->standard_offset) {
      zone.add_transition(zone.utc_starts_.empty() ? 0 : zone.utc_starts_.back() + 1, rule->standard_offset);
    }
    return zone;
  }
  const int first_year =
      zone.utc_starts_.empty()
          ? 1970
          : std::max(1900, civil_from_date(
                               {static_cast<std::int32_t>(floor_divide(zone.utc_starts_.back(), 86'400))})
                               .year);
  for (int year = first_year; year <= kRuleYearEnd; ++year) {
    std::pair<std::int64_t, std::int32_t> changes[] = {
        {rule->summer->first.local_seconds(year) - rule->standard_offset, rule->summer_offset},
        {rule->summer->second.local_seconds(year) - rule->summer_offset, rule->standard_offset}};
    std::ranges::sort(changes);  // south of the equator summer ends first
    for (const auto& [at, offset] : changes) zone.add_transition(at, offset);
  }
  return zone;
}

Result<TimeZone> TimeZone::load(std::string_view name, const std::filesystem::path& directory) {
  if (name == "UTC") return TimeZone();
  const bool safe = !name.empty() && name.front() != '/' && name.find("..") == std::string_view::npos &&
                    name.find('\0') == std::string_view::npos;
  const std::filesystem::path path = directory / std::string(name);
  std::error_code ignored;
  if (!safe || !std::filesystem::is_regular_file(path, ignored)) {
    return invalid_input("time zone '" + std::string(name) +
                         "' is unknown: expected an IANA name such as Europe/London or UTC" +
                         (std::filesystem::exists(directory, ignored)
                              ? std::string()
                              : "; " + directory.string() + " is missing, install tzdata"));
  }
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) return io_error("time zone " + path.string() + ": cannot be read");
  return parse(name, bytes);
}

Timestamp TimeZone::to_utc(std::int64_t local_micros) const {
  if (local_starts_.empty()) return {local_micros - offsets_.front() * kMicrosPerSecond};
  const std::int64_t seconds = floor_divide(local_micros, kMicrosPerSecond);
  const std::int64_t folded = seconds - cycles_beyond(seconds) * kCycleSeconds;
  const auto index = std::ranges::upper_bound(local_starts_, folded) - local_starts_.begin();
  return {local_micros - offsets_[static_cast<std::size_t>(index)] * kMicrosPerSecond};
}

std::int64_t TimeZone::to_local(Timestamp instant) const {
  if (utc_starts_.empty()) return instant.micros + offsets_.front() * kMicrosPerSecond;
  const std::int64_t seconds = floor_divide(instant.micros, kMicrosPerSecond);
  const std::int64_t folded = seconds - cycles_beyond(seconds) * kCycleSeconds;
  const auto index = std::ranges::upper_bound(utc_starts_, folded) - utc_starts_.begin();
  return instant.micros + offsets_[static_cast<std::size_t>(index)] * kMicrosPerSecond;
}

}  // namespace tillcast
