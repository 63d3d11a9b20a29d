#pragma once

#include <algorithm>
#include <string_view>

#include "core/text.h"

namespace tillcast::api {

/// Text of HTTP header fields (RFC 9110). All pure.

/// ASCII case is ignored.
bool equal_ignoring_case(std::string_view a, std::string_view b);

/// Calls `use` with each trimmed part of a separated list until it returns true.
template <class Use>
bool any_part(std::string_view list, char separator, Use use) {
  while (!list.empty()) {
    const auto end = std::min(list.find(separator), list.size());
    if (use(trimmed(list.substr(0, end)))) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

/// How much `media_type` is wanted by an Accept header (§12.5.1), 0 (not at all) to 1000; an empty header
/// wants everything. The most specific range decides.
int accept_quality(std::string_view accept, std::string_view media_type);
/// True when Accept-Encoding admits gzip.
bool accepts_gzip(std::string_view accept_encoding);
/// True when Content-Type is `media_type`, with or without parameters.
bool is_content(std::string_view content_type, std::string_view media_type);

}  // namespace tillcast::api
