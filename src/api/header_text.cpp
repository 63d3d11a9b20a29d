#include "api/header_text.h"

#include <charconv>

namespace tillcast::api {
namespace {

// RFC 9110 §12.4.2: "q=0.5" as 500; 1000 without one, and for a text that is no weight.
int weight_of(std::string_view parameters) {
  int weight = 1000;
  any_part(parameters, ';', [&weight](std::string_view parameter) {
    if (parameter.size() < 3 || ascii_lower(parameter[0]) != 'q' || parameter[1] != '=') return false;
    double value = 1;
    const auto parsed = std::from_chars(parameter.data() + 2, parameter.data() + parameter.size(), value);
    if (parsed.ec == std::errc{} && value >= 0 && value <= 1) weight = static_cast<int>(value * 1000);
    return true;
  });
  return weight;
}

bool has_zero_weight(std::string_view parameters) { return weight_of(parameters) == 0; }

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

bool accepts_gzip(std::string_view accept_encoding) {
  return any_part(accept_encoding, ',', [](std::string_view coding) {
    const auto semicolon = std::min(coding.find(';'), coding.size());
    return equal_ignoring_case(trimmed(coding.substr(0, semicolon)), "gzip") &&
           !has_zero_weight(coding.substr(semicolon));
  });
}

bool is_content(std::string_view content_type, std::string_view media_type) {
  return equal_ignoring_case(trimmed(content_type.substr(0, content_type.find(';'))), media_type);
}

int accept_quality(std::string_view accept, std::string_view media_type) {
  if (trimmed(accept).empty()) return 1000;
  const std::string_view kind = media_type.substr(0, media_type.find('/'));
  // The most specific range decides: "application/json;q=0, */*" refuses JSON.
  int best = -1;
  int quality = 0;
  any_part(accept, ',', [&](std::string_view range) {
    const auto semicolon = std::min(range.find(';'), range.size());
    const std::string_view name = trimmed(range.substr(0, semicolon));
    const auto slash = std::min(name.find('/'), name.size());
    int rank = -1;
    if (equal_ignoring_case(name, media_type)) {
      rank = 2;
    } else if (name == "*/*" || name == "*") {
      rank = 0;
    } else if (name.substr(slash) == "/*" && equal_ignoring_case(name.substr(0, slash), kind)) {
      rank = 1;
    }
    if (rank > best) {
      best = rank;
      quality = weight_of(range.substr(semicolon));
    }
    return false;
  });
  return quality;
}

}  // namespace tillcast::api
