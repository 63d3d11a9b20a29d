#include "retail/record_converter.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "core/check.h"
#include "core/time_zone.h"
#include "retail/day_cells.h"
#include "retail/identity.h"
#include "retail/order_lines.h"
#include "retail/sale_columns.h"
#include "retail/value_columns.h"

namespace tillcast::retail {
namespace {

constexpr std::size_t kRawBytesMax = 64 << 10;

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
  void reset() { *this = {}; }

 private:
  std::string_view last_;
  std::uint64_t key_ = 0;
};

void append_csv_field(std::string& line, std::string_view field) {
  if (field.find_first_of(",\"\r\n") == std::string_view::npos) {
    line += field;
    return;
  }
  line += '"';
  for (const char c : field) {
    if (c == '"') line += '"';
    line += c;
  }
  line += '"';
}

/// Removes the rows flagged as failed.
void drop_rows(Column& column, const std::vector<std::uint8_t>& failed) {
  const auto keep = [&failed](auto& values) {
    if (values.empty()) return;
    std::size_t to = 0;
    for (std::size_t row = 0; row < failed.size(); ++row) {
      if (failed[row] == 0) values[to++] = values[row];
    }
    values.resize(to);
  };
  keep(column.text);
  keep(column.ints);
  keep(column.valid);
}

void set_columns(ColumnBatch& batch, const std::vector<ColumnSpec>& specs) {
  const bool same = std::ranges::equal(batch.columns, specs, {}, &Column::spec);
  if (!same) {
    batch.columns.clear();
    for (const ColumnSpec& spec : specs)
      batch.columns.push_back({.spec = spec, .text = {}, .ints = {}, .doubles = {}, .valid = {}});
  }
  batch.rows = 0;
  batch.owners.clear();
}

/// ISO 8601: week 1 holds the first Thursday; weeks begin on Monday.
std::optional<Date> monday_of_week(std::int64_t year, std::int64_t week) {
  if (year < 1 || year > 9998 || week < 1 || week > 53) return std::nullopt;
  const Date fourth = date_from_civil(static_cast<int>(year), 1, 4);
  const Date monday{fourth.days - (iso_weekday(fourth) - 1) + static_cast<std::int32_t>(week - 1) * 7};
  if (week == 53 && civil_from_date({monday.days + 3}).year != year) return std::nullopt;
  return monday;
}

}  // namespace

struct RecordConverter::State {
  struct DateParts {
    std::size_t out;
    int year, second;
    bool week;
  };
  struct Constant {
    std::size_t out;
    std::string text;
  };
  ColumnMapping mapping;
  std::vector<std::string> header;
  std::vector<ColumnSpec> typed_specs, bronze_specs, reject_specs;
  TimeZone zone;
  std::vector<ValueColumn> columns;
  std::vector<std::size_t> column_outs;  ///< of `columns`, in the typed batch
  std::vector<Constant> constants;
  std::vector<std::size_t> nulls;  ///< typed columns nobody fills
  std::vector<DateParts> date_parts;
  DayCells days;                         ///< of a wide file
  std::vector<std::size_t> shared_outs;  ///< wide files: typed columns that all days of a row share
  SaleColumns sale{};
  OrderLines lines{LineNumbers::kByOrder};
  Faults faults;
  int day_column = -1;  ///< header index of the day, or of its year
  ColumnBatch base;     ///< wide files: the columns that are no days
  std::string raw_line;
  std::uint64_t source_key = 1;
  ConvertedCounts totals;
  std::optional<Date> sales_until;

  bool has_source(std::size_t out) const { return std::ranges::find(column_outs, out) != column_outs.end(); }

  Result<void> bind(const std::string& file_name);
  void convert_columns(const RecordBatch& records, ColumnBatch& typed, TextArena& arena);
  void convert_date_parts(const RecordBatch& records, Column& out, const DateParts& parts);
  void check_days(const Column& days);
  void fill_sale_rows(ColumnBatch& typed, TextArena& arena, std::span<const std::int64_t> row_numbers);
  void fill_store_days(ColumnBatch& typed, TextArena& arena);
  void reject(ColumnBatch& rejects, TextArena& arena, std::int64_t row, int column, std::string_view reason,
              std::string_view message, std::string_view raw);
  std::string_view raw_record(const RecordBatch& records, std::size_t row, int wide_cell);
  void take_bronze(RecordBatch& records, ConvertedBatch& out, const Column* dates);
};

Result<void> RecordConverter::State::bind(const std::string& file_name) {
  const std::vector<std::string> missing = missing_columns(mapping, header);
  if (!missing.empty()) {
    std::string text;
    for (const std::string& name : missing) text += (text.empty() ? "" : ", ") + name;
    std::string found;
    for (std::size_t i = 0; i < std::min<std::size_t>(header.size(), 40); ++i)
      found += (i == 0 ? "" : ", ") + header[i];
    return invalid_input((file_name.empty() ? "" : file_name + ": ") + "mapping " + mapping.name +
                         " needs the column" + (missing.size() > 1 ? "s " : " ") + text + "; found " + found +
                         ". Rename the columns, or describe them with --mapping FILE");
  }
  zone = TILLCAST_TRY_PLAIN(TimeZone::load(mapping.time_zone));
  typed_specs = typed_columns(mapping.dataset);
  bronze_specs = bronze_columns(header);
  reject_specs = reject_columns();
  source_key = text_key(mapping.source);
  lines = OrderLines(mapping.line_numbers);

  std::vector<bool> filled(typed_specs.size());
  for (const char* derived : {"business_date", "event_id", "order_key", "product_key", "customer_key",
                              "is_repeat", "source_row", "line_no", "kind", "amount"}) {
    if (mapping.dataset != Dataset::kSaleLine && std::string_view(derived) != "source_row" &&
        std::string_view(derived) != "event_id")
      continue;
    const bool described = mapping.dataset == Dataset::kStore || mapping.dataset == Dataset::kStorePlan;
    if (described && std::string_view(derived) == "event_id") continue;
    filled[typed_index(typed_specs, derived)] = true;
  }
  for (const FieldSpec& field : dataset_fields(mapping.dataset)) {
    const std::size_t out = typed_index(typed_specs, field.name);
    const auto constant =
        std::ranges::find(mapping.constants, field.name, &std::pair<std::string, std::string>::first);
    const std::string text = constant == mapping.constants.end() ? std::string() : constant->second;
    const ColumnSource* source = mapping.find(field.name);
    int index = -1;
    for (std::size_t i = 0; source != nullptr && index < 0 && i < source->from.size(); ++i)
      index = find_header(header, source->from[i]);
    if (source != nullptr && !source->year.empty()) {
      const int year = find_header(header, source->year);
      const int second = find_header(header, source->week.empty() ? source->month : source->week);
      if (year >= 0 && second >= 0) {
        date_parts.push_back({out, year, second, !source->week.empty()});
        if (field.name == "business_date") day_column = year;
        filled[out] = true;
      }
    } else if (index >= 0) {
      if (field.name == "business_date" || field.name == "ordered_at") day_column = index;
      columns.emplace_back(field, *source, header[static_cast<std::size_t>(index)], index,
                           mapping.decimal_separator, text);
      column_outs.push_back(out);
      filled[out] = true;
    } else if (!text.empty()) {
      constants.push_back({out, text});
      filled[out] = true;
    } else if (field.value_required &&
               !(mapping.wide && (field.name == "quantity" || field.name == "ordered_at"))) {
      return invalid_input((file_name.empty() ? "" : file_name + ": ") + "mapping " + mapping.name + ": " +
                           std::string(field.name) + " has neither a column in this file nor a constant");
    }
  }
  for (const std::size_t out : column_outs) shared_outs.push_back(out);
  for (const Constant& constant : constants) shared_outs.push_back(constant.out);
  if (mapping.wide) {
    for (const char* name : {"ordered_at", "quantity"}) filled[typed_index(typed_specs, name)] = true;
  }
  for (std::size_t i = 0; i < filled.size(); ++i) {
    if (!filled[i]) nulls.push_back(i);
  }
  if (mapping.dataset == Dataset::kSaleLine) {
    sale = SaleColumns::of(typed_specs);
    days = DayCells(mapping, header, zone, sale, sales_until);
  }
  return {};
}

/// A date from a year and a month or ISO week. An absent or zero year is no date.
void RecordConverter::State::convert_date_parts(const RecordBatch& records, Column& out,
                                                const DateParts& parts) {
  prepare_column(out, records.rows);
  for (std::size_t row = 0; row < records.rows; ++row) {
    const std::string_view year_text = trim(records.columns[static_cast<std::size_t>(parts.year)][row]);
    const std::string_view second_text = trim(records.columns[static_cast<std::size_t>(parts.second)][row]);
    if (year_text.empty() && second_text.empty()) {
      set_null(out, row);
      continue;
    }
    std::int64_t year = 0;
    std::int64_t second = 0;
    std::string_view reason;
    const bool numbers = ValueColumn::read_number(year_text, '.', 0, year, reason) &&
                         ValueColumn::read_number(second_text, '.', 0, second, reason);
    std::optional<Date> date;
    if (numbers && parts.week) {
      date = monday_of_week(year, second);
    } else if (numbers && year >= 1 && year <= 9999 && second >= 1 && second <= 12) {
      date = date_from_civil(static_cast<int>(year), static_cast<int>(second), 1);
    }
    if (date) {
      out.ints[row] = date->days;
    } else {
      faults.add(row, parts.year, "bad_date",
                 "year '" + std::string(year_text.substr(0, 40)) + "' with " +
                     (parts.week ? "week '" : "month '") + std::string(second_text.substr(0, 40)) +
                     "' is no date");
      set_null(out, row);
    }
  }
}

void RecordConverter::State::convert_columns(const RecordBatch& records, ColumnBatch& typed,
                                             TextArena& arena) {
  const std::size_t rows = records.rows;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const bool instant = columns[i].field().type == FieldType::kInstant;
    columns[i].convert(records, typed.columns[column_outs[i]],
                       instant ? &typed.columns[sale.business_date] : nullptr, arena, faults);
  }
  for (const DateParts& parts : date_parts) convert_date_parts(records, typed.columns[parts.out], parts);
  for (const Constant& constant : constants) {
    prepare_column(typed.columns[constant.out], rows);
    std::ranges::fill(typed.columns[constant.out].text, std::string_view(constant.text));
  }
  for (const std::size_t out : nulls) {
    Column& column = typed.columns[out];
    prepare_column(column, rows);
    std::ranges::fill(column.text, std::string_view());
    std::ranges::fill(column.ints, 0);
    column.valid.assign(rows, 0);
  }
}

/// Refuses days that can only be slips of the pen.
void RecordConverter::State::check_days(const Column& days_of_rows) {
  const auto too_late = [&](std::int64_t day) { return sales_until && day > sales_until->days; };
  for (std::size_t row = 0; row < days_of_rows.ints.size(); ++row) {
    const std::int64_t day = days_of_rows.ints[row];
    if (day >= kFirstDay.days && !too_late(day)) [[likely]]
      continue;
    if (days_of_rows.is_null(row)) continue;
    faults.add(row, day_column, too_late(day) ? "date_too_late" : "date_too_early",
               misdated(day, sales_until));
  }
}

/// Everything of a sale line that follows from its other columns. Rows already refused are passed over.
void RecordConverter::State::fill_sale_rows(ColumnBatch& typed, TextArena& arena,
                                            std::span<const std::int64_t> row_numbers) {
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
  const bool own_kind = has_source(sale.kind);
  const bool own_amount = has_source(sale.amount);
  const bool own_line_no = has_source(sale.line_no);
  const bool own_event_id = has_source(sale.event_id);
  const bool constant_kind =
      std::ranges::any_of(constants, [this](const Constant& constant) { return constant.out == sale.kind; });
  for (const std::size_t out : {sale.order_key, sale.product_key, sale.customer_key, sale.is_repeat})
    prepare_column(all[out], rows);
  if (!own_amount) prepare_column(amount, rows);
  if (!own_line_no) prepare_column(line_no, rows);
  if (!own_kind && !constant_kind) prepare_column(kind, rows);
  if (!own_event_id) prepare_column(event_id, rows);
  const int amount_column = own_amount ? -1 : [this] {
    for (const ValueColumn& column : columns) {
      if (column.field().name == "unit_price") return column.header_index();
    }
    return -1;
  }();

  KeyMemo customer_memo, country_memo, store_memo, channel_memo, currency_memo;
  std::string_view last_order;
  std::uint64_t key = 0;
  std::string_view prefix_kind;
  char* hex = arena.allocate(rows * kEventIdDigits);
  for (std::size_t row = 0; row < rows; ++row) {
    if (faults.failed(row)) continue;
    const std::int64_t units = quantity.ints[row];
    const bool priced = !unit_price.is_null(row);
    if (!own_amount || amount.is_null(row)) {
      if (!priced) {
        set_null(amount, row);
      } else if (const auto product = line_amount(units, unit_price.ints[row])) {
        amount.ints[row] = *product;
        if (!amount.valid.empty()) amount.valid[row] = 1;
      } else {
        faults.add(row, amount_column, "number_too_large", "quantity x unit_price has more than 18 digits");
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
        key = order_key(mapping.source, order);
        last_order = order;
        prefix_kind = {};
        for (const auto& [prefix, prefixed] : mapping.kinds.order_prefixes) {
          if (order.starts_with(prefix)) prefix_kind = prefixed;
        }
      }
      order_key_out.ints[row] = as_bigint(key);
    }
    if ((!own_kind || kind.is_null(row)) && !constant_kind) {
      std::string_view chosen = "sale";
      if (!prefix_kind.empty()) {
        chosen = prefix_kind;
      } else if (units < 0) {
        const bool free = priced && unit_price.ints[row] == 0 && !mapping.kinds.negative_unpriced.empty();
        chosen = free ? mapping.kinds.negative_unpriced : mapping.kinds.negative;
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
    const std::array<std::uint64_t, 15> words = {source_key,
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
                                                 own_kind ? text_key(kind.text[row]) : 0};
    LineHash hash = hash_words(words);
    const OrderLines::Position position = lines.add(key, hash.low != 0 ? hash.low : 1, row_numbers[row]);
    if (!own_line_no || line_no.is_null(row)) {
      line_no.ints[row] = position.line_no;
      if (!line_no.valid.empty()) line_no.valid[row] = 1;
    } else if (line_no.ints[row] < 1 || line_no.ints[row] > INT32_MAX) {
      faults.add(row, -1, "bad_value",
                 "line_no " + std::to_string(line_no.ints[row]) + " is outside 1..2147483647");
      continue;
    }
    all[sale.is_repeat].ints[row] = position.copy > 1 ? 1 : 0;
    if (!own_event_id || event_id.is_null(row)) {
      if (position.copy > 1) hash = hash_of_copy(hash, position.copy);
      write_hex(hash, hex);
      event_id.text[row] = {hex, kEventIdDigits};
      if (!event_id.valid.empty()) event_id.valid[row] = 1;
      hex += kEventIdDigits;
    }
  }
}

/// Identity of store days: source, store, day and figures; no ordinal, a day is there once.
void RecordConverter::State::fill_store_days(ColumnBatch& typed, TextArena& arena) {
  const std::size_t event_out = typed_index(typed_specs, "event_id");
  Column& event_id = typed.columns[event_out];
  const bool own_event_id = has_source(event_out);
  if (!own_event_id) prepare_column(event_id, typed.rows);
  char* hex = arena.allocate(typed.rows * kEventIdDigits);
  std::vector<std::uint64_t> words;
  for (std::size_t row = 0; row < typed.rows; ++row) {
    if (faults.failed(row) || (own_event_id && !event_id.is_null(row))) continue;
    words.assign(1, source_key);
    for (std::size_t i = 0; i < typed.columns.size(); ++i) {
      const Column& column = typed.columns[i];
      if (i == event_out || column.spec.name == "source_row") continue;
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

void RecordConverter::State::reject(ColumnBatch& rejects, TextArena& arena, std::int64_t row, int column,
                                    std::string_view reason, std::string_view message, std::string_view raw) {
  auto& all = rejects.columns;
  all[0].text.push_back(dataset_name(mapping.dataset));
  all[1].ints.push_back(row);
  const bool named = column >= 0;
  all[2].text.push_back(named ? arena.add(header[static_cast<std::size_t>(column)]) : std::string_view());
  if (!named && all[2].valid.empty()) all[2].valid.assign(rejects.rows, 1);
  if (!all[2].valid.empty()) all[2].valid.push_back(named ? 1 : 0);
  all[3].text.push_back(reason);
  all[4].text.push_back(arena.add(message));
  all[5].text.push_back(arena.add(raw));
  ++rejects.rows;
}

/// The record as one csv line; of a wide record only the shared columns and the cell in question.
std::string_view RecordConverter::State::raw_record(const RecordBatch& records, std::size_t row,
                                                    int wide_cell) {
  raw_line.clear();
  for (std::size_t i = 0; i < records.columns.size() && raw_line.size() < kRawBytesMax; ++i) {
    if (days.is_day(i) && static_cast<int>(i) != wide_cell) continue;
    if (i > 0) raw_line += ',';
    append_csv_field(raw_line, records.columns[i][row]);
  }
  return raw_line;
}

void RecordConverter::State::take_bronze(RecordBatch& records, ConvertedBatch& out, const Column* dates) {
  const std::size_t width = header.size();
  out.bronze.rows = records.rows;
  for (std::size_t i = 0; i < width; ++i) {
    out.bronze.columns[i].text.swap(records.columns[i]);
    out.bronze.columns[i].valid.clear();
  }
  Column& row = out.bronze.columns[width];
  row.ints.assign(records.row_numbers.begin(), records.row_numbers.end());
  Column& date = out.bronze.columns[width + 1];
  if (dates != nullptr) {
    date.ints = dates->ints;
    date.valid = dates->valid;
  } else {
    date.ints.assign(records.rows, 0);
    date.valid.assign(records.rows, 0);
  }
}

RecordConverter::RecordConverter(std::shared_ptr<State> state) : state_(std::move(state)) {}
RecordConverter::RecordConverter(RecordConverter&&) noexcept = default;
RecordConverter& RecordConverter::operator=(RecordConverter&&) noexcept = default;
RecordConverter::~RecordConverter() = default;

Result<RecordConverter> RecordConverter::create(const ColumnMapping& mapping,
                                                std::span<const std::string> header,
                                                const ConverterOptions& options) {
  auto state = std::make_shared<State>();
  state->mapping = mapping;
  state->header.assign(header.begin(), header.end());
  if (mapping.dataset != Dataset::kStorePlan) state->sales_until = options.sales_until;
  if (auto bound = state->bind(options.file_name); !bound) return std::move(bound.error());
  for (ValueColumn& column : state->columns) column.set_zone(&state->zone);
  return RecordConverter(std::move(state));
}

const ConvertedCounts& RecordConverter::totals() const { return state_->totals; }

Result<void> RecordConverter::convert(RecordBatch&& records, ConvertedBatch& out) {
  State& state = *state_;
  TILLCAST_CHECK(records.columns.size() == state.header.size(), "the batch has the header's columns");
  set_columns(out.bronze, state.bronze_specs);
  set_columns(out.typed, state.typed_specs);
  set_columns(out.rejects, state.reject_specs);
  for (Column& column : out.rejects.columns) prepare_column(column, 0);
  out.counts = {};
  auto arena = std::make_shared<TextArena>();
  auto reject_arena = std::make_shared<TextArena>();
  const std::size_t rows = records.rows;
  const bool wide = !state.days.empty();
  const Dataset dataset = state.mapping.dataset;
  const auto bad_records = static_cast<std::int64_t>(records.bad_records.size());
  out.counts.records = static_cast<std::int64_t>(rows) + bad_records;
  out.counts.rows_in = bad_records + (wide ? 0 : static_cast<std::int64_t>(rows));

  state.faults.reset(rows);
  ColumnBatch& converted = wide ? state.base : out.typed;
  if (wide) set_columns(state.base, state.typed_specs);
  converted.rows = rows;
  state.convert_columns(records, converted, *arena);
  const Column* dates = nullptr;
  if (wide) {
    const std::size_t cells = state.days.expand(
        records, state.base, {state.shared_outs, state.nulls, state.source_key}, state.faults, state.lines,
        out.typed, *arena,
        [&](std::size_t row, std::size_t day, int column, std::string_view reason, std::string_view message) {
          state.reject(out.rejects, *reject_arena, records.row_numbers[row], column, reason, message,
                       state.raw_record(records, row, static_cast<int>(day)));
        });
    out.counts.rows_in += static_cast<std::int64_t>(cells);
  } else {
    Column& source_row = out.typed.columns.back();
    source_row.ints.assign(records.row_numbers.begin(), records.row_numbers.end());
    if (dataset != Dataset::kStore)
      state.check_days(out.typed.columns[typed_index(state.typed_specs, "business_date")]);
    if (dataset == Dataset::kSaleLine) state.fill_sale_rows(out.typed, *arena, records.row_numbers);
    if (dataset == Dataset::kStoreDay) state.fill_store_days(out.typed, *arena);
    state.faults.sort_by_row();
    for (const Fault& fault : state.faults.list()) {
      state.reject(out.rejects, *reject_arena, records.row_numbers[fault.row], fault.column, fault.reason,
                   fault.message, state.raw_record(records, fault.row, -1));
    }
    if (dataset != Dataset::kStore)
      dates = &out.typed.columns[typed_index(state.typed_specs, "business_date")];
  }
  for (const BadRecord& bad : records.bad_records) {
    state.reject(out.rejects, *reject_arena, bad.row, -1, bad.reason, bad.message, bad.raw);
  }
  // Bronze and the typed rows share the reader's memory; bronze needs the dates before refused rows go.
  state.take_bronze(records, out, dates);
  if (!wide && !state.faults.list().empty()) {
    for (Column& column : out.typed.columns) drop_rows(column, state.faults.flags());
    out.typed.rows = rows - state.faults.list().size();
  }
  out.bronze.owners = records.owners;
  out.typed.owners = records.owners;
  out.typed.owners.push_back(arena);
  out.typed.owners.push_back(state_);
  out.rejects.owners = {reject_arena};
  out.counts.typed = static_cast<std::int64_t>(out.typed.rows);
  out.counts.rejected = static_cast<std::int64_t>(out.rejects.rows);
  TILLCAST_CHECK(out.counts.rows_in == out.counts.typed + out.counts.rejected, "rows in = typed + rejects");
  state.totals += out.counts;
  return {};
}

}  // namespace tillcast::retail
