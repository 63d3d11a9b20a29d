#pragma once

#include <filesystem>
#include <string>

#include "database/database.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"
#include "warehouse/project.h"
#include "warehouse/runner.h"

namespace tillcast::warehouse {

inline std::filesystem::path shop_directory() {
  return std::filesystem::path(TILLCAST_SOURCE_DIR) / "tests/data/warehouse/shop";
}

/// An in-memory DuckDB with the source of tests/data/warehouse/shop.
class ShopTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = database::Database::open_in_memory();
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    database_.emplace(*std::move(opened));
    auto connected = database_->connect();
    ASSERT_TRUE(connected.has_value()) << connected.error().message;
    connection_.emplace(*std::move(connected));
    execute(
        "CREATE SCHEMA raw; CREATE TABLE raw.sales (id INTEGER, day DATE, region VARCHAR, amount "
        "DECIMAL(18,2));"
        "INSERT INTO raw.sales VALUES (1, '2024-03-01', '01', 10), (2, '2024-03-01', '02', 5), (3, "
        "'2024-03-02', '01', 7),"
        "(4, '2024-03-02', '03', 0)");
  }
  void execute(const std::string& sql) {
    const auto done = connection_->execute(sql);
    ASSERT_TRUE(done.has_value()) << done.error().message;
  }
  /// All rows, "a|b" each, joined by spaces; or the error.
  std::string rows(const std::string& sql) {
    const auto result = connection_->query(sql);
    if (!result) return result.error().message;
    std::string text;
    for (std::size_t row = 0; row < result->rows(); ++row) {
      if (row > 0) text += ' ';
      for (std::size_t column = 0; column < result->columns.size(); ++column)
        text +=
            (column == 0 ? "" : "|") + (result->is_null(row, column) ? "null" : result->text(row, column));
    }
    return text;
  }
  Result<RunResults> run_shop(const RunOptions& options = {}, const LoadOptions& load = {}) {
    const Project project = TILLCAST_TRY_PLAIN(load_project(shop_directory(), load));
    return run(project, *connection_, options);
  }
  static const NodeResult* find(const RunResults& results, std::string_view name) {
    for (const NodeResult& result : results.results)
      if (result.name == name) return &result;
    return nullptr;
  }

  std::optional<database::Database> database_;
  std::optional<database::Connection> connection_;
};

}  // namespace tillcast::warehouse
