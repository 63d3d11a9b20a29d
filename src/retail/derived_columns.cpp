#include "retail/derived_columns.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "retail/identity.h"

namespace tillcast::retail {
namespace {

/// Reuses the hash of a text that neighbouring rows share. Valid within one batch.
class KeyMemo {
 public:
  std::uint64_t key(std::string_view text) {
    if (text.size() != last_.size() || std::memcmp(text.data(), last_.data(), text.size()) != 0 ||
        key_ == 0) {
      key_ = text_key(text);
      last_ = text;
    }
    return key_;
  }

 private:
  std::string_view last_;
  std::uint64_t key_ = 0;
};

}  // namespace

void fill_sale_rows(const SaleSource& source, std::span<const std::int64_t> row_numbers, ColumnBatch& typed,
                    TextArena& arena, OrderLines& lines, Faults& faults) {
  const SaleColumns& sale = source.columns;
  const KindRules& kinds = source.mapping.kinds;
  auto& all = typed.columns;
  const std::size_t rows = typed.rows;
  Column& order_id = all[sale.order_id];
  Column& kind = all[sale.kind];
  Column& amount = all[sale.amount];
  Column& line_no = all[sale.line_no];
  Column& event_id = all[sale.event_id];
  Column& order_key_out = all[sale.order_key];
  const Column& unit_price = all[sale.unit_price];
  const Column& quantity = all[sale.quantity];
  for (const std::size_t out : {sale.order_key, sale.product_key, sale.customer_key, sale.is_repeat})
    prepare_column(all[out], rows);
  if (!source.has_amount) prepare_column(amount, rows);
  if (!source.has_line_no) prepare_column(line_no, rows);
  if (!source.has_kind && !source.constant_kind) prepare_column(kind, rows);
  if (!source.has_event_id) prepare_column(event_id, rows);

  KeyMemo customer_memo, country_memo, store_memo, channel_memo, currency_memo;
  std::string_view last_order;
  std::uint64_t key = 0;
  std::string_view prefix_kind;
  char* hex = arena.allocate(rows * kEventIdDigits);
  for (std::size_t row = 0; row < rows; ++row) {
    if (faults.failed(row)) continue;
    const std::int64_t units = quantity.ints[row];
    const bool priced = !unit_price.is_null(row);
    if (!source.has_amount || amount.is_null(row)) {
      if (!priced) {
        set_null(amount, row);
      } else if (const auto product = line_amount(units, unit_price.ints[row])) {
        amount.ints[row] = *product;
        if (!amount.valid.empty()) amount.valid[row] = 1;
      } else {
        faults.add(row, source.price_header, "number_too_large",
                   "quantity x unit_price has more than 18 digits");
        continue;
      }
    }

    const bool has_order = !order_id.is_null(row);
    if (!has_order) {
      key = 0;
      last_order = {};
      prefix_kind = {};
      set_null(order_key_out, row);
    } else {
      const std::string_view order = order_id.text[row];
      if (order.size() != last_order.size() ||
          std::memcmp(order.data(), last_order.data(), order.size()) != 0) {
        key = order_key(source.mapping.source, order);
        last_order = order;
        prefix_kind = {};
        for (const auto& [prefix, prefixed] : kinds.order_prefixes) {
          if (order.starts_with(prefix)) prefix_kind = prefixed;
        }
      }
      order_key_out.ints[row] = as_bigint(key);
    }
    if ((!source.has_kind || kind.is_null(row)) && !source.constant_kind) {
      std::string_view chosen = "sale";
      if (!prefix_kind.empty()) {
        chosen = prefix_kind;
      } else if (units < 0) {
        const bool free = priced && unit_price.ints[row] == 0 && !kinds.negative_unpriced.empty();
        chosen = free ? kinds.negative_unpriced : kinds.negative;
      }
      kind.text[row] = chosen;
      if (!kind.valid.empty()) kind.valid[row] = 1;
    }

    const std::uint64_t product = text_key(all[sale.product_id].text[row]);
    const bool known = !all[sale.customer_id].is_null(row);
    const std::uint64_t customer = known ? customer_memo.key(all[sale.customer_id].text[row]) : 0;
    all[sale.product_key].ints[row] = as_bigint(product);
    all[sale.customer_key].ints[row] = as_bigint(customer);

    const auto optional_key = [&all, row](std::size_t column, KeyMemo& memo) {
      return all[column].is_null(row) ? 0 : memo.key(all[column].text[row]);
    };
    const Column& name = all[sale.product_name];
    const std::uint64_t nulls_mask =
        (priced ? 1U : 0U) | (amount.is_null(row) ? 0U : 2U) | (all[sale.promotion].is_null(row) ? 0U : 4U) |
        (all[sale.promotion].is_null(row) || all[sale.promotion].ints[row] == 0 ? 0U : 8U);
    const std::array<std::uint64_t, 15> words = {source.key,
                                                 key,
                                                 static_cast<std::uint64_t>(all[sale.ordered_at].ints[row]),
                                                 static_cast<std::uint64_t>(units),
                                                 static_cast<std::uint64_t>(unit_price.ints[row]),
                                                 static_cast<std::uint64_t>(amount.ints[row]),
                                                 nulls_mask,
                                                 product,
                                                 name.is_null(row) ? 0 : text_key(name.text[row]),
                                                 customer,
                                                 optional_key(sale.country, country_memo),
                                                 optional_key(sale.store_id, store_memo),
                                                 optional_key(sale.channel, channel_memo),
                                                 optional_key(sale.currency, currency_memo),
                                                 source.has_kind ? text_key(kind.text[row]) : 0};
    LineHash hash = hash_words(words);
    const OrderLines::Position position = lines.add(key, hash.low != 0 ? hash.low : 1, row_numbers[row]);
    if (!source.has_line_no || line_no.is_null(row)) {
      line_no.ints[row] = position.line_no;
      if (!line_no.valid.empty()) line_no.valid[row] = 1;
    } else if (line_no.ints[row] < 1 || line_no.ints[row] > INT32_MAX) {
      faults.add(row, -1, "bad_value",
                 "line_no " + std::to_string(line_no.ints[row]) + " is outside 1..2147483647");
      continue;
    }
    all[sale.is_repeat].ints[row] = position.copy > 1 ? 1 : 0;
    if (!source.has_event_id || event_id.is_null(row)) {
      if (position.copy > 1) hash = hash_of_copy(hash, position.copy);
      write_hex(hash, hex);
      event_id.text[row] = {hex, kEventIdDigits};
      if (!event_id.valid.empty()) event_id.valid[row] = 1;
      hex += kEventIdDigits;
    }
  }
}

void fill_store_days(std::uint64_t source_key, bool has_event_id, ColumnBatch& typed, TextArena& arena,
                     const Faults& faults) {
  Column& event_id =
      *std::ranges::find(typed.columns, std::string_view("event_id"),
                         [](const Column& column) { return std::string_view(column.spec.name); });
  if (!has_event_id) prepare_column(event_id, typed.rows);
  char* hex = arena.allocate(typed.rows * kEventIdDigits);
  std::vector<std::uint64_t> words;
  for (std::size_t row = 0; row < typed.rows; ++row) {
    if (faults.failed(row) || (has_event_id && !event_id.is_null(row))) continue;
    words.assign(1, source_key);
    for (const Column& column : typed.columns) {
      if (&column == &event_id || column.spec.name == "source_row") continue;
      words.push_back(column.is_null(row) ? 0 : 1);
      words.push_back(column.is_null(row)                     ? 0
                      : column.spec.type == ColumnType::kText ? text_key(column.text[row])
                                                              : static_cast<std::uint64_t>(column.ints[row]));
    }
    write_hex(hash_words(words), hex);
    event_id.text[row] = {hex, kEventIdDigits};
    if (!event_id.valid.empty()) event_id.valid[row] = 1;
    hex += kEventIdDigits;
  }
}

}  // namespace tillcast::retail
