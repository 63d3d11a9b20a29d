#include <algorithm>
#include <cctype>
#include <optional>
#include <set>

#include "lake/lake.h"
#include "lake/load_buffer_internal.h"

namespace tillcast::lake {
namespace {

using database::sql_identifier;
using database::sql_literal;
using database::Value;

struct TypeOf {
  std::optional<ColumnType> operator()(std::monostate) const { return ColumnType::kText; }
  std::optional<ColumnType> operator()(const std::string&) const { return ColumnType::kText; }
  std::optional<ColumnType> operator()(std::int64_t) const { return ColumnType::kInt64; }
  std::optional<ColumnType> operator()(double) const { return ColumnType::kDouble; }
  std::optional<ColumnType> operator()(bool) const { return ColumnType::kBool; }
  std::optional<ColumnType> operator()(database::DecimalValue value) const {
    if (value.scale == 3) return ColumnType::kDecimal3;
    if (value.scale == 4) return ColumnType::kDecimal4;
    return std::nullopt;
  }
  std::optional<ColumnType> operator()(Date) const { return ColumnType::kDate; }
  std::optional<ColumnType> operator()(Timestamp) const { return ColumnType::kTimestamp; }
};

// Collects the SELECT list and the stored schema side by side.
class Selection {
 public:
  void column(const std::string& from, const ColumnSpec& stored, bool cast) {
    const std::string quoted = sql_identifier(from);
    add(cast ? "CAST(" + quoted + " AS " + std::string(sql_name(stored.type)) + ")" : quoted, stored);
  }
  void constant(const Value& value, const ColumnSpec& stored) {
    // As an ENUM of one value a text costs a byte per row instead of being copied, hashed and compared for
    // every row; in the file it is the same dictionary-encoded string.
    const auto* const text = std::get_if<std::string>(&value);
    if (text != nullptr && stored.type == ColumnType::kText) {
      add("CAST(" + sql_literal(value) + " AS ENUM(" + sql_literal(value) + "))", stored);
      return;
    }
    add("CAST(" + sql_literal(value) + " AS " + std::string(sql_name(stored.type)) + ")", stored);
  }
  std::string select;
  std::vector<ColumnSpec> schema;

 private:
  void add(const std::string& expression, const ColumnSpec& stored) {
    select += (select.empty() ? "" : ", ") + expression + " AS " + sql_identifier(stored.name);
    schema.push_back(stored);
  }
};

bool castable(ColumnType from, ColumnType to) {
  const auto whole = [](ColumnType type) { return type == ColumnType::kInt32 || type == ColumnType::kInt64; };
  return from == to || (whole(from) && whole(to));
}

const Value* find_constant(const std::vector<std::pair<std::string, Value>>& constants,
                           std::string_view name) {
  const auto at = std::ranges::find(constants, name, &std::pair<std::string, Value>::first);
  return at == constants.end() ? nullptr : &at->second;
}

Result<> select_silver(Selection& selection, std::string_view dataset, const ColumnBatch& batch,
                       const std::vector<std::pair<std::string, Value>>& constants) {
  const auto schema = silver_schema(dataset);
  const std::string name(dataset);
  for (const ColumnSpec& wanted : schema) {
    if (const int at = batch.find(wanted.name); at >= 0) {
      const ColumnType have = batch.columns[static_cast<std::size_t>(at)].spec.type;
      if (!castable(have, wanted.type)) {
        return invalid_input(name + ": column " + wanted.name + " is " + std::string(sql_name(have)) +
                             ", expected " + std::string(sql_name(wanted.type)));
      }
      selection.column(wanted.name, wanted, have != wanted.type);
    } else if (const Value* const value = find_constant(constants, wanted.name)) {
      selection.constant(*value, wanted);
    } else {
      return invalid_input(name + ": column " + wanted.name + " is missing");
    }
  }
  for (const Column& column : batch.columns) {
    if (std::ranges::find(schema, column.spec.name, &ColumnSpec::name) == schema.end()) {
      return invalid_input(name + ": unknown column " + column.spec.name);
    }
  }
  return {};
}

// SQL does not tell "ID" from "id": the second becomes "id_2".
std::string unique_name(std::set<std::string>& used, const std::string& name) {
  for (int i = 1;; ++i) {
    std::string candidate = i == 1 ? name : name + "_" + std::to_string(i);
    std::string lower = candidate;
    std::ranges::transform(lower, lower.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (used.insert(lower).second) return candidate;
  }
}

Result<> select_bronze(Selection& selection, std::string_view dataset, const ColumnBatch& batch,
                       const AddOptions& options,
                       const std::vector<std::pair<std::string, Value>>& constants) {
  std::set<std::string> used;
  for (const Column& column : batch.columns) {
    if (!options.store_partition_column && column.spec.name == options.partition_column) continue;
    if (unique_name(used, column.spec.name) != column.spec.name) {
      return invalid_input(std::string(dataset) + ": two columns are called " + column.spec.name +
                           " (SQL ignores case); rename one in the file");
    }
    selection.column(column.spec.name, column.spec, false);
  }
  for (const auto& [name, value] : constants) {
    if (batch.find(name) >= 0) continue;
    const auto type = std::visit(TypeOf{}, value);
    if (!type)
      return invalid_input(std::string(dataset) + ": the constant " + name + " must have scale 3 or 4");
    selection.constant(value, {name, *type});
  }
  return {};
}

}  // namespace

std::string month_text(int month) {
  if (month == kNoMonth) return "none";
  return format_date(date_from_civil(month / 12, month % 12 + 1, 1)).substr(0, 7);
}

Result<DatasetBuffer> make_buffer(std::string_view dataset, const ColumnBatch& batch, const LoadInfo& info,
                                  const AddOptions& options, std::int64_t load_seq) {
  DatasetBuffer buffer;
  buffer.name = dataset;
  for (const Column& column : batch.columns) buffer.batch_columns.push_back(column.spec);
  if (!options.partition_column.empty()) {
    buffer.partition = batch.find(options.partition_column);
    if (buffer.partition < 0)
      return invalid_input(buffer.name + ": there is no partition column " + options.partition_column);
    const ColumnType type = batch.columns[static_cast<std::size_t>(buffer.partition)].spec.type;
    if (type != ColumnType::kDate && type != ColumnType::kTimestamp) {
      return invalid_input(buffer.name + ": the partition column " + options.partition_column +
                           " is no date");
    }
  }
  auto constants = options.constants;
  Selection selection;
  if (!silver_schema(dataset).empty()) {
    for (auto& own : std::initializer_list<std::pair<std::string, Value>>{{"source", info.source},
                                                                          {"file", info.file},
                                                                          {"file_sha256", info.key},
                                                                          {"load_seq", load_seq}}) {
      constants.push_back(own);
    }
    TILLCAST_TRY_PLAIN(select_silver(selection, dataset, batch, constants));
  } else if (dataset.starts_with("bronze.") && dataset.substr(7) == info.topic) {
    for (auto& own : std::initializer_list<std::pair<std::string, Value>>{
             {"_file", info.file}, {"_file_sha256", info.key}, {"_load_seq", load_seq}}) {
      constants.push_back(own);
    }
    TILLCAST_TRY_PLAIN(select_bronze(selection, dataset, batch, options, constants));
  } else {
    return invalid_input("there is no dataset " + buffer.name + " in a load of topic " + info.topic);
  }
  buffer.select = std::move(selection.select);
  buffer.schema = std::make_shared<const std::vector<ColumnSpec>>(std::move(selection.schema));
  return buffer;
}

namespace {

std::int32_t day_of(const Column& column, std::size_t row) {
  if (column.spec.type == ColumnType::kDate) return static_cast<std::int32_t>(column.ints[row]);
  return utc_date({column.ints[row]}).days;
}

}  // namespace

std::vector<int> row_months(const DatasetBuffer& buffer, const ColumnBatch& batch) {
  std::vector<int> months;
  if (buffer.partition < 0) return months;
  const Column& column = batch.columns[static_cast<std::size_t>(buffer.partition)];
  months.resize(batch.rows, kNoMonth);
  std::int32_t known_day = INT32_MIN;  // rows of one day come together
  int known_month = kNoMonth;
  for (std::size_t row = 0; row < batch.rows; ++row) {
    if (column.is_null(row)) continue;
    const std::int32_t day = day_of(column, row);
    if (day != known_day) {
      const CivilDate civil = civil_from_date({day});
      known_day = day;
      known_month = civil.year * 12 + civil.month - 1;
    }
    months[row] = known_month;
  }
  return months;
}

void add_rows(DatasetBuffer& buffer, std::shared_ptr<const ColumnBatch> batch, const std::vector<int>& months,
              const std::vector<bool>& dropped) {
  const auto kept = [&](std::size_t row) { return dropped.empty() || !dropped[row]; };
  std::map<int, std::vector<std::uint32_t>> picked;
  std::vector<std::uint32_t>* current = nullptr;
  int current_month = kNoMonth;
  const Column* const dates =
      buffer.partition >= 0 ? &batch->columns[static_cast<std::size_t>(buffer.partition)] : nullptr;
  MonthRows* rows_of_month = nullptr;
  for (std::size_t row = 0; row < batch->rows; ++row) {
    if (!kept(row)) continue;
    const int month = months.empty() ? kNoMonth : months[row];
    if (current == nullptr || month != current_month) {
      current_month = month;
      current = &picked[month];
      rows_of_month = &buffer.months[month];
    }
    current->push_back(static_cast<std::uint32_t>(row));
    if (dates != nullptr && !dates->is_null(row)) {
      const std::int32_t day = day_of(*dates, row);
      rows_of_month->day_min = std::min(rows_of_month->day_min, day);
      rows_of_month->day_max = std::max(rows_of_month->day_max, day);
    }
  }
  for (auto& [month, rows] : picked) {
    MonthRows& to = buffer.months[month];
    to.rows += static_cast<std::int64_t>(rows.size());
    if (rows.size() == batch->rows) rows.clear();  // all of them: no index needed
    to.pieces.push_back({batch, std::move(rows)});
  }
}

std::uint64_t batch_bytes(const ColumnBatch& batch) {
  std::uint64_t bytes = 0;
  for (const Column& column : batch.columns) {
    bytes += column.text.size() * sizeof(std::string_view) +
             (column.ints.size() + column.doubles.size()) * 8 + column.valid.size();
    for (const std::string_view text : column.text) bytes += text.size();
  }
  return bytes;
}

}  // namespace tillcast::lake
