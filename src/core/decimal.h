#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tillcast {

/// Parses a plain decimal ("-12.50", "+3", ".5", "1e3") exactly into units of 10^-scale.
/// More fraction digits than `scale` are rounded half away from zero, so that floats written out by other
/// programs ("18.000000000000004") still load; nothing else is lost.
/// @return nullopt for anything that is not a number or does not fit 18 digits. Pure, thread-safe.
std::optional<std::int64_t> parse_decimal(std::string_view text, int scale);

/// Writes `units` of 10^-scale with exactly `scale` fraction digits: (-1250, 2) -> "-12.50".
std::string format_decimal(std::int64_t units, int scale);

/// a * b rounded half away from zero: units of 10^-a_scale times 10^-b_scale, given in 10^-out_scale.
/// @return nullopt when the product does not fit 18 digits.
std::optional<std::int64_t> multiply_decimals(std::int64_t a, int a_scale, std::int64_t b, int b_scale,
                                              int out_scale);

/// A fixed-point number of 18 digits with kScale after the point; DECIMAL(18, kScale) in SQL.
/// Money is never a float.
template <int kScale>
struct Decimal {
  std::int64_t units = 0;  ///< value * 10^kScale

  static std::optional<Decimal> parse(std::string_view text) {
    const auto parsed = parse_decimal(text, kScale);
    if (!parsed) return std::nullopt;
    return Decimal{*parsed};
  }
  std::string to_string() const { return format_decimal(units, kScale); }
  auto operator<=>(const Decimal&) const = default;
  Decimal operator+(Decimal other) const { return {units + other.units}; }
  Decimal operator-(Decimal other) const { return {units - other.units}; }
};

using Quantity = Decimal<3>;
using UnitPrice = Decimal<4>;
using Money = Decimal<4>;

}  // namespace tillcast
