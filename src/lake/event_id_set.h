#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace tillcast::lake {

/// Event ids as 128-bit numbers, 16 bytes each plus slack: 54 million take about 1 GB. An id of 32 hex digits
/// is its own number, any other text is hashed to 128 bits (XXH3). Not thread-safe.
class EventIdSet {
 public:
  /// False when the id was there already. An empty id is never kept and always new.
  bool insert(std::string_view id);
  /// As insert for every id in turn, about three times as fast: the tables are larger than the caches, so the
  /// next slots are fetched while the current ones are looked at. Sets duplicate[i] for ids that were there;
  /// returns how many.
  std::size_t insert_all(std::span<const std::string_view> ids, std::vector<bool>& duplicate);
  bool contains(std::string_view id) const;
  std::size_t size() const { return size_; }

 private:
  struct Id {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    bool operator==(const Id&) const = default;
  };
  // Open addressing. Many small tables grow one by one, so that growing never doubles the whole memory.
  struct Shard {
    std::vector<Id> slots;
    std::size_t used = 0;
  };
  static constexpr std::size_t kShards = 64;
  static Id number_of(std::string_view id);
  static std::size_t home(const Shard& shard, Id id);
  Shard& shard_of(Id id);
  bool insert(Id id);
  static std::size_t find(const Shard& shard, Id id);
  static void grow(Shard& shard);

  std::vector<Shard> shards_ = std::vector<Shard>(kShards);
  std::size_t size_ = 0;
};

}  // namespace tillcast::lake
