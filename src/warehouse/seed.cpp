#include "warehouse/seed.h"

#include <algorithm>

#include "core/column_batch.h"
#include "core/text.h"
#include "database/database.h"

namespace tillcast::warehouse {
namespace {

struct CsvTable {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};

Error csv_error(const std::string& path, std::size_t line, const std::string& message) {
  return invalid_input(path + ":" + std::to_string(line) + ": " + message);
}

Result<CsvTable> parse_csv(std::string_view content, char delimiter, const std::string& path) {
  if (content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);
  if (!is_valid_utf8(content)) return csv_error(path, 1, "the file is not UTF-8");
  CsvTable table;
  std::size_t line = 1;
  for (std::size_t at = 0; at < content.size();) {
    const std::size_t first_line = line;
    std::vector<std::string> fields(1);
    bool quoted = false;
    while (at < content.size()) {
      const char c = content[at++];
      if (c == '\n') ++line;
      if (quoted) {
        if (c == '"' && at < content.size() && content[at] == '"') {
          fields.back() += '"';
          ++at;
        } else if (c == '"') {
          quoted = false;
        } else {
          fields.back() += c;
        }
      } else if (c == '"' && fields.back().empty()) {
        quoted = true;
      } else if (c == delimiter) {
        fields.emplace_back();
      } else if (c == '\n') {
        break;
      } else if (c != '\r' || (at < content.size() && content[at] != '\n')) {
        fields.back() += c;
      }
    }
    if (quoted) return csv_error(path, first_line, "a quoted field is not closed");
    if (fields.size() == 1 && fields.front().empty()) continue;  // an empty line
    if (table.header.empty()) {
      table.header = std::move(fields);
      continue;
    }
    if (fields.size() != table.header.size()) {
      return csv_error(path, first_line,
                       "expected " + std::to_string(table.header.size()) +
                           " fields as in the header, found " + std::to_string(fields.size()));
    }
    table.rows.push_back(std::move(fields));
  }
  if (table.header.empty()) return csv_error(path, 1, "the file is empty: expected a header line");
  return table;
}

ColumnBatch to_batch(const CsvTable& table) {
  ColumnBatch batch;
  auto arena = std::make_shared<TextArena>();
  batch.rows = table.rows.size();
  for (std::size_t column = 0; column < table.header.size(); ++column) {
    Column& out = batch.columns.emplace_back();
    out.spec = {table.header[column], ColumnType::kText};
    for (const auto& row : table.rows) {
      out.text.push_back(arena->add(row[column]));
      out.valid.push_back(row[column].empty() ? 0 : 1);
    }
  }
  batch.owners.push_back(std::move(arena));
  return batch;
}

}  // namespace

Result<> load_seed(database::Connection& connection, const Node& seed) {
  const CsvTable table = TILLCAST_TRY_PLAIN(parse_csv(seed.raw_code, seed.config.delimiter, seed.path));
  const auto scan = TILLCAST_TRY(connection.database().scan(to_batch(table)), seed.path);
  // One pass over the text decides the types that are not configured. The patterns are stricter than DuckDB's
  // casts, which round 1.5 to a BIGINT and cut the time off for a DATE.
  struct Candidate {
    std::string_view type;
    std::string_view pattern;
  };
  static constexpr Candidate kTypes[] = {{"INTEGER", "[+-]?[0-9]{1,10}"},
                                         {"BIGINT", "[+-]?[0-9]{1,18}"},
                                         {"DOUBLE", "[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?"},
                                         {"DATE", "[0-9]{4}-[0-9]{2}-[0-9]{2}"},
                                         {"TIMESTAMP", "[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9:.]+"},
                                         {"BOOLEAN", "(?i)true|false"}};
  std::string probe;
  for (const std::string& name : table.header) {
    const std::string column = database::sql_identifier(name);
    for (const Candidate& candidate : kTypes) {
      probe += (probe.empty() ? "SELECT " : ", ") +
               ("count(" + column + ") > 0 AND count(" + column + ") = count_if(regexp_full_match(" + column +
                ", " + database::sql_quote(candidate.pattern) + ") AND try_cast(" + column + " AS " +
                std::string(candidate.type) + ") IS NOT NULL)");
    }
  }
  const auto fits = TILLCAST_TRY(connection.query(probe + " FROM " + scan.sql()), seed.path);
  std::string select;
  for (std::size_t i = 0; i < table.header.size(); ++i) {
    const std::string& name = table.header[i];
    std::string type = "VARCHAR";
    const auto configured = std::find_if(seed.config.column_types.begin(), seed.config.column_types.end(),
                                         [&](const auto& entry) { return entry.first == name; });
    if (configured != seed.config.column_types.end()) {
      type = configured->second;
    } else {
      for (std::size_t k = std::size(kTypes); k-- > 0;)
        if (fits.integer(0, i * std::size(kTypes) + k).value_or(0) != 0) type = std::string(kTypes[k].type);
    }
    const std::string column = database::sql_identifier(name);
    select += (i == 0 ? "" : ", ") + ("CAST(" + column + " AS " + type + ") AS " + column);
  }
  TILLCAST_TRY(connection.execute("CREATE OR REPLACE TABLE " + seed.relation + " AS SELECT " + select +
                                  " FROM " + scan.sql()),
               seed.path);
  return {};
}

}  // namespace tillcast::warehouse
