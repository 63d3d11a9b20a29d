#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "core/civil_time.h"

namespace tillcast::database {

/// `units` of 10^-scale; DECIMAL(18, scale).
struct DecimalValue {
  std::int64_t units = 0;
  int scale = 0;
  bool operator==(const DecimalValue&) const = default;
};

/// A parameter or constant. std::monostate is NULL.
using Value =
    std::variant<std::monostate, std::string, std::int64_t, double, bool, DecimalValue, Date, Timestamp>;

/// The value as a typed SQL literal: 'O''Brien', 42::BIGINT, DATE '2024-03-01', NULL.
std::string sql_literal(const Value& value);
/// 'text' with quotes doubled.
std::string sql_quote(std::string_view text);
/// "name" with quotes doubled.
std::string sql_identifier(std::string_view name);

}  // namespace tillcast::database
