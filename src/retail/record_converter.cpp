#include "retail/record_converter.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "core/check.h"
#include "core/text.h"
#include "core/time_zone.h"
#include "retail/day_cells.h"
#include "retail/derived_columns.h"
#include "retail/identity.h"
#include "retail/order_lines.h"
#include "retail/sale_columns.h"
#include "retail/value_columns.h"

namespace tillcast::retail {
namespace {

constexpr std::size_t kRawBytesMax = 64 << 10;

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
  SaleSource sale_source() const;
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

SaleSource RecordConverter::State::sale_source() const {
  SaleSource source{mapping, sale, source_key};
  source.has_kind = has_source(sale.kind);
  source.has_amount = has_source(sale.amount);
  source.has_line_no = has_source(sale.line_no);
  source.has_event_id = has_source(sale.event_id);
  source.constant_kind = std::ranges::find(constants, sale.kind, &Constant::out) != constants.end();
  const auto price = std::ranges::find(column_outs, sale.unit_price);
  if (!source.has_amount && price != column_outs.end())
    source.price_header = columns[static_cast<std::size_t>(price - column_outs.begin())].header_index();
  return source;
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
    append_csv_cell(raw_line, records.columns[i][row]);
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
    if (dataset == Dataset::kSaleLine)
      fill_sale_rows(state.sale_source(), records.row_numbers, out.typed, *arena, state.lines, state.faults);
    if (dataset == Dataset::kStoreDay) {
      const bool given = state.has_source(typed_index(state.typed_specs, "event_id"));
      fill_store_days(state.source_key, given, out.typed, *arena, state.faults);
    }
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
