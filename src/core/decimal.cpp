#include "core/decimal.h"

#include <array>
#include <charconv>
#include <cmath>

#include "core/text.h"

namespace tillcast {
namespace {

constexpr std::int64_t kUnitsMax = 999'999'999'999'999'999;
constexpr std::array<std::int64_t, 19> kPowersOfTen = {1,
                                                       10,
                                                       100,
                                                       1'000,
                                                       10'000,
                                                       100'000,
                                                       1'000'000,
                                                       10'000'000,
                                                       100'000'000,
                                                       1'000'000'000,
                                                       10'000'000'000,
                                                       100'000'000'000,
                                                       1'000'000'000'000,
                                                       10'000'000'000'000,
                                                       100'000'000'000'000,
                                                       1'000'000'000'000'000,
                                                       10'000'000'000'000'000,
                                                       100'000'000'000'000'000,
                                                       1'000'000'000'000'000'000};

__extension__ typedef __int128 Int128;

std::optional<std::int64_t> fit(Int128 value) {
  if (value > kUnitsMax || value < -Int128{kUnitsMax}) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

Int128 divide_rounding(Int128 value, Int128 divisor) {
  const Int128 half = divisor / 2;
  return value >= 0 ? (value + half) / divisor : (value - half) / divisor;
}

}  // namespace

std::optional<std::int64_t> parse_decimal(std::string_view text, int scale) {
  const char* at = text.data();
  const char* const end = at + text.size();
  bool negative = false;
  if (at != end && (*at == '-' || *at == '+')) negative = *at++ == '-';
  const char* const digits_begin = at;

  std::int64_t mantissa = 0;
  int fraction_digits = 0;  // digits after the point that are in `mantissa`
  int digits_seen = 0;
  bool after_point = false;
  bool rounded = false;
  for (; at != end; ++at) {
    if (*at == '.') {
      if (after_point) return std::nullopt;
      after_point = true;
      continue;
    }
    if (!is_ascii_digit(*at)) break;
    ++digits_seen;
    if (mantissa > kUnitsMax / 10 || (after_point && fraction_digits >= 17)) {
      if (!after_point) return std::nullopt;
      if (!rounded && *at >= '5')
        ++mantissa;  // the first digit dropped decides; the rest only matter at a tie
      rounded = true;
      continue;
    }
    mantissa = mantissa * 10 + (*at - '0');
    if (after_point) ++fraction_digits;
  }
  if (digits_seen == 0) return std::nullopt;

  int exponent = 0;
  if (at != end) {
    if ((*at != 'e' && *at != 'E') || at == digits_begin) return std::nullopt;
    ++at;
    if (at != end && *at == '+') ++at;
    const auto parsed = std::from_chars(at, end, exponent);
    if (parsed.ec != std::errc{} || parsed.ptr != end || exponent > 30 || exponent < -60) return std::nullopt;
  }

  const int shift = scale - fraction_digits + exponent;
  Int128 units = mantissa;
  if (shift > 0) {
    for (int i = 0; i < shift; ++i) {
      units *= 10;
      if (units > kUnitsMax) return std::nullopt;
    }
  } else if (shift < 0) {
    units = -shift > 18 ? 0 : divide_rounding(units, kPowersOfTen[static_cast<std::size_t>(-shift)]);
  }
  return fit(negative ? -units : units);
}

std::string format_decimal(std::int64_t units, int scale) {
  const bool negative = units < 0;
  const auto magnitude = negative ? 0 - static_cast<std::uint64_t>(units) : static_cast<std::uint64_t>(units);
  std::string digits = std::to_string(magnitude);
  const auto fraction = static_cast<std::size_t>(scale);
  if (scale > 0) {
    if (digits.size() <= fraction) digits.insert(0, fraction + 1 - digits.size(), '0');
    digits.insert(digits.size() - fraction, 1, '.');
  }
  return negative ? "-" + digits : digits;
}

std::optional<std::int64_t> multiply_decimals(std::int64_t a, int a_scale, std::int64_t b, int b_scale,
                                              int out_scale) {
  Int128 product = Int128{a} * b;
  const int shift = out_scale - a_scale - b_scale;
  if (shift > 18 || shift < -18) return std::nullopt;
  if (shift >= 0) {
    const Int128 power = kPowersOfTen[static_cast<std::size_t>(shift)];
    if (product > kUnitsMax || product < -Int128{kUnitsMax}) return std::nullopt;
    product *= power;
  } else {
    product = divide_rounding(product, kPowersOfTen[static_cast<std::size_t>(-shift)]);
  }
  return fit(product);
}

}  // namespace tillcast
