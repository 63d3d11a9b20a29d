#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tillcast::sources {

/// True when no byte has its high bit set.
bool is_ascii(std::string_view bytes);

/// How well bytes read as UTF-8.
struct Utf8Check {
  std::uint64_t sequences = 0;  ///< well-formed characters beyond ASCII
  std::uint64_t invalid_bytes = 0;
  std::size_t incomplete = 0;  ///< bytes at the end that may begin a character that the next block completes
};

/// Counts well-formed and broken sequences (RFC 3629: no surrogates, no overlong forms).
Utf8Check check_utf8(std::string_view bytes);

inline bool is_utf8(std::string_view bytes) {
  const Utf8Check check = check_utf8(bytes);
  return check.invalid_bytes == 0 && check.incomplete == 0;
}

/// Writes Windows-1252 bytes as UTF-8; `to` has room for 3 * bytes.size(). The five bytes without a character
/// (81 8D 8F 90 9D) become U+FFFD; the result says whether there were any.
struct Cp1252Result {
  std::size_t bytes = 0;
  bool undefined = false;
};
Cp1252Result cp1252_to_utf8(std::string_view bytes, char* to);

/// The first `bytes_max` bytes, cut between characters, with undecodable bytes written as \xHH.
std::string printable(std::string_view bytes, std::size_t bytes_max);

}  // namespace tillcast::sources
