#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tillcast {

/// The SQL types that pass between readers, the lake and the warehouse.
enum class ColumnType : std::uint8_t {
  kText,       ///< VARCHAR; Column::text
  kBool,       ///< BOOLEAN; Column::ints, 0 or 1
  kInt32,      ///< INTEGER; Column::ints
  kInt64,      ///< BIGINT; Column::ints
  kDouble,     ///< DOUBLE; Column::doubles
  kDate,       ///< DATE; Column::ints, days since 1970-01-01
  kTimestamp,  ///< TIMESTAMP WITH TIME ZONE; Column::ints, microseconds since 1970-01-01T00:00Z
  kDecimal3,   ///< DECIMAL(18,3); Column::ints, thousandths
  kDecimal4,   ///< DECIMAL(18,4); Column::ints, ten-thousandths
};

/// The SQL name of a type as DuckDB and Spark write it, e.g. "DECIMAL(18,3)".
std::string_view sql_name(ColumnType type);

struct ColumnSpec {
  std::string name;
  ColumnType type = ColumnType::kText;
  bool operator==(const ColumnSpec&) const = default;
};

/// One column of a batch. Exactly one of text, ints, doubles is filled, by type; `valid` is empty when no
/// value is null, else one byte per row (1 = present). Text views point into the batch's owners.
struct Column {
  ColumnSpec spec;
  std::vector<std::string_view> text;
  std::vector<std::int64_t> ints;
  std::vector<double> doubles;
  std::vector<std::uint8_t> valid;

  bool is_null(std::size_t row) const { return !valid.empty() && valid[row] == 0; }
};

/// Append-only storage for text that views point into; addresses stay valid until clear().
/// Not thread-safe.
class TextArena {
 public:
  /// Copies `text` in and returns the stable view.
  std::string_view add(std::string_view text) {
    if (text.empty()) return {};
    char* to = allocate(text.size());
    text.copy(to, text.size());
    return {to, text.size()};
  }
  /// `bytes` writable bytes; shrink the last allocation with give_back().
  char* allocate(std::size_t bytes) {
    if (used_ + bytes > capacity_) grow(bytes);
    char* at = block_ + used_;
    used_ += bytes;
    return at;
  }
  void give_back(std::size_t bytes) { used_ -= bytes; }
  std::size_t bytes() const { return total_ + used_; }

 private:
  void grow(std::size_t bytes) {
    constexpr std::size_t kBlockBytes = 1 << 20;
    total_ += used_;
    capacity_ = bytes > kBlockBytes ? bytes : kBlockBytes;
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(capacity_));
    block_ = blocks_.back().get();
    used_ = 0;
  }
  std::deque<std::unique_ptr<char[]>> blocks_;
  char* block_ = nullptr;
  std::size_t used_ = 0;
  std::size_t capacity_ = 0;
  std::size_t total_ = 0;
};

/// Rows in columns: what readers produce, the lake writes and queries return.
/// Copying shares the text owners; a batch is immutable once handed over and may then be read by many
/// threads.
struct ColumnBatch {
  std::vector<Column> columns;
  std::size_t rows = 0;
  std::vector<std::shared_ptr<const void>> owners;  ///< keep the memory behind text views alive

  /// Index of a column by name, or -1.
  int find(std::string_view name) const;
};

}  // namespace tillcast
