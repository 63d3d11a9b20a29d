#include "retail/order_lines.h"

#include <algorithm>

namespace tillcast::retail {
namespace {

// Online Retail II: the second copies of orders come half a million rows later, while lines of orders
// that were entered at the same time alternate within a few rows.
constexpr std::int64_t kRunGapRows = 1000;
constexpr std::size_t kFirstSlots = 64;

}  // namespace

template <bool kCounted>
void KeyTable<kCounted>::grow(Shard& shard) {
  const std::size_t slots = shard.keys.empty() ? kFirstSlots : shard.keys.size() + shard.keys.size() / 2;
  std::vector<std::uint64_t> keys(slots);
  std::vector<std::int32_t> counts(kCounted ? slots : 0);
  for (std::size_t i = 0; i < shard.keys.size(); ++i) {
    if (shard.keys[i] == 0) continue;
    std::size_t slot = slot_of(shard.keys[i], slots);
    while (keys[slot] != 0) slot = slot + 1 == slots ? 0 : slot + 1;
    keys[slot] = shard.keys[i];
    if constexpr (kCounted) counts[slot] = shard.counts[i];
  }
  shard.keys = std::move(keys);
  shard.counts = std::move(counts);
}

template <bool kCounted>
typename KeyTable<kCounted>::Found KeyTable<kCounted>::add(std::uint64_t key) {
  Shard& shard = shards_[key & 63];
  if ((shard.used + 1) * 20 > shard.keys.size() * 17) grow(shard);
  const std::size_t slots = shard.keys.size();
  std::size_t slot = slot_of(key, slots);
  while (shard.keys[slot] != 0 && shard.keys[slot] != key) slot = slot + 1 == slots ? 0 : slot + 1;
  Found found;
  if (shard.keys[slot] == 0) {
    shard.keys[slot] = key;
    ++shard.used;
    found.inserted = true;
  }
  if constexpr (kCounted) found.count = &shard.counts[slot];
  return found;
}

template <bool kCounted>
std::size_t KeyTable<kCounted>::size() const {
  std::size_t keys = 0;
  for (const Shard& shard : shards_) keys += shard.used;
  return keys;
}

template <bool kCounted>
std::size_t KeyTable<kCounted>::bytes() const {
  std::size_t bytes = 0;
  for (const Shard& shard : shards_) bytes += shard.keys.capacity() * 8 + shard.counts.capacity() * 4;
  return bytes;
}

template class KeyTable<true>;
template class KeyTable<false>;

std::int32_t OrderLines::copies(std::uint64_t content) {
  if (contents_.add(content).inserted) return 1;
  return ++repeats_.try_emplace(content, 1).first->second;
}

OrderLines::Position OrderLines::add_to_run(std::uint64_t order, std::uint64_t content, std::int64_t row) {
  if (row >= next_sweep_) {
    std::erase_if(runs_, [row](const auto& entry) { return entry.second.last_row + kRunGapRows < row; });
    next_sweep_ = row + kRunGapRows;
  }
  Run& run = runs_[order];
  if (run.last_row + kRunGapRows < row) run.contents.clear();
  run.last_row = row;
  const auto earlier = std::ranges::count(run.contents, content);
  run.contents.push_back(content);
  return {static_cast<std::int32_t>(run.contents.size()), static_cast<std::int32_t>(earlier) + 1};
}

OrderLines::Position OrderLines::add(std::uint64_t order, std::uint64_t content, std::int64_t row) {
  if (order == 0) {
    const std::int32_t copy = copies(content);
    return {copy, copy};
  }
  if (mode_ == LineNumbers::kByRun) return add_to_run(order, content, row);
  const std::int32_t line = ++*counts_.add(order).count;
  return {line, copies(content)};
}

}  // namespace tillcast::retail
