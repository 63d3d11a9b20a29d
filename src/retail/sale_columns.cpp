#include "retail/sale_columns.h"

#include <algorithm>

#include "core/check.h"

namespace tillcast::retail {

std::size_t typed_index(std::span<const ColumnSpec> typed_specs, std::string_view name) {
  const auto found = std::ranges::find(typed_specs, name, &ColumnSpec::name);
  TILLCAST_CHECK(found != typed_specs.end(), "a column of the dataset");
  return static_cast<std::size_t>(found - typed_specs.begin());
}

SaleColumns SaleColumns::of(std::span<const ColumnSpec> typed_specs) {
  const auto place = [typed_specs](std::string_view name) { return typed_index(typed_specs, name); };
  return {.order_id = place("order_id"),
          .line_no = place("line_no"),
          .kind = place("kind"),
          .ordered_at = place("ordered_at"),
          .business_date = place("business_date"),
          .store_id = place("store_id"),
          .product_id = place("product_id"),
          .product_name = place("product_name"),
          .quantity = place("quantity"),
          .unit_price = place("unit_price"),
          .amount = place("amount"),
          .currency = place("currency"),
          .customer_id = place("customer_id"),
          .country = place("country"),
          .channel = place("channel"),
          .promotion = place("promotion"),
          .event_id = place("event_id"),
          .order_key = place("order_key"),
          .product_key = place("product_key"),
          .customer_key = place("customer_key"),
          .is_repeat = place("is_repeat")};
}

}  // namespace tillcast::retail
