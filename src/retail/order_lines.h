#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "retail/column_mapping.h"

namespace tillcast::retail {

/// A map from 64-bit keys that are hashes already to small counts: 64 shards of open addressing that grow one
/// by one, so that growing never doubles the whole. 12 bytes a slot, at most 85 % full: 14 to 21 bytes a key.
/// Without counts (kCounted false) a set of 9.4 to 14 bytes a key. Key 0 is not allowed.
template <bool kCounted>
class KeyTable {
 public:
  /// Adds the key if it is new. `count` (kCounted only) stays valid until the next call.
  struct Found {
    bool inserted = false;
    std::int32_t* count = nullptr;
  };
  Found add(std::uint64_t key);
  std::size_t size() const;
  std::size_t bytes() const;

 private:
  struct Shard {
    std::vector<std::uint64_t> keys;
    std::vector<std::int32_t> counts;
    std::size_t used = 0;
  };
  static std::size_t slot_of(std::uint64_t key, std::size_t slots) {
    // The shard took the low bits; the multiply spreads the high ones over any number of slots.
    __extension__ typedef unsigned __int128 Wide;
    return static_cast<std::size_t>(Wide{key} * slots >> 64);
  }
  static void grow(Shard& shard);
  std::array<Shard, 64> shards_;
};

/// Numbers the lines of each order and counts identical lines, over all batches of a file. Not thread-safe.
class OrderLines {
 public:
  explicit OrderLines(LineNumbers mode) : mode_(mode) {}

  struct Position {
    std::int32_t line_no = 1;  ///< 1.. in order of arrival
    std::int32_t copy = 1;     ///< 1.. among identical lines of the order
  };

  /// @param order    key of the order; 0 = the line belongs to no order, its line_no is its copy
  /// @param content  hash of the line with its order; not 0
  /// @param row      row in the file, growing
  Position add(std::uint64_t order, std::uint64_t content, std::int64_t row);

  std::size_t bytes() const { return counts_.bytes() + contents_.bytes() + repeats_.size() * 40; }

 private:
  struct Run {
    std::int64_t last_row = 0;
    std::vector<std::uint64_t> contents;
  };
  std::int32_t copies(std::uint64_t content);
  Position add_to_run(std::uint64_t order, std::uint64_t content, std::int64_t row);

  LineNumbers mode_;
  KeyTable<true> counts_;
  KeyTable<false> contents_;
  std::unordered_map<std::uint64_t, std::int32_t> repeats_;  ///< copies of contents seen more than once
  std::unordered_map<std::uint64_t, Run> runs_;              ///< orders of the last rows only
  std::int64_t next_sweep_ = 0;
};

}  // namespace tillcast::retail
