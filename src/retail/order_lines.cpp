#include "retail/order_lines.h"

#include <algorithm>

namespace tillcast::retail {
namespace {

// Online Retail II: the second copies of orders come half a million rows later, while lines of orders
// that were entered at the same time alternate within a few rows.
constexpr std::int64_t kRunGapRows = 1000;

constexpr std::size_t kSearchedLinesMax = 96;  // up to here a vectorised scan beats a hash map
constexpr std::size_t kChainRunsMax = 8;       // an order in more pieces moves to the hash set
constexpr std::uint64_t kInSet = std::uint64_t{1} << 63;
constexpr std::uint64_t kBlockWords = 128 << 10;
// A run in the log: its lines, then a word with the place of the order's run before (+ 1) and the line count.
constexpr int kCountBits = 20;
constexpr std::size_t kRunLinesMax = (std::size_t{1} << kCountBits) - 1;

}  // namespace

void OrderLines::append(std::uint64_t word) {
  if (log_words_ % kBlockWords == 0)
    log_.push_back(std::make_unique_for_overwrite<std::uint64_t[]>(kBlockWords));
  log_.back()[log_words_++ % kBlockWords] = word;
}

std::uint64_t OrderLines::word(std::uint64_t at) const { return log_[at / kBlockWords][at % kBlockWords]; }

std::int32_t OrderLines::copies(std::uint64_t content) {
  if (contents_.add(content).inserted) return 1;
  return ++repeats_.try_emplace(content, 1).first->second;
}

void OrderLines::store_current() {
  if (current_ == 0) return;
  std::uint64_t& payload = *orders_.add(current_).payload;
  if (in_set_ >= 0) {
    payload = kInSet | static_cast<std::uint64_t>(in_set_);
    return;
  }
  while (stored_ < lines_.size()) {
    const std::size_t count = std::min(lines_.size() - stored_, kRunLinesMax);
    for (std::size_t i = 0; i < count; ++i) append(lines_[stored_ + i]);
    append(payload << kCountBits | count);
    payload = log_words_;  // 1 + the place of the word just written
    stored_ += count;
  }
}

void OrderLines::change_order(std::uint64_t order) {
  store_current();
  current_ = order;
  lines_.clear();
  counts_.clear();
  stored_ = 0;
  in_set_ = -1;
  const std::uint64_t payload = *orders_.add(order).payload;
  if (payload == 0) return;
  if ((payload & kInSet) != 0) {
    in_set_ = static_cast<std::int64_t>(payload & ~kInSet);
    return;
  }
  std::size_t runs = 0;
  for (std::uint64_t next = payload; next != 0; ++runs) {
    const std::uint64_t trailer = word(next - 1);
    const std::uint64_t count = trailer & kRunLinesMax;
    for (std::uint64_t i = 0; i < count; ++i) lines_.push_back(word(next - 1 - count + i));
    next = trailer >> kCountBits;
  }
  stored_ = lines_.size();
  if (runs <= kChainRunsMax) return;
  for (const std::uint64_t line : lines_) copies(line);
  in_set_ = static_cast<std::int64_t>(lines_.size());
  lines_.clear();
}

OrderLines::Position OrderLines::add_to_current(std::uint64_t content) {
  if (in_set_ >= 0) {
    ++in_set_;
    return {static_cast<std::int32_t>(in_set_), copies(content)};
  }
  std::int32_t earlier = 0;
  if (lines_.size() <= kSearchedLinesMax) {
    earlier = static_cast<std::int32_t>(std::ranges::count(lines_, content));
  } else {
    if (counts_.empty()) {
      for (const std::uint64_t line : lines_) ++counts_[line];
    }
    earlier = counts_[content]++;
  }
  lines_.push_back(content);
  return {static_cast<std::int32_t>(lines_.size()), earlier + 1};
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

std::size_t OrderLines::bytes() const {
  return orders_.bytes() + contents_.bytes() + log_.size() * kBlockWords * 8 + repeats_.size() * 40 +
         lines_.capacity() * 8;
}

}  // namespace tillcast::retail
