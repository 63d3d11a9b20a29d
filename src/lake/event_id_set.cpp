#include "lake/event_id_set.h"

#include <xxhash.h>

#include <charconv>

namespace tillcast::lake {
namespace {

constexpr std::size_t kHexDigits = 32;

bool parse_half(std::string_view hex, std::uint64_t& into) {
  return std::from_chars(hex.data(), hex.data() + hex.size(), into, 16).ptr == hex.data() + hex.size();
}

}  // namespace

EventIdSet::Id EventIdSet::number_of(std::string_view id) {
  Id number;
  if (id.size() != kHexDigits || !parse_half(id.substr(0, kHexDigits / 2), number.high) || !parse_half(id.substr(kHexDigits / 2), number.low)) {
    const XXH128_hash_t hash = XXH3_128bits(id.data(), id.size());
    number = {hash.high64, hash.low64};
  }
  // All zero marks a free slot.
  if (number.high == 0 && number.low == 0) number.low = 1;
  return number;
}

std::size_t EventIdSet::find(const Shard& shard, Id id) {
  const std::size_t mask = shard.slots.size() - 1;
  // A producer's own 32 hex digits need not be random: mix before taking bits.
  std::size_t at = ((id.low ^ id.high) * 0x9E3779B97F4A7C15ULL >> 16) & mask;
  while (shard.slots[at] != Id{} && shard.slots[at] != id) at = (at + 1) & mask;
  return at;
}

void EventIdSet::grow(Shard& shard) {
  Shard larger;
  larger.slots.resize(shard.slots.empty() ? 64 : shard.slots.size() * 2);
  larger.used = shard.used;
  for (const Id& id : shard.slots) {
    if (id != Id{}) larger.slots[find(larger, id)] = id;
  }
  shard = std::move(larger);
}

bool EventIdSet::insert(std::string_view id) {
  if (id.empty()) return true;
  const Id number = number_of(id);
  Shard& shard = shards_[(number.high * 0x9E3779B97F4A7C15ULL) >> 58];
  if (shard.used * 8 >= shard.slots.size() * 7) grow(shard);
  Id& slot = shard.slots[find(shard, number)];
  if (slot == number) return false;
  slot = number;
  ++shard.used;
  ++size_;
  return true;
}

bool EventIdSet::contains(std::string_view id) const {
  if (id.empty()) return false;
  const Id number = number_of(id);
  const Shard& shard = shards_[(number.high * 0x9E3779B97F4A7C15ULL) >> 58];
  return !shard.slots.empty() && shard.slots[find(shard, number)] == number;
}

}  // namespace tillcast::lake
