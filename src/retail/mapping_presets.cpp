#include <algorithm>
#include <tuple>

#include "core/check.h"
#include "mappings_assets.h"
#include "retail/column_mapping.h"

namespace tillcast::retail {
namespace {

std::string quoted_list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

/// The header columns a mapping would read.
std::size_t used_columns(const ColumnMapping& mapping, std::span<const std::string> header) {
  std::size_t count = 0;
  for (const ColumnSource& source : mapping.columns) {
    const bool found = std::ranges::any_of(
        source.from, [&](const std::string& name) { return find_header(header, name) >= 0; });
    count += found ? 1 : 0;
    count += !source.year.empty() && find_header(header, source.year) >= 0 ? 2 : 0;
  }
  return count;
}

std::vector<ColumnMapping> parse_presets() {
  std::vector<ColumnMapping> presets;
  for (const EmbeddedFile& file : mappings_assets()) {
    auto mapping = parse_mapping(file.content, file.path);
    TILLCAST_CHECK(mapping.has_value(), mapping ? "" : mapping.error().message.c_str());
    presets.push_back(std::move(*mapping));
  }
  return presets;
}

}  // namespace

std::string normalise_header(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (c == ' ' || c == '_' || c == '-') continue;
    text += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  }
  return text;
}

int find_header(std::span<const std::string> header, std::string_view name) {
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (header[i] == name) return static_cast<int>(i);
  }
  const std::string wanted = normalise_header(name);
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (normalise_header(header[i]) == wanted) return static_cast<int>(i);
  }
  return -1;
}

int wide_day(const WideDays& wide, std::string_view header_name) {
  if (header_name.size() <= wide.prefix.size() || header_name.size() > wide.prefix.size() + 6) return 0;
  for (std::size_t i = 0; i < wide.prefix.size(); ++i) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
    if (lower(header_name[i]) != lower(wide.prefix[i])) return 0;
  }
  int day = 0;
  for (const char c : header_name.substr(wide.prefix.size())) {
    if (c < '0' || c > '9') return 0;
    day = day * 10 + (c - '0');
  }
  return day;
}

std::vector<std::string> missing_columns(const ColumnMapping& mapping, std::span<const std::string> header) {
  std::vector<std::string> missing;
  for (const ColumnSource& source : mapping.columns) {
    if (!source.required) continue;
    if (source.from.empty()) {
      for (const std::string& part : {source.year, source.month, source.week}) {
        if (!part.empty() && find_header(header, part) < 0) missing.push_back(part);
      }
    } else if (std::ranges::none_of(
                   source.from, [&](const std::string& name) { return find_header(header, name) >= 0; })) {
      missing.push_back(source.from.front());
    }
  }
  if (mapping.wide && std::ranges::none_of(header, [&](const std::string& name) {
        return wide_day(*mapping.wide, name) > 0;
      })) {
    missing.push_back(mapping.wide->prefix + "1…");
  }
  return missing;
}

const std::vector<ColumnMapping>& preset_mappings() {
  static const std::vector<ColumnMapping> kPresets = parse_presets();
  return kPresets;
}

Result<ColumnMapping> preset_mapping(std::string_view name) {
  std::string names;
  for (const ColumnMapping& mapping : preset_mappings()) {
    if (mapping.name == name) return mapping;
    names += (names.empty() ? "" : ", ") + mapping.name;
  }
  return not_found("mapping '" + std::string(name) + "' is unknown; built in are " + names +
                   "; or give a file with --mapping FILE");
}

Result<ColumnMapping> pick_mapping(std::span<const ColumnMapping> mappings,
                                   std::span<const std::string> header) {
  struct Candidate {
    const ColumnMapping* mapping;
    std::vector<std::string> missing;
  };
  const ColumnMapping* best = nullptr;
  std::size_t best_used = 0;
  std::vector<Candidate> misfits;
  for (const ColumnMapping& mapping : mappings) {
    std::vector<std::string> missing = missing_columns(mapping, header);
    if (!missing.empty()) {
      misfits.push_back({&mapping, std::move(missing)});
      continue;
    }
    const std::size_t used = used_columns(mapping, header);
    if (best == nullptr || used > best_used) {
      best = &mapping;
      best_used = used;
    }
  }
  if (best != nullptr) return *best;

  std::ranges::sort(misfits, {}, [&header](const Candidate& candidate) {
    return std::tuple(candidate.missing.size(), header.size() - used_columns(*candidate.mapping, header),
                      candidate.mapping->name);
  });
  std::string message = "no mapping fits the columns found: ";
  constexpr std::size_t kNamesMax = 40;
  for (std::size_t i = 0; i < std::min(header.size(), kNamesMax); ++i)
    message += (i == 0 ? "" : ", ") + header[i];
  if (header.size() > kNamesMax) message += ", … (" + std::to_string(header.size()) + " columns)";
  message += ". Missing for ";
  for (std::size_t i = 0; i < misfits.size(); ++i) {
    message += (i == 0 ? "" : "; ") + misfits[i].mapping->name + ": " + quoted_list(misfits[i].missing);
  }
  return invalid_input(
      message + ". Rename the columns, or describe them with --mapping FILE (docs/formats/mappings.md)");
}

}  // namespace tillcast::retail
