#include "forecast/attribute_codes.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <unordered_map>

#include "forecast/drivers.h"

namespace tillcast::forecast {

AttributeCodes::AttributeCodes(std::span<const AttributeColumn> columns) {
  for (const AttributeColumn& column : columns)
    columns_.push_back({column.name, column.is_category, {}, column.words});
}

std::vector<AttributeColumn> AttributeCodes::recode(std::span<const AttributeColumn> now,
                                                    std::size_t series_count) const {
  std::vector<AttributeColumn> recoded = columns_;
  for (AttributeColumn& column : recoded) {
    const auto found = std::ranges::find(now, column.name, &AttributeColumn::name);
    if (found == now.end() || found->is_category != column.is_category) {
      column.value.assign(series_count, kUnknownDriver);
      continue;
    }
    column.value = found->value;
    if (column.words.empty() || column.words == found->words) continue;
    std::unordered_map<std::string_view, float> code_of;
    for (std::size_t code = 0; code < column.words.size(); ++code)
      code_of.emplace(column.words[code], static_cast<float>(code));
    std::vector<float> code_now;
    for (const std::string& word : found->words) {
      const auto known = code_of.find(word);
      code_now.push_back(known == code_of.end() ? kUnknownDriver : known->second);
    }
    for (float& value : column.value) {
      if (std::isnan(value)) continue;
      const auto at = static_cast<std::size_t>(value);
      value = at < code_now.size() ? code_now[at] : kUnknownDriver;
    }
  }
  return recoded;
}

namespace {

void put(std::string& text, std::string_view word) {
  text += std::to_string(word.size());
  text += ':';
  text += word;
}

std::optional<std::size_t> take_number(std::string_view& text, char end) {
  std::size_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop == text.data() + text.size() || *stop != end) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()) + 1);
  return number;
}

std::optional<std::string> take_word(std::string_view& text) {
  const auto size = take_number(text, ':');
  if (!size || *size > text.size()) return std::nullopt;
  std::string word(text.substr(0, *size));
  text.remove_prefix(*size);
  return word;
}

}  // namespace

void AttributeCodes::save(std::string& text) const {
  text += std::to_string(columns_.size());
  text += '\n';
  for (const AttributeColumn& column : columns_) {
    put(text, column.name);
    text += column.is_category ? "c" : "n";
    text += std::to_string(column.words.size());
    text += ';';
    for (const std::string& word : column.words) put(text, word);
    text += '\n';
  }
}

Result<AttributeCodes> AttributeCodes::load(std::string_view& text) {
  const auto broken = [] { return corrupt_data("the attributes of a model do not read back"); };
  const auto count = take_number(text, '\n');
  if (!count) return broken();
  AttributeCodes codes;
  for (std::size_t i = 0; i < *count; ++i) {
    auto name = take_word(text);
    if (!name || text.empty() || (text.front() != 'c' && text.front() != 'n')) return broken();
    AttributeColumn column{std::move(*name), text.front() == 'c', {}, {}};
    text.remove_prefix(1);
    const auto words = take_number(text, ';');
    if (!words) return broken();
    for (std::size_t w = 0; w < *words; ++w) {
      auto word = take_word(text);
      if (!word) return broken();
      column.words.push_back(std::move(*word));
    }
    if (!text.starts_with('\n')) return broken();
    text.remove_prefix(1);
    codes.columns_.push_back(std::move(column));
  }
  return codes;
}

RecodedPanel::RecodedPanel(const Panel& from, const AttributeCodes& codes) : panel(from) {
  std::size_t series_count = 0;
  for (const PanelMember& member : from.members) series_count = std::max(series_count, member.series + 1);
  attributes = codes.recode(from.attributes, series_count);
  panel.attributes = attributes;
}

}  // namespace tillcast::forecast
