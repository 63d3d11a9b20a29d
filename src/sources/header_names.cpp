#include "sources/header_names.h"

#include <unordered_set>

#include "core/text.h"

namespace tillcast::sources {
namespace {

std::string trimmed(std::string text) {
  for (char& c : text) {
    if (c == '\n' || c == '\r' || c == '\t') c = ' ';
  }
  const auto begin = text.find_first_not_of(' ');
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

}  // namespace

std::vector<std::string> unique_header(std::vector<std::string> names) {
  std::unordered_set<std::string> taken = {"_row", "_event_date", "_file", "_file_sha256", "_load_seq"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string base = trimmed(std::move(names[i]));
    if (base.empty()) base = "column_" + std::to_string(i + 1);
    std::string name = base;
    for (int copy = 2; !taken.insert(ascii_lower(name)).second; ++copy)
      name = base + "_" + std::to_string(copy);
    names[i] = std::move(name);
  }
  return names;
}

}  // namespace tillcast::sources
