#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "retail/column_mapping.h"
#include "retail/key_table.h"

namespace tillcast::retail {

/// Numbers the lines of each order and counts identical lines, over all batches of a file. Not thread-safe.
///
/// Lines of an order mostly follow each other, so only the current order's lines are searched. Those of
/// earlier orders lie in an append-only log, chained per order, and are looked at when the order comes back;
/// an order that keeps coming back moves to a hash set. Memory: 8 bytes a line, and 27 to 36 an order (2.6 M
/// orders with 54 M lines: 0.55 GB); lines without an order 9.4 to 14 bytes; a few KB with by_run numbers.
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
  Position add(std::uint64_t order, std::uint64_t content, std::int64_t row) {
    if (order == 0) {
      const std::int32_t copy = copies(content);
      return {copy, copy};
    }
    if (mode_ == LineNumbers::kByRun) return add_to_run(order, content, row);
    if (order != current_) change_order(order);
    return add_to_current(content);
  }

  std::size_t bytes() const;

 private:
  struct Run {
    std::int64_t last_row = 0;
    std::vector<std::uint64_t> contents;
  };
  std::int32_t copies(std::uint64_t content);
  Position add_to_run(std::uint64_t order, std::uint64_t content, std::int64_t row);
  Position add_to_current(std::uint64_t content);
  void change_order(std::uint64_t order);
  void store_current();
  void append(std::uint64_t word);
  std::uint64_t word(std::uint64_t at) const;

  LineNumbers mode_;

  // The current order: its lines so far, of which the first `stored_` are in the log already.
  std::uint64_t current_ = 0;
  std::vector<std::uint64_t> lines_;
  std::size_t stored_ = 0;
  std::unordered_map<std::uint64_t, std::int32_t> counts_;  ///< of a long order's lines, else empty
  std::int64_t in_set_ = -1;  ///< lines of a current order whose contents are in contents_; -1 = not so

  KeyTable<true> orders_;  ///< order -> 1 + place of its last run in the log, or kInSet + its number of lines
  std::vector<std::unique_ptr<std::uint64_t[]>> log_;
  std::uint64_t log_words_ = 0;

  KeyTable<false> contents_;  ///< lines without an order, and of scattered orders
  std::unordered_map<std::uint64_t, std::int32_t> repeats_;  ///< copies of such contents seen more than once

  std::unordered_map<std::uint64_t, Run> runs_;  ///< by_run: orders of the last rows only
  std::int64_t next_sweep_ = 0;
};

}  // namespace tillcast::retail
