#include "pipeline/plan_attributes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <string>

#include "forecast/drivers.h"

namespace tillcast::pipeline {
Result<std::vector<forecast::AttributeColumn>> load_attributes(database::Connection& connection,
                                                               const ForecastPlan& plan,
                                                               const PlanSeries& data) {
  std::vector<forecast::AttributeColumn> attributes;
  const auto add_codes = [&](const std::string& name, const std::vector<std::string>& word) {
    std::map<std::string, float> code;
    for (const auto& one : word)
      if (!one.empty()) code.emplace(one, 0.0F);
    if (code.size() < 2) return;
    float next = 0;
    for (auto& [text, number] : code) number = next++;
    forecast::AttributeColumn column{name, true, {}, {}};
    for (const auto& one : word) column.value.push_back(one.empty() ? forecast::kUnknownDriver : code[one]);
    for (const auto& [text, number] : code) column.words.push_back(text);
    attributes.push_back(std::move(column));
  };
  const std::size_t count = data.members.size();
  if (plan.groups_by("store") && plan.groups_by("product")) {
    std::vector<std::string> store;
    std::vector<std::string> product;
    for (const auto& member : data.members) {
      store.push_back(member.store_id);
      product.push_back(member.product_id);
    }
    add_codes("store", store);
    add_codes("product", product);
  }
  if (plan.groups_by("store")) {
    const auto rows = TILLCAST_TRY_PLAIN(connection.query(
        "SELECT CAST(store_key AS BIGINT), coalesce(store_type, ''), coalesce(assortment, ''), "
        "coalesce(country, ''), coalesce(region, ''), CAST(competition_distance_m AS DOUBLE), "
        "competition_since, promo2_since FROM dim_store"));
    std::map<std::int64_t, std::size_t> row_of;
    for (std::size_t i = 0; i < rows.rows(); ++i) row_of[rows.integer(i, 0).value_or(0)] = i;
    const char* const names[] = {"store_type", "assortment", "country", "region"};
    for (std::size_t c = 0; c < std::size(names); ++c) {
      std::vector<std::string> word(count);
      for (std::size_t i = 0; i < count; ++i)
        if (const auto at = row_of.find(data.members[i].store_key); at != row_of.end())
          word[i] = rows.text(at->second, 1 + c);
      add_codes(names[c], word);
    }
    // Days since 1970: models of all series count from them (names that end in _since).
    const char* const numbers[] = {"competition_distance_m", "competition_since", "promo2_since"};
    for (std::size_t c = 0; c < std::size(numbers); ++c) {
      forecast::AttributeColumn column{
          numbers[c], false, std::vector<float>(count, forecast::kUnknownDriver), {}};
      for (std::size_t i = 0; i < count; ++i) {
        const auto at = row_of.find(data.members[i].store_key);
        if (at == row_of.end()) continue;
        if (const auto metres = c == 0 ? rows.number(at->second, 5) : std::nullopt)
          column.value[i] = static_cast<float>(*metres);
        if (const auto day = c == 0 ? std::nullopt : rows.date(at->second, 5 + c))
          column.value[i] = static_cast<float>(day->days);
      }
      if (std::ranges::any_of(column.value, [](float value) { return !std::isnan(value); }))
        attributes.push_back(std::move(column));
    }
  }
  if (plan.groups_by("product")) {
    const auto rows =
        TILLCAST_TRY_PLAIN(connection.query("SELECT CAST(product_key AS BIGINT), category FROM dim_product"));
    std::map<std::int64_t, std::string> category;
    for (std::size_t i = 0; i < rows.rows(); ++i) category[rows.integer(i, 0).value_or(0)] = rows.text(i, 1);
    std::vector<std::string> word;
    word.reserve(data.members.size());
    for (const auto& member : data.members) word.push_back(category[member.product_key]);
    add_codes("category", word);
  }
  return attributes;
}

Result<void> find_member_keys(database::Connection& connection, PlanSeries& data) {
  const auto keys_of = [&](const std::string& name) -> Result<std::map<std::string, std::int64_t>> {
    const auto rows = TILLCAST_TRY_PLAIN(
        connection.query("SELECT CAST(" + name + "_key AS BIGINT), " + name + "_id FROM dim_" + name));
    std::map<std::string, std::int64_t> keys;
    for (std::size_t i = 0; i < rows.rows(); ++i) keys[rows.text(i, 1)] = rows.integer(i, 0).value_or(0);
    return keys;
  };
  auto stores = TILLCAST_TRY_PLAIN(keys_of("store"));
  auto products = TILLCAST_TRY_PLAIN(keys_of("product"));
  for (auto& member : data.members) {
    member.store_key = member.store_id.empty() ? 0 : stores[member.store_id];
    member.product_key = member.product_id.empty() ? 0 : products[member.product_id];
  }
  return {};
}

}  // namespace tillcast::pipeline
