#include "crash/data_directory.h"

#include <gtest/gtest.h>

#include <fstream>

namespace tillcast::test {

std::string visible_content(const std::filesystem::path& data_directory) {
  const char* const tables[] = {"silver.sale_line",      "silver.rejects",      "dim_date",
                                "dim_product",           "dim_customer",        "dim_store",
                                "dim_country",           "fact_sale_line",      "fact_order",
                                "fact_return",           "demand_daily",        "sales_daily",
                                "sales_monthly_country", "product_performance", "customer_metrics"};
  std::string statement;
  for (const char* table : tables) {
    statement += (statement.empty() ? "" : " UNION ALL ") + std::string("SELECT '") + table +
                 "' AS name, count(*), coalesce(sum(hash(t)), 0) FROM " + table + " AS t";
  }
  const auto result =
      tillcast({"sql", "--data", data_directory.string(), "--format", "csv", statement + " ORDER BY name"});
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

std::vector<std::filesystem::path> make_sales_files(const std::filesystem::path& folder, int days) {
  const auto whole = folder / "whole.csv";
  const auto result = tillcast({"generate", "--stores", "2", "--products", "12", "--days",
                                std::to_string(days), "--seed", "11", "--out", whole.string()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  std::ifstream in(whole);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line + "\n");
  const std::vector<std::filesystem::path> files = {folder / "sales-1.csv", folder / "sales-2.csv"};
  for (std::size_t part = 0; part < files.size(); ++part) {
    std::ofstream out(files[part]);
    out << lines.at(0);
    const std::size_t middle = lines.size() / 2;
    for (std::size_t i = part == 0 ? 1 : middle; i < (part == 0 ? middle : lines.size()); ++i)
      out << lines[i];
  }
  return files;
}

ProcessResult run_on(const std::filesystem::path& data_directory,
                     const std::vector<std::filesystem::path>& files, const ProcessOptions& options) {
  std::vector<std::string> words = {"run", "--no-forecast", "--data", data_directory.string()};
  for (const auto& file : files) {
    words.push_back("--input");
    words.push_back(file.string());
  }
  return tillcast(words, options);
}

}  // namespace tillcast::test
