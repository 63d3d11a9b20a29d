#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tillcast::api {

/// A request target taken apart (RFC 9112 §3.2). Segments are split at '/' before decoding, so that a segment
/// may hold an encoded slash: "/api/v1/series/stores%2F17" has the segments api, v1, series, "stores/17".
struct Target {
  std::string_view authority;         ///< of the absolute form "http://host/…", else empty
  std::vector<std::string> segments;  ///< decoded; "/" has none
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded names and values, in order
};

/// @return nullopt for what is no origin or absolute form, a broken percent escape or text that is not UTF-8.
std::optional<Target> parse_target(std::string_view target);

/// Decodes %XX; in queries '+' is a space. @return nullopt for a broken escape.
std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space);

/// Encodes everything but RFC 3986's unreserved characters: one segment from any bytes.
std::string percent_encoded(std::string_view text);

}  // namespace tillcast::api
