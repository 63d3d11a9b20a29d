#include "retail/dataset_schema.h"

#include <array>

namespace tillcast::retail {
namespace {

constexpr FieldSpec kSaleLineFields[] = {
    {"order_id", FieldType::kId, false},         {"line_no", FieldType::kInteger, false},
    {"kind", FieldType::kKind, false},           {"ordered_at", FieldType::kInstant, true},
    {"store_id", FieldType::kId, true},          {"product_id", FieldType::kProductId, true},
    {"product_name", FieldType::kText, false},   {"quantity", FieldType::kDecimal3, true},
    {"unit_price", FieldType::kDecimal4, false}, {"amount", FieldType::kDecimal4, false},
    {"currency", FieldType::kText, false},       {"customer_id", FieldType::kId, false},
    {"country", FieldType::kText, false},        {"channel", FieldType::kText, false},
    {"promotion", FieldType::kBool, false},      {"event_id", FieldType::kText, false},
};

constexpr FieldSpec kStoreDayFields[] = {
    {"store_id", FieldType::kId, true},         {"business_date", FieldType::kDate, true},
    {"sales", FieldType::kDecimal4, true},      {"customers", FieldType::kInteger, false},
    {"is_open", FieldType::kBool, false},       {"promotion", FieldType::kBool, false},
    {"state_holiday", FieldType::kText, false}, {"school_holiday", FieldType::kBool, false},
    {"event_id", FieldType::kText, false},
};

// Days ahead, or behind: what is planned for them, without sales.
constexpr FieldSpec kStorePlanFields[] = {
    {"store_id", FieldType::kId, true},         {"business_date", FieldType::kDate, true},
    {"is_open", FieldType::kBool, false},       {"promotion", FieldType::kBool, false},
    {"state_holiday", FieldType::kText, false}, {"school_holiday", FieldType::kBool, false},
};

constexpr FieldSpec kStoreFields[] = {
    {"store_id", FieldType::kId, true},
    {"store_name", FieldType::kText, false},
    {"store_type", FieldType::kText, false},
    {"assortment", FieldType::kText, false},
    {"country", FieldType::kText, false},
    {"region", FieldType::kText, false},
    {"competition_distance_m", FieldType::kDecimal3, false},
    {"competition_since", FieldType::kDate, false},
    {"promo2_since", FieldType::kDate, false},
    {"promo2_months", FieldType::kText, false},
};

ColumnType column_type(FieldType type) {
  switch (type) {
    case FieldType::kDecimal3:
      return ColumnType::kDecimal3;
    case FieldType::kDecimal4:
      return ColumnType::kDecimal4;
    case FieldType::kInteger:
      return ColumnType::kInt64;
    case FieldType::kBool:
      return ColumnType::kBool;
    case FieldType::kDate:
      return ColumnType::kDate;
    case FieldType::kInstant:
      return ColumnType::kTimestamp;
    default:
      return ColumnType::kText;
  }
}

}  // namespace

std::string_view dataset_name(Dataset dataset) {
  switch (dataset) {
    case Dataset::kSaleLine:
      return "sale_line";
    case Dataset::kStoreDay:
      return "store_day";
    case Dataset::kStorePlan:
      return "store_plan";
    case Dataset::kStore:
      return "store";
  }
  return "";
}

std::optional<Dataset> parse_dataset(std::string_view name) {
  for (const Dataset dataset :
       {Dataset::kSaleLine, Dataset::kStoreDay, Dataset::kStorePlan, Dataset::kStore}) {
    if (name == dataset_name(dataset)) return dataset;
  }
  return std::nullopt;
}

std::span<const FieldSpec> dataset_fields(Dataset dataset) {
  switch (dataset) {
    case Dataset::kSaleLine:
      return kSaleLineFields;
    case Dataset::kStoreDay:
      return kStoreDayFields;
    case Dataset::kStorePlan:
      return kStorePlanFields;
    case Dataset::kStore:
      return kStoreFields;
  }
  return {};
}

std::vector<ColumnSpec> typed_columns(Dataset dataset) {
  std::vector<ColumnSpec> columns;
  for (const FieldSpec& field : dataset_fields(dataset)) {
    columns.push_back(
        {std::string(field.name), field.name == "line_no" ? ColumnType::kInt32 : column_type(field.type)});
    if (field.name == "ordered_at") columns.push_back({"business_date", ColumnType::kDate});
  }
  if (dataset == Dataset::kSaleLine) {
    columns.push_back({"order_key", ColumnType::kInt64});
    columns.push_back({"product_key", ColumnType::kInt64});
    columns.push_back({"customer_key", ColumnType::kInt64});
    columns.push_back({"is_repeat", ColumnType::kBool});
  }
  columns.push_back({"source_row", ColumnType::kInt64});
  return columns;
}

std::vector<ColumnSpec> reject_columns() {
  return {{"dataset", ColumnType::kText},     {"source_row", ColumnType::kInt64},
          {"column_name", ColumnType::kText}, {"reason", ColumnType::kText},
          {"message", ColumnType::kText},     {"raw", ColumnType::kText}};
}

std::vector<ColumnSpec> bronze_columns(std::span<const std::string> header) {
  std::vector<ColumnSpec> columns;
  columns.reserve(header.size() + 2);
  for (const std::string& name : header) columns.push_back({name, ColumnType::kText});
  columns.push_back({"_row", ColumnType::kInt64});
  columns.push_back({"_event_date", ColumnType::kDate});
  return columns;
}

}  // namespace tillcast::retail
