#include "api/target.h"

#include "core/text.h"

namespace tillcast::api {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool parse_query(std::string_view text, Target& out) {
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(pair.size() == text.size() ? pair.size() : pair.size() + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = percent_decoded(pair.substr(0, equals), true);
    auto value = percent_decoded(equals == std::string_view::npos ? "" : pair.substr(equals + 1), true);
    if (!name || !value || !is_valid_utf8(*name) || !is_valid_utf8(*value)) return false;
    out.query.emplace_back(std::move(*name), std::move(*value));
  }
  return true;
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      out.push_back(plus_is_space && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

std::string percent_encoded(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool unreserved = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            c == '-' || c == '.' || c == '_' || c == '~';
    if (unreserved) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    }
  }
  return out;
}

std::optional<Target> parse_target(std::string_view target) {
  Target out;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    target.remove_prefix(scheme.size());
    const auto end = std::min(target.find_first_of("/?#"), target.size());
    out.authority = target.substr(0, end);
    if (out.authority.empty()) return std::nullopt;
    target.remove_prefix(end);
    if (target.empty() || target[0] != '/') {
      if (!target.empty() && !parse_query(target.substr(1), out)) return std::nullopt;
      return out;
    }
    break;
  }
  if (target.empty() || target[0] != '/') return std::nullopt;
  target = target.substr(0, target.find('#'));
  const auto question = target.find('?');
  if (question != std::string_view::npos && !parse_query(target.substr(question + 1), out))
    return std::nullopt;
  std::string_view path = target.substr(1, question == std::string_view::npos ? question : question - 1);
  if (path.empty()) return out;
  while (true) {
    const auto slash = path.find('/');
    auto segment = percent_decoded(path.substr(0, slash), false);
    if (!segment || !is_valid_utf8(*segment)) return std::nullopt;
    out.segments.push_back(std::move(*segment));
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return out;
}

}  // namespace tillcast::api
