#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tillcast::retail {

constexpr std::size_t kEventIdDigits = 32;  ///< hexadecimal digits of an event_id

/// XXH3-64 of a normalised id; never 0, which means "none". Pure.
std::uint64_t text_key(std::string_view text);

/// The key of an order: XXH3-64 of source, a unit separator (0x1F) and the order id; never 0. Pure.
std::uint64_t order_key(std::string_view source, std::string_view order_id);

/// 128 bits that identify a line.
struct LineHash {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
};

/// XXH3-128 over the words of a line (little-endian). Pure.
LineHash hash_words(std::span<const std::uint64_t> words);

/// The hash of the n-th line (n >= 2) that is identical to one with this hash.
LineHash hash_of_copy(LineHash first, std::int32_t copy);

/// Writes 32 lower-case hex digits, the high half first.
void write_hex(LineHash hash, char* to);

}  // namespace tillcast::retail
