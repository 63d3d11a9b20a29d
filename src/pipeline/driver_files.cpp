#include "pipeline/driver_files.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <unordered_map>

#include "core/config.h"
#include "core/text.h"
#include "retail/column_mapping.h"
#include "retail/date_format.h"
#include "retail/record_batch.h"
#include "sources/record_reader.h"

namespace tillcast::pipeline {
namespace {

using forecast::DriverKind;

constexpr std::size_t kIdsShown = 5;
constexpr std::string_view kOutcomes[] = {"sales",     "customers",  "units",          "revenue",
                                          "amount",    "quantity",   "expected_units", "demand_units",
                                          "net_sales", "gross_sales"};

/// Place of an error in a file.
std::string place(const std::string& file, std::int64_t row) {
  return file + ": line " + std::to_string(row + 1);
}

int find_any(std::span<const std::string> header, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names)
    if (const int at = retail::find_header(header, name); at >= 0) return at;
  return -1;
}

std::optional<float> read_number(std::string_view text) {
  float number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size() && std::isfinite(number))
    return number;
  const std::string word = ascii_lower(text);
  if (word == "true" || word == "yes") return 1.0F;
  if (word == "false" || word == "no") return 0.0F;
  return std::nullopt;
}

std::optional<Date> read_day(std::string_view text, retail::CellFlag flag) {
  std::optional<retail::WrittenTime> time;
  if (flag == retail::CellFlag::kSerial1900 || flag == retail::CellFlag::kSerial1904)
    time = retail::read_serial_date(text, flag == retail::CellFlag::kSerial1904);
  else
    time = retail::read_iso_time(text);
  if (!time) return std::nullopt;
  return utc_date(Timestamp{time->micros});
}

/// One column while the file is read: numbers, or codes of words in the order of arrival.
struct ColumnReader {
  std::string name;
  std::size_t at = 0;  ///< in the header
  std::optional<DriverKind> told;
  std::vector<float> value;
  std::unordered_map<std::string, std::uint32_t> words;  ///< code - 1
  std::int64_t first_number_row = 0;
  std::int64_t first_word_row = 0;
  std::string first_word;
  bool only_zero_one = true;

  void add(std::string_view text, std::int64_t row) {
    const bool category = told == DriverKind::kCategory;
    const std::string_view cell = trimmed(text);
    if (category && (cell.empty() || cell == "0" || ascii_lower(cell) == "none")) {
      value.push_back(0);
      return;
    }
    if (cell.empty()) {
      value.push_back(forecast::kUnknownDriver);
      return;
    }
    if (const auto number = category ? std::nullopt : read_number(cell)) {
      if (first_number_row == 0) first_number_row = row;
      only_zero_one = only_zero_one && (*number == 0 || *number == 1);
      value.push_back(*number);
      return;
    }
    if (first_word_row == 0) {
      first_word_row = row;
      first_word = cell;
    }
    const auto code =
        words.emplace(std::string(cell), static_cast<std::uint32_t>(words.size())).first->second;
    value.push_back(static_cast<float>(code + 1));
  }

  /// @param date  of the rows
  Result<DriverTable::Column> finish(const std::string& file, std::span<const Date> date) {
    if (told != DriverKind::kCategory && first_number_row > 0 && first_word_row > 0) {
      return invalid_input(place(file, first_word_row) + ": " + name + " is '" + first_word +
                           "', expected a number as in line " + std::to_string(first_number_row + 1) +
                           "; correct it, or name the column in categories = [\"" + name + "\"]");
    }
    if (told == DriverKind::kFlag && (!only_zero_one || first_word_row > 0)) {
      return invalid_input(
          file + ": " + name + " is named in flags, but holds more than 0 and 1" +
          (first_word_row > 0 ? ": '" + first_word + "' in line " + std::to_string(first_word_row + 1) : ""));
    }
    DriverKind kind = first_number_row > 0 && only_zero_one ? DriverKind::kFlag : DriverKind::kNumber;
    if (first_word_row > 0) kind = DriverKind::kCategory;
    kind = told.value_or(kind);
    if (!words.empty()) {
      // Codes by first day, then alphabet: they do not depend on the order of the rows, and words that come
      // with later days leave those of the others as fitted models know them.
      std::vector<std::pair<Date, std::string_view>> first(words.size(), {Date{INT32_MAX}, {}});
      for (const auto& [word, code] : words) first[code].second = word;
      for (std::size_t row = 0; row < value.size(); ++row) {
        if (value[row] >= 1) {
          Date& day = first[static_cast<std::size_t>(value[row]) - 1].first;
          day = std::min(day, date[row]);
        }
      }
      std::vector<std::size_t> order(words.size());
      std::iota(order.begin(), order.end(), 0);
      std::ranges::sort(order, {}, [&first](std::size_t code) { return first[code]; });
      std::vector<float> code_of(words.size() + 1, 0);
      for (std::size_t place = 0; place < order.size(); ++place)
        code_of[order[place] + 1] = static_cast<float>(place + 1);
      for (float& one : value)
        if (!std::isnan(one)) one = code_of[static_cast<std::size_t>(one)];
    }
    return DriverTable::Column{name, kind, std::move(value)};
  }
};

/// Ids of a column as keys, with those that gold does not know.
struct IdReader {
  const std::map<std::string, std::int64_t, std::less<>>* known = nullptr;
  std::string what;  ///< "store_id"
  int at = -1;
  bool upper = false;
  std::vector<std::int64_t> key = {};
  std::map<std::string, std::int64_t> unknown = {};  ///< id and first row
  std::int64_t unknown_rows = 0;

  void add(std::string_view text, std::int64_t row) {
    std::string id(trimmed(text));
    if (upper)
      std::ranges::transform(id, id.begin(),
                             [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    auto found = known->find(id);
    if (found == known->end() && id.ends_with(".0")) found = known->find(id.substr(0, id.size() - 2));
    if (found == known->end()) {
      unknown.emplace(id, row);
      ++unknown_rows;
    }
    key.push_back(found == known->end() ? -1 : found->second);
  }
  Result<void> check(const std::string& file) const {
    if (unknown.empty()) return {};
    std::string text = file + ": " + what + " not known from the data: ";
    std::size_t shown = 0;
    for (const auto& [id, row] : unknown) {
      if (shown == kIdsShown) break;
      text += (shown++ == 0 ? "'" : ", '") + id + "' (line " + std::to_string(row + 1) + ")";
    }
    if (unknown.size() > shown) text += " and " + std::to_string(unknown.size() - shown) + " more";
    return invalid_input(text + "; correct or remove " +
                         (unknown_rows == 1 ? "the row" : "the " + std::to_string(unknown_rows) + " rows"));
  }
};

/// Opens a file and calls each(batch, row) for its records.
template <class Each>
Result<void> for_each_record(sources::RecordReader& reader, const std::string& name, Each each) {
  retail::RecordBatch batch;
  for (;;) {
    if (!TILLCAST_TRY_PLAIN(reader.next(batch))) return {};
    if (!batch.bad_records.empty()) {
      const auto& bad = batch.bad_records.front();
      return invalid_input(place(name, bad.row) + ": " + bad.message);
    }
    for (std::size_t row = 0; row < batch.rows; ++row)
      if (auto done = each(batch, row); !done) return done;
  }
}

Result<std::vector<ColumnReader>> choose_columns(const DriverFile& file, const std::string& name,
                                                 const std::vector<std::string>& header,
                                                 std::span<const int> ids) {
  std::vector<std::string> others;
  for (std::size_t i = 0; i < header.size(); ++i)
    if (std::ranges::find(ids, static_cast<int>(i)) == ids.end()) others.push_back(header[i]);
  for (const auto* list : {&file.columns, &file.categories, &file.flags}) {
    for (const auto& wanted : *list) {
      if (retail::find_header(others, wanted) >= 0) continue;
      const auto near = nearest(wanted, others);
      return invalid_input(name + ": there is no column '" + wanted + "'" +
                           (near ? "; did you mean '" + *near + "'?" : "; there are: " + join(others, ", ")));
    }
  }
  std::vector<ColumnReader> columns;
  for (const auto& column : file.columns.empty() ? others : file.columns) {
    ColumnReader reader;
    reader.at = static_cast<std::size_t>(retail::find_header(header, column));
    reader.name = ascii_lower(header[reader.at]);
    std::ranges::replace(reader.name, ' ', '_');
    if (retail::find_header(file.categories, column) >= 0) reader.told = DriverKind::kCategory;
    if (retail::find_header(file.flags, column) >= 0) reader.told = DriverKind::kFlag;
    if (std::ranges::find(kOutcomes, reader.name) != std::end(kOutcomes)) {
      return invalid_input(
          name + ": column '" + header[reader.at] +
          "' is only known after the day and no driver; name those to take in columns = [...]");
    }
    columns.push_back(std::move(reader));
  }
  if (columns.empty()) return invalid_input(name + ": no column besides date and ids; nothing to learn from");
  return columns;
}

/// Missing days between the first and the last one of each store and product, told once for the file.
void note_gaps(DriverTable& table, std::span<const std::int64_t> line) {
  std::int64_t missing = 0;
  std::string first;
  for (const auto& [key, rows] : table.rows) {
    for (std::size_t i = rows.begin + 1; i < rows.begin + rows.count; ++i) {
      const auto gap = static_cast<std::int64_t>(table.date[i].days) - table.date[i - 1].days - 1;
      if (gap <= 0) continue;
      if (missing == 0)
        first = format_date(Date{table.date[i - 1].days + 1}) + " before line " + std::to_string(line[i] + 1);
      missing += gap;
    }
  }
  if (missing > 0) {
    table.notes.push_back(table.file + ": " + std::to_string(missing) +
                          " days inside it have no row, the first " + first +
                          "; its drivers are unknown then");
  }
}

Result<void> arrange(DriverTable& table, const IdReader& store, const IdReader& product,
                     std::vector<std::int64_t>& line) {
  const std::size_t count = table.date.size();
  const auto key = [&](std::size_t row) {
    return std::pair(store.at < 0 ? 0 : store.key[row], product.at < 0 ? 0 : product.key[row]);
  };
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
    const auto key_a = key(a);
    const auto key_b = key(b);
    if (key_a != key_b) return key_a < key_b;
    return table.date[a] != table.date[b] ? table.date[a] < table.date[b] : a < b;
  });
  for (std::size_t i = 0; i < count; ++i) {
    auto& rows = table.rows[key(order[i])];
    if (rows.count == 0) rows.begin = i;
    if (rows.count > 0 && table.date[order[i]] == table.date[order[i - 1]]) {
      return invalid_input(
          place(table.file, line[order[i]]) + ": a second row for " + format_date(table.date[order[i]]) +
          (table.by_store || table.by_product ? " and the same ids" : "") + ", the first is line " +
          std::to_string(line[order[i - 1]] + 1) + "; remove one of them");
    }
    ++rows.count;
  }
  const auto reorder = [&order](auto& values) {
    auto sorted = values;
    for (std::size_t i = 0; i < order.size(); ++i) sorted[i] = values[order[i]];
    values = std::move(sorted);
  };
  reorder(table.date);
  reorder(line);
  for (auto& column : table.columns) reorder(column.value);
  return {};
}

}  // namespace

forecast::DatedValues DriverTable::values(const Column& column, std::int64_t store_key,
                                          std::int64_t product_key) const {
  const auto at = rows.find({by_store ? store_key : 0, by_product ? product_key : 0});
  if (at == rows.end()) return {};
  return {std::span(date).subspan(at->second.begin, at->second.count),
          std::span(column.value).subspan(at->second.begin, at->second.count)};
}

Result<DriverTable> read_driver_file(const std::filesystem::path& directory, const DriverFile& file,
                                     const KnownIds& ids) {
  const auto path = file.file.is_absolute() ? file.file : directory / file.file;
  DriverTable table;
  table.file = file.file.string();
  const auto reader = TILLCAST_TRY(sources::open_record_reader(path), "[[forecast.drivers]]");
  const auto& header = reader->header();
  const int date_at = find_any(header, {"date", "business_date", "day"});
  if (date_at < 0)
    return invalid_input(table.file +
                         ": no column date (or business_date, day); it has: " + join(header, ", "));
  IdReader store{&ids.stores, "store_id", find_any(header, {"store_id", "store"})};
  IdReader product{&ids.products, "product_id", find_any(header, {"product_id", "product"}), true};
  table.by_store = store.at >= 0;
  table.by_product = product.at >= 0;
  const int taken[] = {date_at, store.at, product.at};
  auto columns = TILLCAST_TRY_PLAIN(choose_columns(file, table.file, header, taken));
  std::vector<std::int64_t> line;
  auto read = for_each_record(
      *reader, table.file, [&](const retail::RecordBatch& batch, std::size_t row) -> Result<void> {
        const auto date_column = static_cast<std::size_t>(date_at);
        const std::int64_t number = batch.row_numbers[row];
        const std::string_view text = trimmed(batch.columns[date_column][row]);
        const auto date = read_day(text, batch.flag(date_column, row));
        if (!date)
          return invalid_input(place(table.file, number) + ": " + header[date_column] + " is '" +
                               std::string(text) + "', expected a day like 2015-08-03");
        table.date.push_back(*date);
        line.push_back(number);
        if (store.at >= 0) store.add(batch.columns[static_cast<std::size_t>(store.at)][row], number);
        if (product.at >= 0) product.add(batch.columns[static_cast<std::size_t>(product.at)][row], number);
        for (auto& column : columns) column.add(batch.columns[column.at][row], number);
        return {};
      });
  if (!read) return std::move(read.error());
  for (const auto* one : {&store, &product})
    if (auto checked = one->check(table.file); !checked) return std::move(checked.error());
  for (auto& column : columns)
    table.columns.push_back(TILLCAST_TRY_PLAIN(column.finish(table.file, table.date)));
  if (auto arranged = arrange(table, store, product, line); !arranged) return std::move(arranged.error());
  note_gaps(table, line);
  return table;
}

DriverTable coarsened(const DriverTable& table, bool by_store, bool by_product) {
  DriverTable coarse;
  coarse.file = table.file;
  coarse.by_store = table.by_store && by_store;
  coarse.by_product = table.by_product && by_product;
  struct Sum {
    double value = 0;
    std::size_t count = 0;
  };
  std::map<std::pair<std::int64_t, std::int64_t>, std::map<Date, std::vector<Sum>>> groups;
  for (const auto& [key, rows] : table.rows) {
    auto& days = groups[{coarse.by_store ? key.first : 0, coarse.by_product ? key.second : 0}];
    for (std::size_t i = rows.begin; i < rows.begin + rows.count; ++i) {
      auto& sums = days[table.date[i]];
      sums.resize(table.columns.size());
      for (std::size_t c = 0; c < table.columns.size(); ++c) {
        const float value = table.columns[c].value[i];
        if (std::isnan(value)) continue;
        sums[c].value += static_cast<double>(value);
        ++sums[c].count;
      }
    }
  }
  for (const auto& column : table.columns) coarse.columns.push_back({column.name, column.kind, {}});
  for (const auto& [key, days] : groups) {
    coarse.rows[key] = {coarse.date.size(), days.size()};
    for (const auto& [date, sums] : days) {
      coarse.date.push_back(date);
      for (std::size_t c = 0; c < sums.size(); ++c) {
        const bool mean = sums[c].count > 0 && table.columns[c].kind != DriverKind::kCategory;
        coarse.columns[c].value.push_back(
            mean ? static_cast<float>(sums[c].value / static_cast<double>(sums[c].count))
                 : forecast::kUnknownDriver);
      }
    }
  }
  return coarse;
}

Result<std::vector<UserHoliday>> read_holiday_file(const std::filesystem::path& directory,
                                                   const std::filesystem::path& file) {
  const auto path = file.is_absolute() ? file : directory / file;
  const std::string name = file.string();
  const auto reader = TILLCAST_TRY(sources::open_record_reader(path), "setting 'forecast.holidays'");
  const auto& header = reader->header();
  const int date_at = find_any(header, {"date"});
  const int name_at = find_any(header, {"name"});
  const int country_at = find_any(header, {"country"});
  const int region_at = find_any(header, {"region"});
  const int kind_at = find_any(header, {"kind"});
  if (date_at < 0 || name_at < 0)
    return invalid_input(
        name + ": expected the columns date,name[,country][,region][,kind]; it has: " + join(header, ", "));
  std::vector<UserHoliday> list;
  auto read =
      for_each_record(*reader, name, [&](const retail::RecordBatch& batch, std::size_t row) -> Result<void> {
        const auto cell = [&](int at) {
          return at < 0 ? std::string()
                        : std::string(trimmed(batch.columns[static_cast<std::size_t>(at)][row]));
        };
        const std::string at = place(name, batch.row_numbers[row]) + ": ";
        const auto date = read_day(cell(date_at), batch.flag(static_cast<std::size_t>(date_at), row));
        if (!date)
          return invalid_input(at + "date is '" + cell(date_at) + "', expected a day like 2015-08-03");
        if (cell(name_at).empty())
          return invalid_input(at + "name is empty, expected what the day is called");
        const std::string country = cell(country_at);
        if (!country.empty() && forecast::holiday_country(country).empty())
          return invalid_input(at + "country '" + country +
                               "' is unknown; leave it empty for a day that holds everywhere");
        const std::string kind = ascii_lower(cell(kind_at));
        std::optional<forecast::HolidayKind> found;
        using enum forecast::HolidayKind;
        for (const auto one : {kPublic, kEaster, kChristmas, kEvent})
          if (kind == forecast::holiday_kind_name(one)) found = one;
        if (kind.empty()) found = kPublic;
        if (!found)
          return invalid_input(at + "kind is '" + kind + "', expected public, easter, christmas or event");
        list.push_back({{*date, cell(name_at), *found}, country, cell(region_at)});
        return {};
      });
  if (!read) return std::move(read.error());
  return list;
}

}  // namespace tillcast::pipeline
