#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/column_batch.h"
#include "core/result.h"

namespace tillcast::sources {

/// Writes batches as RFC 4180 csv with LF line ends and a header: null is an empty field; decimals without
/// trailing zeros, money with at least two digits; doubles with six; times ISO 8601 in UTC with Z; true,
/// false. Not thread-safe.
class BatchCsv {
 public:
  using Write = std::function<Result<>(std::string_view bytes)>;

  /// `write` receives the bytes in pieces of about 1 MB, in order.
  explicit BatchCsv(Write write) : write_(std::move(write)) {}

  /// All batches must have the columns of the first.
  Result<> add(const ColumnBatch& batch);
  /// Hands over what is left. Call once, at the end.
  Result<> finish();

 private:
  Write write_;
  std::string buffer_;
  bool has_header_ = false;
  std::int64_t cached_day_ = 0;
  std::string cached_day_text_;
  void append_value(const Column& column, std::size_t row);
  void append_day(std::int64_t days);
};

}  // namespace tillcast::sources
