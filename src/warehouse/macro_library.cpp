#include <algorithm>
#include <utility>

#include "warehouse/sql_template.h"

namespace tillcast::warehouse {

Result<> MacroLibrary::add(const std::shared_ptr<const ParsedTemplate>& source) {
  for (auto& macro : macros_of(*source)) {
    const auto [at, added] = entries_.try_emplace(macro->name, Entry{source, macro});
    if (!added) {
      const auto& first = *at->second.macro;
      return conflict(template_error(macro->file, macro->at,
                                     "the macro '" + macro->name + "' exists already in " + first.file + ":" +
                                         std::to_string(first.at.line))
                          .message);
    }
  }
  return {};
}

void MacroLibrary::add_defaults(const std::shared_ptr<const ParsedTemplate>& source) {
  for (auto& macro : macros_of(*source)) entries_.try_emplace(macro->name, Entry{source, macro});
}

const MacroLibrary::Entry* MacroLibrary::find(std::string_view name) const {
  const auto at = entries_.find(name);
  return at == entries_.end() ? nullptr : &at->second;
}

std::string nearest_name(std::string_view name, const std::vector<std::string>& known) {
  std::string best;
  std::size_t best_distance = name.size() / 3 + 2;
  for (const std::string& candidate : known) {
    if (candidate.size() > name.size() + best_distance || name.size() > candidate.size() + best_distance)
      continue;
    std::vector<std::size_t> row(candidate.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= name.size(); ++i) {
      std::size_t diagonal = std::exchange(row[0], i);
      for (std::size_t j = 1; j < row.size(); ++j) {
        const std::size_t substituted = diagonal + (name[i - 1] == candidate[j - 1] ? 0 : 1);
        diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, substituted}));
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

}  // namespace tillcast::warehouse
