#include "lake/event_id_set.h"

#include <xxhash.h>

#include <algorithm>
#include <array>

namespace tillcast::lake {
namespace {

constexpr std::size_t kHexDigits = 32;

constexpr auto kHexValue = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(0xFF);
  for (unsigned i = 0; i < 10; ++i) values['0' + i] = static_cast<std::uint8_t>(i);
  for (unsigned i = 0; i < 6; ++i) values['a' + i] = static_cast<std::uint8_t>(10 + i);
  return values;
}();

bool parse_half(std::string_view hex, std::uint64_t& into) {
  std::uint8_t bad = 0;
  for (const char digit : hex) {
    const std::uint8_t value = kHexValue[static_cast<unsigned char>(digit)];
    bad |= value;
    into = into << 4 | (value & 15U);
  }
  return bad < 16;
}

}  // namespace

EventIdSet::Id EventIdSet::number_of(std::string_view id) {
  Id number;
  const bool is_number = id.size() == kHexDigits && parse_half(id.substr(0, kHexDigits / 2), number.high) &&
                         parse_half(id.substr(kHexDigits / 2), number.low);
  // All zero marks a free slot, so the id of 32 zeros is hashed like any text that is no number.
  if (is_number && number != Id{}) return number;
  const XXH128_hash_t hash = XXH3_128bits(id.data(), id.size());
  return {hash.high64, hash.low64};
}

// A producer's own 32 hex digits need not be random: mix before taking bits.
std::size_t EventIdSet::home(const Shard& shard, Id id) {
  return ((id.low ^ id.high) * 0x9E3779B97F4A7C15ULL >> 16) & (shard.slots.size() - 1);
}

EventIdSet::Shard& EventIdSet::shard_of(Id id) { return shards_[(id.high * 0x9E3779B97F4A7C15ULL) >> 58]; }

std::size_t EventIdSet::find(const Shard& shard, Id id) {
  const std::size_t mask = shard.slots.size() - 1;
  std::size_t at = home(shard, id);
  while (shard.slots[at] != Id{} && shard.slots[at] != id) at = (at + 1) & mask;
  return at;
}

void EventIdSet::grow(Shard& shard) {
  Shard larger;
  constexpr std::size_t kSmall = 4096;
  larger.slots.resize(shard.slots.empty() ? 64 : shard.slots.size() * (shard.slots.size() < kSmall ? 4 : 2));
  larger.used = shard.used;
  for (const Id& id : shard.slots) {
    if (id != Id{}) larger.slots[find(larger, id)] = id;
  }
  shard = std::move(larger);
}

bool EventIdSet::insert(std::string_view id) { return id.empty() || insert(number_of(id)); }

std::size_t EventIdSet::insert_all(std::span<const std::string_view> ids, std::vector<bool>& duplicate) {
  constexpr std::size_t kBlock = 32;
  Id numbers[kBlock];
  std::size_t found = 0;
  for (std::size_t first = 0; first < ids.size(); first += kBlock) {
    const std::size_t count = std::min(kBlock, ids.size() - first);
    for (std::size_t i = 0; i < count; ++i) {
      if (ids[first + i].empty()) continue;
      numbers[i] = number_of(ids[first + i]);
      const Shard& shard = shard_of(numbers[i]);
      if (!shard.slots.empty()) __builtin_prefetch(&shard.slots[home(shard, numbers[i])], 1);
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (ids[first + i].empty() || insert(numbers[i])) continue;
      if (duplicate.empty()) duplicate.resize(ids.size());
      duplicate[first + i] = true;
      ++found;
    }
  }
  return found;
}

bool EventIdSet::insert(Id number) {
  Shard& shard = shard_of(number);
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
