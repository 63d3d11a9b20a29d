#pragma once

#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "core/column_batch.h"
#include "io/file_hash.h"
#include "lake/lake.h"

namespace tillcast::lake::test {

/// Sale lines as the importer hands them over: `rows` lines from `first_day` on, one per row of the source
/// file. Event ids depend on `tag` and the row, so that two batches with one tag are the same events.
inline ColumnBatch sale_lines(std::size_t rows, Date first_day, const std::string& tag,
                              std::int64_t first_row = 1) {
  ColumnBatch batch;
  batch.rows = rows;
  auto arena = std::make_shared<TextArena>();
  const auto add = [&](const char* name, ColumnType type) -> Column& {
    batch.columns.emplace_back();
    batch.columns.back().spec = {name, type};
    return batch.columns.back();
  };
  const auto text = [&](const char* name, auto value) {
    Column& column = add(name, ColumnType::kText);
    for (std::size_t i = 0; i < rows; ++i) column.text.push_back(arena->add(value(i)));
  };
  const auto number = [&](const char* name, ColumnType type, auto value) {
    Column& column = add(name, type);
    for (std::size_t i = 0; i < rows; ++i) column.ints.push_back(value(i));
  };
  const auto all_null = [&](const char* name, ColumnType type) {
    Column& column = add(name, type);
    column.valid.assign(rows, 0);
    if (type == ColumnType::kText)
      column.text.resize(rows);
    else
      column.ints.resize(rows);
  };
  const auto day = [&](std::size_t i) { return first_day.days + static_cast<std::int64_t>(i / 10); };
  text("order_id", [&](std::size_t i) { return tag + std::to_string(i / 3); });
  number("line_no", ColumnType::kInt64, [](std::size_t i) { return static_cast<std::int64_t>(i % 3 + 1); });
  text("kind", [](std::size_t) { return std::string("sale"); });
  number("ordered_at", ColumnType::kTimestamp,
         [&](std::size_t i) { return day(i) * kMicrosPerDay + 12 * 3600 * kMicrosPerSecond; });
  number("business_date", ColumnType::kDate, day);
  text("store_id", [](std::size_t) { return std::string("1"); });
  text("product_id", [](std::size_t i) { return "P" + std::to_string(i % 17); });
  text("product_name",
       [](std::size_t i) { return "A PRODUCT NAME LONGER THAN TWELVE " + std::to_string(i % 17); });
  number("quantity", ColumnType::kDecimal3,
         [](std::size_t i) { return static_cast<std::int64_t>(i % 5 + 1) * 1000; });
  number("unit_price", ColumnType::kDecimal4,
         [](std::size_t i) { return static_cast<std::int64_t>(i % 7 + 1) * 2500; });
  number("amount", ColumnType::kDecimal4,
         [](std::size_t i) { return static_cast<std::int64_t>((i % 5 + 1) * (i % 7 + 1)) * 2500; });
  text("currency", [](std::size_t) { return std::string("GBP"); });
  all_null("customer_id", ColumnType::kText);
  text("country", [](std::size_t) { return std::string("United Kingdom"); });
  all_null("channel", ColumnType::kText);
  all_null("promotion", ColumnType::kBool);
  text("event_id", [&](std::size_t i) { return io::sha256_text(tag + std::to_string(i)).substr(0, 32); });
  number("order_key", ColumnType::kInt64, [](std::size_t i) { return static_cast<std::int64_t>(i / 3); });
  number("product_key", ColumnType::kInt64, [](std::size_t i) { return static_cast<std::int64_t>(i % 17); });
  number("customer_key", ColumnType::kInt64, [](std::size_t) { return std::int64_t{0}; });
  number("is_repeat", ColumnType::kBool, [](std::size_t) { return std::int64_t{0}; });
  number("source_row", ColumnType::kInt64,
         [&](std::size_t i) { return first_row + static_cast<std::int64_t>(i); });
  batch.owners.push_back(arena);
  return batch;
}

/// The bronze side of the same rows: two text columns, the row number and the day that decides the folder.
inline ColumnBatch bronze_rows(std::size_t rows, Date first_day, std::int64_t first_row = 1) {
  ColumnBatch batch;
  batch.rows = rows;
  auto arena = std::make_shared<TextArena>();
  batch.columns.resize(4);
  batch.columns[0].spec = {"Invoice No", ColumnType::kText};
  batch.columns[1].spec = {"Description", ColumnType::kText};
  batch.columns[2].spec = {"_row", ColumnType::kInt64};
  batch.columns[3].spec = {"_event_date", ColumnType::kDate};
  for (std::size_t i = 0; i < rows; ++i) {
    batch.columns[0].text.push_back(arena->add(std::to_string(536365 + i / 3)));
    batch.columns[1].text.push_back(arena->add("said \"it's\", number " + std::to_string(i)));
    batch.columns[2].ints.push_back(first_row + static_cast<std::int64_t>(i));
    batch.columns[3].ints.push_back(first_day.days + static_cast<std::int64_t>(i / 10));
  }
  batch.owners.push_back(arena);
  return batch;
}

inline ColumnBatch rejects(std::size_t rows, std::int64_t first_row) {
  ColumnBatch batch;
  batch.rows = rows;
  for (const char* name : {"dataset", "column_name", "reason", "message", "raw"}) {
    Column column;
    column.spec = {name, ColumnType::kText};
    column.text.assign(rows, "bad_number");
    batch.columns.push_back(std::move(column));
  }
  Column source_row;
  source_row.spec = {"source_row", ColumnType::kInt64};
  for (std::size_t i = 0; i < rows; ++i) source_row.ints.push_back(first_row + static_cast<std::int64_t>(i));
  batch.columns.push_back(std::move(source_row));
  return batch;
}

inline LoadInfo load_info(const std::string& file) {
  return {io::sha256_text(file), file, "shop", "till", {}};
}

inline AddOptions silver_options() {
  AddOptions options;
  options.partition_column = "business_date";
  options.raw_text = [](std::size_t row) { return "raw " + std::to_string(row); };
  return options;
}

inline AddOptions bronze_options() {
  AddOptions options;
  options.partition_column = "_event_date";
  options.store_partition_column = false;
  return options;
}

/// Loads `rows` lines with two rejects in one go.
inline Result<ManifestEntry> load_file(const Lake& lake, const std::string& file, std::size_t rows,
                                       Date first_day, const std::string& tag,
                                       const LoadOptions& options = {}) {
  auto writer = TILLCAST_TRY_PLAIN(lake.begin_load(load_info(file), options));
  constexpr std::size_t kBatch = 200;
  for (std::size_t done = 0; done < rows; done += kBatch) {
    const std::size_t count = std::min(kBatch, rows - done);
    const Date day{first_day.days + static_cast<std::int32_t>(done / 10)};
    const auto first_row = static_cast<std::int64_t>(done + 1);
    TILLCAST_TRY_PLAIN(writer.add("silver.sale_line",
                                  sale_lines(count, day, tag + std::to_string(done) + "-", first_row),
                                  silver_options()));
    TILLCAST_TRY_PLAIN(writer.add("bronze.till", bronze_rows(count, day, first_row), bronze_options()));
  }
  TILLCAST_TRY_PLAIN(writer.add("silver.rejects", rejects(2, static_cast<std::int64_t>(rows + 1))));
  return writer.commit(static_cast<std::int64_t>(rows + 2));
}

/// All visible rows of every dataset as text, sorted, for comparing two lakes.
inline Result<std::string> contents(const Lake& lake, bool with_load_seq = true) {
  auto database = TILLCAST_TRY_PLAIN(database::Database::open_in_memory({.threads = 1}));
  auto connection = TILLCAST_TRY_PLAIN(database.connect());
  const auto snapshot = TILLCAST_TRY_PLAIN(lake.snapshot());
  TILLCAST_TRY_PLAIN(lake.attach_views(connection, snapshot));
  std::string all;
  std::vector<std::string> names(silver_datasets().begin(), silver_datasets().end());
  for (const auto& [name, files] : snapshot.files) {
    if (name.starts_with("bronze.") && !files.empty()) names.push_back(name);
  }
  for (const std::string& name : names) {
    const std::string number = name.starts_with("bronze.") ? "_load_seq" : "load_seq";
    const auto rows = TILLCAST_TRY_PLAIN(
        connection.query("SELECT * " + std::string(with_load_seq ? "" : "EXCLUDE (" + number + ")") +
                         " FROM " + name + " ORDER BY ALL"));
    all += name + " " + std::to_string(rows.rows()) + "\n";
    for (std::size_t row = 0; row < rows.rows(); ++row) {
      for (std::size_t column = 0; column < rows.columns.size(); ++column) {
        all += rows.is_null(row, column) ? "NULL" : rows.text(row, column);
        all += '|';
      }
      all += '\n';
    }
  }
  return all;
}

}  // namespace tillcast::lake::test
