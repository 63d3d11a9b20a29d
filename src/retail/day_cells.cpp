#include "retail/day_cells.h"

#include <algorithm>
#include <array>
#include <optional>

#include "retail/identity.h"

namespace tillcast::retail {

std::string misdated(std::int64_t day, std::optional<Date> sales_until) {
  const std::string written = format_date({static_cast<std::int32_t>(day)});
  if (day < kFirstDay.days) return written + " is before " + format_date(kFirstDay);
  return written + " lies in the future: no sale is later than " + format_date(*sales_until);
}

DayCells::DayCells(const ColumnMapping& mapping, std::span<const std::string> header, const TimeZone& zone,
                   const SaleColumns& sale, std::optional<Date> sales_until)
    : sale_(sale),
      decimal_separator_(mapping.decimal_separator),
      negative_kind_(mapping.kinds.negative),
      sales_until_(sales_until) {
  if (!mapping.wide) return;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const int day = wide_day(*mapping.wide, header[i]);
    if (day == 0) continue;
    const std::int64_t date = mapping.wide->first_date.days + day - 1;
    days_.push_back(
        {i, zone.to_utc(date * kMicrosPerDay).micros, date, sales_until && date > sales_until->days});
    names_.push_back(header[i]);
  }
}

bool DayCells::is_day(std::size_t header_index) const {
  return std::ranges::binary_search(days_, header_index, {}, &Day::index);
}

std::size_t DayCells::expand(const RecordBatch& records, const ColumnBatch& base, const Series& series,
                             Faults& faults, OrderLines& lines, ColumnBatch& typed, TextArena& arena,
                             const RefuseCell& refuse) const {
  std::size_t cells = 0;
  for (const Day& day : days_) {
    for (const std::string_view text : records.columns[day.index]) cells += trim(text).empty() ? 0 : 1;
  }
  typed.rows = cells;
  for (Column& column : typed.columns) prepare_column(column, cells);
  for (const std::size_t out_index : series.nulls) {
    std::ranges::fill(typed.columns[out_index].text, std::string_view());
    std::ranges::fill(typed.columns[out_index].ints, 0);
    typed.columns[out_index].valid.assign(cells, 0);
  }
  auto& all = typed.columns;
  std::vector<std::uint64_t> words;
  char* hex = arena.allocate(cells * kEventIdDigits);
  std::size_t to = 0;
  std::size_t next_fault = 0;
  faults.sort_by_row();
  for (std::size_t row = 0; row < records.rows; ++row) {
    const Fault* fault = nullptr;
    if (faults.failed(row)) {
      while (faults.list()[next_fault].row != row) ++next_fault;
      fault = &faults.list()[next_fault];
    }
    const std::size_t first = to;
    words.assign(1, series.source_key);
    for (std::size_t i = 0; i < days_.size(); ++i) {
      const Day& day = days_[i];
      const std::string_view text = trim(records.columns[day.index][row]);
      if (text.empty()) continue;
      std::int64_t units = 0;
      std::string_view reason;
      if (fault != nullptr) {
        refuse(row, day.index, fault->column, fault->reason, fault->message);
        continue;
      }
      if (day.too_late) {
        refuse(row, day.index, static_cast<int>(day.index), "date_too_late",
               misdated(day.date, sales_until_));
        continue;
      }
      if (!ValueColumn::read_number(text, decimal_separator_, 3, units, reason)) {
        refuse(row, day.index, static_cast<int>(day.index), reason,
               "column " + names_[i] + ": '" + std::string(text.substr(0, 60)) + "' is not a number");
        continue;
      }
      all[sale_.quantity].ints[to] = units;
      all[sale_.ordered_at].ints[to] = day.instant;
      all[sale_.business_date].ints[to] = day.date;
      words.push_back(static_cast<std::uint64_t>(units));
      ++to;
    }
    if (first == to) continue;

    for (const std::size_t i : series.shared) {
      const Column& from = base.columns[i];
      for (std::size_t at = first; at < to; ++at) {
        if (from.is_null(row)) {
          set_null(all[i], at);
        } else if (from.spec.type == ColumnType::kText) {
          all[i].text[at] = from.text[row];
        } else {
          all[i].ints[at] = from.ints[row];
        }
      }
    }
    // Days differ within a row, so copies can only come from another row of the same series: one entry
    // per row.
    const std::uint64_t product = text_key(base.columns[sale_.product_id].text[row]);
    const std::uint64_t store = text_key(base.columns[sale_.store_id].text[row]);
    const bool known = !base.columns[sale_.customer_id].is_null(row);
    const std::uint64_t customer = known ? text_key(base.columns[sale_.customer_id].text[row]) : 0;
    const bool priced = !base.columns[sale_.unit_price].is_null(row);
    const std::array<std::uint64_t, 3> place = {series.source_key, product, store};
    const std::int32_t copy = lines.add(0, hash_words(place).low | 1, records.row_numbers[row]).copy;
    words.push_back(product);
    words.push_back(store);
    const bool repeat =
        lines.add(0, (hash_words(words).low & ~std::uint64_t{1}) | 2, records.row_numbers[row]).copy > 1;
    for (std::size_t at = first; at < to; ++at) {
      const std::int64_t units = all[sale_.quantity].ints[at];
      const std::array<std::uint64_t, 7> identity = {
          series.source_key,
          0,
          static_cast<std::uint64_t>(all[sale_.ordered_at].ints[at]),
          static_cast<std::uint64_t>(units),
          product,
          store,
          customer};
      LineHash hash = hash_words(identity);
      if (copy > 1) hash = hash_of_copy(hash, copy);
      write_hex(hash, hex);
      all[sale_.event_id].text[at] = {hex, kEventIdDigits};
      hex += kEventIdDigits;
      all[sale_.kind].text[at] = units < 0 ? std::string_view(negative_kind_) : std::string_view("sale");
      const auto amount =
          priced ? line_amount(units, base.columns[sale_.unit_price].ints[row]) : std::nullopt;
      if (amount) {
        all[sale_.amount].ints[at] = *amount;
      } else {
        set_null(all[sale_.amount], at);
      }
      all[sale_.line_no].ints[at] = copy;
      set_null(all[sale_.order_key], at);
      all[sale_.product_key].ints[at] = as_bigint(product);
      all[sale_.customer_key].ints[at] = as_bigint(customer);
      all[sale_.is_repeat].ints[at] = repeat ? 1 : 0;
      all.back().ints[at] = records.row_numbers[row];
    }
  }
  for (Column& column : all) {
    column.text.resize(column.spec.type == ColumnType::kText ? to : 0);
    column.ints.resize(column.spec.type == ColumnType::kText ? 0 : to);
    if (!column.valid.empty()) column.valid.resize(to);
  }
  typed.rows = to;
  return cells;
}

}  // namespace tillcast::retail
