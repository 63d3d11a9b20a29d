#pragma once

#include <array>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace tillcast::retail {

/// A table of 64-bit keys that are hashes already, with a 64-bit payload each or (kPayload false) without:
/// 64 shards of open addressing that grow one by one, so that growing never doubles the whole. At most 85 %
/// full, so 9.4 to 14 bytes a key, twice that with payload. Key 0 is not allowed. Not thread-safe.
template <bool kPayload>
class KeyTable {
 public:
  struct Found {
    bool inserted = false;
    std::uint64_t* payload = nullptr;  ///< valid until the next call; 0 when new; null without payload
  };

  /// Adds the key if it is new.
  Found add(std::uint64_t key) {
    Shard& shard = shards_[key & 63];
    if ((shard.used + 1) * 20 > shard.keys.size() * 17) grow(shard);
    const std::size_t slot = find_slot(shard.keys, key);
    Found found{.inserted = shard.keys[slot] == 0};
    if (found.inserted) {
      shard.keys[slot] = key;
      ++shard.used;
    }
    if constexpr (kPayload) found.payload = &shard.payloads[slot];
    return found;
  }

  std::size_t bytes() const {
    std::size_t bytes = 0;
    for (const Shard& shard : shards_) bytes += (shard.keys.capacity() + shard.payloads.capacity()) * 8;
    return bytes;
  }

 private:
  struct Shard {
    std::vector<std::uint64_t> keys;
    std::vector<std::uint64_t> payloads;
    std::size_t used = 0;
  };

  /// The slot of the key, or the empty one where it belongs.
  static std::size_t find_slot(const std::vector<std::uint64_t>& keys, std::uint64_t key) {
    // The shard took the low bits; the multiply spreads the high ones over any number of slots.
    __extension__ typedef unsigned __int128 Wide;
    auto slot = static_cast<std::size_t>(Wide{key} * keys.size() >> 64);
    while (keys[slot] != 0 && keys[slot] != key) slot = slot + 1 == keys.size() ? 0 : slot + 1;
    return slot;
  }

  static void grow(Shard& shard) {
    constexpr std::size_t kFirstSlots = 64;
    const std::size_t slots = shard.keys.empty() ? kFirstSlots : shard.keys.size() + shard.keys.size() / 2;
    std::vector<std::uint64_t> keys(slots);
    std::vector<std::uint64_t> payloads(kPayload ? slots : 0);
    for (std::size_t i = 0; i < shard.keys.size(); ++i) {
      if (shard.keys[i] == 0) continue;
      const std::size_t slot = find_slot(keys, shard.keys[i]);
      keys[slot] = shard.keys[i];
      if constexpr (kPayload) payloads[slot] = shard.payloads[i];
    }
    shard.keys = std::move(keys);
    shard.payloads = std::move(payloads);
  }

  std::array<Shard, 64> shards_;
};

}  // namespace tillcast::retail
