#include "retail/identity.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <cstring>
#include <string>

namespace tillcast::retail {
namespace {

constexpr auto kHexPairs = [] {
  std::array<std::array<char, 2>, 256> pairs{};
  constexpr char kDigits[] = "0123456789abcdef";
  for (std::size_t i = 0; i < 256; ++i) pairs[i] = {kDigits[i >> 4], kDigits[i & 15]};
  return pairs;
}();

}  // namespace

std::uint64_t text_key(std::string_view text) {
  const std::uint64_t hash = XXH3_64bits(text.data(), text.size());
  return hash != 0 ? hash : 1;
}

std::uint64_t order_key(std::string_view source, std::string_view order_id) {
  std::array<char, 256> buffer;
  const std::size_t length = source.size() + 1 + order_id.size();
  if (length > buffer.size()) return text_key(std::string(source) + '\x1f' + std::string(order_id));
  source.copy(buffer.data(), source.size());
  buffer[source.size()] = '\x1f';
  order_id.copy(buffer.data() + source.size() + 1, order_id.size());
  return text_key({buffer.data(), length});
}

LineHash hash_words(std::span<const std::uint64_t> words) {
  const XXH128_hash_t hash = XXH3_128bits(words.data(), words.size_bytes());
  return {hash.high64, hash.low64};
}

LineHash hash_of_copy(LineHash first, std::int32_t copy) {
  const std::uint64_t words[] = {first.high, first.low, static_cast<std::uint64_t>(copy)};
  return hash_words(words);
}

void write_hex(LineHash hash, char* to) {
  for (const std::uint64_t half : {hash.high, hash.low}) {
    for (int shift = 56; shift >= 0; shift -= 8, to += 2)
      std::memcpy(to, kHexPairs[half >> shift & 0xFF].data(), 2);
  }
}

}  // namespace tillcast::retail
