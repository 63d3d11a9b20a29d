#include <array>
#include <vector>

#include "lake/lake.h"

namespace tillcast::lake {
namespace {

using enum ColumnType;

// docs/formats/silver.md, in its order.
const std::vector<ColumnSpec>& sale_line() {
  static const std::vector<ColumnSpec> kColumns = {
      {"source", kText},       {"order_id", kText},        {"line_no", kInt32},
      {"kind", kText},         {"ordered_at", kTimestamp}, {"business_date", kDate},
      {"store_id", kText},     {"product_id", kText},      {"product_name", kText},
      {"quantity", kDecimal3}, {"unit_price", kDecimal4},  {"amount", kDecimal4},
      {"currency", kText},     {"customer_id", kText},     {"country", kText},
      {"channel", kText},      {"promotion", kBool},       {"event_id", kText},
      {"order_key", kInt64},   {"product_key", kInt64},    {"customer_key", kInt64},
      {"is_repeat", kBool},    {"source_row", kInt64},     {"load_seq", kInt64}};
  return kColumns;
}

const std::vector<ColumnSpec>& store_day() {
  static const std::vector<ColumnSpec> kColumns = {
      {"source", kText},         {"store_id", kText}, {"business_date", kDate}, {"sales", kDecimal4},
      {"customers", kInt64},     {"is_open", kBool},  {"promotion", kBool},     {"state_holiday", kText},
      {"school_holiday", kBool}, {"event_id", kText}, {"source_row", kInt64},   {"load_seq", kInt64}};
  return kColumns;
}

const std::vector<ColumnSpec>& store_plan() {
  static const std::vector<ColumnSpec> kColumns = {
      {"source", kText},         {"store_id", kText},    {"business_date", kDate},
      {"is_open", kBool},        {"promotion", kBool},   {"state_holiday", kText},
      {"school_holiday", kBool}, {"source_row", kInt64}, {"load_seq", kInt64}};
  return kColumns;
}

const std::vector<ColumnSpec>& store() {
  static const std::vector<ColumnSpec> kColumns = {{"source", kText},
                                                   {"store_id", kText},
                                                   {"store_name", kText},
                                                   {"store_type", kText},
                                                   {"assortment", kText},
                                                   {"country", kText},
                                                   {"region", kText},
                                                   {"competition_distance_m", kDecimal3},
                                                   {"competition_since", kDate},
                                                   {"promo2_since", kDate},
                                                   {"promo2_months", kText},
                                                   {"source_row", kInt64},
                                                   {"load_seq", kInt64}};
  return kColumns;
}

const std::vector<ColumnSpec>& rejects() {
  static const std::vector<ColumnSpec> kColumns = {
      {"source", kText},      {"dataset", kText},     {"file", kText},   {"file_sha256", kText},
      {"source_row", kInt64}, {"column_name", kText}, {"reason", kText}, {"message", kText},
      {"raw", kText},         {"load_seq", kInt64}};
  return kColumns;
}

}  // namespace

std::span<const std::string_view> silver_datasets() {
  static constexpr std::array<std::string_view, 5> kNames = {
      "silver.sale_line", "silver.store_day", "silver.store_plan", "silver.store", "silver.rejects"};
  return kNames;
}

std::span<const ColumnSpec> silver_schema(std::string_view dataset) {
  if (dataset == "silver.sale_line") return sale_line();
  if (dataset == "silver.store_day") return store_day();
  if (dataset == "silver.store_plan") return store_plan();
  if (dataset == "silver.store") return store();
  if (dataset == "silver.rejects") return rejects();
  return {};
}

std::span<const char* const> crash_points() {
  static constexpr const char* kNames[] = {"lake.load.begin",
                                           "lake.file.after_write",
                                           "lake.file.after_fsync",
                                           "lake.file.after_rename",
                                           "lake.dir.after_fsync",
                                           "lake.commit.before_entry",
                                           "lake.entry.after_write",
                                           "lake.entry.after_rename",
                                           "lake.commit.after_entry",
                                           "lake.checkpoint.before_write",
                                           "lake.checkpoint.after_write",
                                           "lake.compact.before_entry",
                                           "lake.compact.after_entry",
                                           "lake.compact.after_remove",
                                           "lake.remove.before_entry",
                                           "lake.remove.after_entry"};
  return kNames;
}

}  // namespace tillcast::lake
