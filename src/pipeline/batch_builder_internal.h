#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/column_batch.h"

namespace tillcast::pipeline {

/// Columns filled row by row and in order, for appending to a table. Numbers that are not finite become null.
class BatchBuilder {
 public:
  explicit BatchBuilder(const std::vector<ColumnSpec>& specs) {
    for (const auto& spec : specs) batch_.columns.push_back({spec, {}, {}, {}, {}});
  }
  BatchBuilder& text(std::string_view value) {
    next().text.push_back(arena_->add(value));
    return *this;
  }
  BatchBuilder& integer(std::int64_t value) {
    next().ints.push_back(value);
    return *this;
  }
  BatchBuilder& number(double value) {
    Column& column = next();
    column.doubles.push_back(std::isfinite(value) ? value : 0);
    column.valid.push_back(std::isfinite(value) ? 1 : 0);
    return *this;
  }
  void end_row() {
    at_ = 0;
    ++batch_.rows;
  }
  const ColumnBatch& batch() const { return batch_; }

 private:
  Column& next() { return batch_.columns[at_++]; }
  ColumnBatch batch_;
  std::shared_ptr<TextArena> arena_ = std::make_shared<TextArena>();
  std::size_t at_ = 0;
};

}  // namespace tillcast::pipeline
