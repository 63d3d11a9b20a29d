#pragma once

#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <utility>

#include "e2e/running_server.h"
#include "support/process.h"
#include "support/temp_dir.h"

namespace tillcast::test {

/// An answer taken apart.
struct JsonAnswer {
  int status = 0;
  std::string header;
  std::string text;
  rapidjson::Document json;
};

inline JsonAnswer ask(int port, const HttpCall& call) {
  const std::string answer = http(port, call);
  JsonAnswer taken;
  if (answer.size() > 12) taken.status = std::atoi(answer.c_str() + 9);
  const auto end = answer.find("\r\n\r\n");
  taken.header = answer.substr(0, end);
  if (end != std::string::npos) taken.text = answer.substr(end + 4);
  taken.json.Parse(taken.text.data(), taken.text.size());
  return taken;
}
inline JsonAnswer get(int port, const std::string& target) { return ask(port, {"GET", target}); }

inline JsonAnswer upload(int port, std::string_view content, const std::string& name = "sales.csv") {
  return ask(port, {"POST", "/api/v1/uploads?name=" + name, content, "text/csv"});
}

/// The job when it is finished, or what it is after five minutes (ten under a sanitizer).
inline JsonAnswer finished_job(int port, const std::string& id) {
  JsonAnswer job;
  for (int i = 0; i < 1200 * test::kPatience; ++i) {
    job = get(port, "/api/v1/jobs/" + id);
    if (job.status != 200) break;
    const std::string state = job.json["state"].GetString();
    if (state == "succeeded" || state == "failed" || state == "cancelled") break;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return job;
}

/// A seven-column sales file of a generated chain, cut in two at a day.
struct SevenColumnSales {
  std::string before;
  std::string after;
  std::set<std::pair<std::string, std::string>> pairs;  ///< store, product in either part
  long rows_before = 0;
  long rows_after = 0;
};

inline SevenColumnSales seven_column_sales(const std::filesystem::path& folder, int stores, int products,
                                           int days, const std::string& units_per_day,
                                           const std::string& cut) {
  const auto file = folder / "generated.csv";
  const auto made = tillcast({"generate", "--stores", std::to_string(stores), "--products",
                              std::to_string(products), "--days", std::to_string(days), "--units-per-day",
                              units_per_day, "--returns", "0", "--out", file.string()});
  EXPECT_EQ(made.exit_code, 0) << made.err;
  const std::string head = "product_id,product_name,product_price,store_id,store_name,quantity,date\n";
  SevenColumnSales sales{head, head, {}, 0, 0};
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    // order_id,line_no,kind,ordered_at,store_id,product_id,product_name,quantity,unit_price,...
    std::vector<std::string> cells(1);
    bool quoted = false;
    for (const char c : line) {
      if (c == '"') quoted = !quoted;
      if (c == ',' && !quoted) {
        cells.emplace_back();
      } else {
        cells.back() += c;
      }
    }
    const std::string day = cells[3].substr(0, 10);
    const bool early = day < cut;
    (early ? sales.before : sales.after) += cells[5] + "," + cells[6] + "," + cells[8] + "," + cells[4] +
                                            ",Store " + cells[4] + "," + cells[7] + "," + day + " " +
                                            cells[3].substr(11, 8) + "\n";
    ++(early ? sales.rows_before : sales.rows_after);
    sales.pairs.emplace(cells[4], cells[5]);
  }
  return sales;
}

/// A data directory of a generated chain with the plans that its data suggest, forecast.
inline void make_forecast_shop(const TempDir& folder, int stores, int products, int days) {
  const auto sales = folder.file("sales.csv");
  const auto shop = folder.file("shop").string();
  const auto made =
      tillcast({"generate", "--stores", std::to_string(stores), "--products", std::to_string(products),
                "--days", std::to_string(days), "--out", sales.string()});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  ASSERT_EQ(tillcast({"init", shop}).exit_code, 0);
  const auto result = tillcast({"run", "--data", shop, "--input", sales.string()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
}

/// A data directory whose one plan is system E's: units by store, product and month.
inline void make_monthly_shop(const std::filesystem::path& shop) {
  ASSERT_EQ(tillcast({"init", shop.string()}).exit_code, 0);
  std::ofstream settings(shop / "tillcast.toml", std::ios::app);
  settings << "\n[[forecast.plan]]\nname = \"store_product_monthly\"\nmeasure = \"units\"\nby = [\"store\", "
              "\"product\"]\nfrequency = \"monthly\"\nhorizon = 6\n";
}

}  // namespace tillcast::test
