#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/column_batch.h"

namespace tillcast::pipeline {

/// Columns filled row by row, in their order, for appending to a table.
class RowBatch {
 public:
  explicit RowBatch(const std::vector<ColumnSpec>& specs) {
    for (const auto& spec : specs) batch_.columns.push_back({spec, {}, {}, {}, {}});
  }
  RowBatch& text(std::string_view value) {
    next().text.push_back(arena_->add(value));
    return *this;
  }
  /// Also dates (days) and booleans (0, 1).
  RowBatch& integer(std::int64_t value) {
    next().ints.push_back(value);
    return *this;
  }
  /// NaN and infinity become NULL.
  RowBatch& number(double value) {
    Column& column = next();
    column.doubles.push_back(std::isfinite(value) ? value : 0);
    column.valid.push_back(std::isfinite(value) ? 1 : 0);
    return *this;
  }
  void end_row() {
    at_ = 0;
    ++batch_.rows;
  }
  /// The texts live as long as this does.
  const ColumnBatch& batch() const { return batch_; }

 private:
  Column& next() { return batch_.columns[at_++]; }
  ColumnBatch batch_;
  std::shared_ptr<TextArena> arena_ = std::make_shared<TextArena>();
  std::size_t at_ = 0;
};

}  // namespace tillcast::pipeline
