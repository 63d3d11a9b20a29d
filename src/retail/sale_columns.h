#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/column_batch.h"
#include "core/decimal.h"

namespace tillcast::retail {

/// Places of a sale line's columns in the typed batch.
struct SaleColumns {
  std::size_t order_id, line_no, kind, ordered_at, business_date, store_id, product_id, product_name,
      quantity, unit_price, amount, currency, customer_id, country, channel, promotion, event_id, order_key,
      product_key, customer_key, is_repeat;

  /// @param typed_specs  typed_columns(Dataset::kSaleLine)
  static SaleColumns of(std::span<const ColumnSpec> typed_specs);
};

/// The place of a column that the dataset has.
std::size_t typed_index(std::span<const ColumnSpec> typed_specs, std::string_view name);

/// quantity (thousandths) x unit price (ten-thousandths), in ten-thousandths; nullopt beyond 18 digits.
/// Inline, because it runs for every line.
inline std::optional<std::int64_t> line_amount(std::int64_t quantity, std::int64_t unit_price) {
  std::int64_t product = 0;
  if (!__builtin_mul_overflow(quantity, unit_price, &product) && product < 900'000'000'000'000'000 &&
      product > -900'000'000'000'000'000) {
    return (product >= 0 ? product + 500 : product - 500) / 1000;
  }
  return multiply_decimals(quantity, 3, unit_price, 4, 4);
}

/// A key as the BIGINT column holds it.
inline std::int64_t as_bigint(std::uint64_t key) { return static_cast<std::int64_t>(key); }

}  // namespace tillcast::retail
