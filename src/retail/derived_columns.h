#pragma once

#include <cstdint>
#include <span>

#include "core/column_batch.h"
#include "retail/column_mapping.h"
#include "retail/order_lines.h"
#include "retail/sale_columns.h"
#include "retail/value_columns.h"

namespace tillcast::retail {

/// What is known of the source of sale lines, and which columns it gives that would else be derived.
struct SaleSource {
  const ColumnMapping& mapping;
  const SaleColumns& columns;
  std::uint64_t key = 1;  ///< of the source's name
  bool has_kind = false;
  bool constant_kind = false;
  bool has_amount = false;
  bool has_line_no = false;
  bool has_event_id = false;
  int price_header = -1;  ///< of the unit price, where a fault of a derived amount is shown; -1 = none
};

/// Everything of a sale line that follows from its other columns: keys, kind, amount, line number, event id.
/// Rows already refused are passed over.
void fill_sale_rows(const SaleSource& source, std::span<const std::int64_t> row_numbers, ColumnBatch& typed,
                    TextArena& arena, OrderLines& lines, Faults& faults);

/// Identity of store days: source, store, day and figures; no ordinal, a day is there once.
void fill_store_days(std::uint64_t source_key, bool has_event_id, ColumnBatch& typed, TextArena& arena,
                     const Faults& faults);

}  // namespace tillcast::retail
