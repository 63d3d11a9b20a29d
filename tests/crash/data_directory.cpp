#include "crash/data_directory.h"

#include <gtest/gtest.h>

namespace tillcast::test {

std::string visible_content(const std::filesystem::path& data_directory) {
  const char* const tables[] = {"silver.sale_line", "silver.rejects", "dim_date", "dim_product", "dim_customer", "dim_store", "dim_country", "fact_sale_line",
                                "fact_order", "fact_return", "demand_daily", "sales_daily", "sales_monthly_country", "product_performance", "customer_metrics"};
  std::string statement;
  for (const char* table : tables) {
    statement += (statement.empty() ? "" : " UNION ALL ") + std::string("SELECT '") + table + "' AS name, count(*), coalesce(sum(hash(t)), 0) FROM " + table + " AS t";
  }
  const auto result = tillcast({"sql", "--data", data_directory.string(), "--format", "csv", statement + " ORDER BY name"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return result.exit_code == 0 ? result.out : "";
}

void expect_clean_lake(const std::filesystem::path& data_directory) {
  const auto result = tillcast({"lake", "verify", "--data", data_directory.string()});
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
}

void make_data_directory(const std::filesystem::path& path) {
  const auto result = tillcast({"init", path.string()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
}

std::filesystem::path make_sales_file(const std::filesystem::path& folder, int days) {
  const auto file = folder / "sales.csv";
  const auto result = tillcast({"generate", "--stores", "2", "--products", "12", "--days", std::to_string(days), "--seed", "11", "--out", file.string()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return file;
}

}  // namespace tillcast::test
