#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace tillcast::retail {

/// A date or date-time as written, before any time zone is applied.
struct WrittenTime {
  std::int64_t micros = 0;                     ///< since 1970-01-01T00:00 on the writer's clock
  std::optional<std::int32_t> offset_seconds;  ///< east of UTC, where the text says so ("Z", "+02:00")
};

/// A way to write dates, compiled: YYYY YY MMM MM M DD D HH H MM SS AMPM and literal characters, for example
/// "M/D/YYYY H:MM". After hours, MM and M are minutes. One-letter fields take one or two digits, two-letter
/// fields exactly two. "ISO" is ISO 8601: YYYY-MM-DD, optionally with T or a space, HH:MM, :SS, a fraction
/// and Z or ±HH:MM. "SERIAL" is a spreadsheet's day number. YY is 1969..2068. Pure, thread-safe.
class DateFormat {
 public:
  /// @return kInvalidInput for a format without year, month and day, or with an unknown letter.
  static Result<DateFormat> parse(std::string_view format);

  /// @return nullopt when the text is written otherwise or is no real time.
  std::optional<WrittenTime> read(std::string_view text) const;

  const std::string& text() const { return text_; }

 private:
  enum class Part : std::uint8_t {
    kYear,
    kShortYear,
    kMonth,
    kMonthName,
    kDay,
    kHour,
    kMinute,
    kSecond,
    kHalf,
    kLiteral
  };
  struct Step {
    Part part;
    std::uint8_t digits_min;
    std::uint8_t digits_max;
    char literal;
  };
  enum class Kind : std::uint8_t { kSteps, kIso, kSerial };
  std::string text_;
  std::vector<Step> steps_;
  Kind kind_ = Kind::kSteps;
};

/// A spreadsheet's day number as a time, rounded to the second. Serial 60 of the 1900 system is the
/// 29 February 1900 that Excel invented; earlier days are one off because of it, as in Excel.
std::optional<WrittenTime> read_serial_date(std::string_view text, bool epoch_1904);

/// ISO 8601 as DateFormat "ISO".
std::optional<WrittenTime> read_iso_time(std::string_view text);

}  // namespace tillcast::retail
