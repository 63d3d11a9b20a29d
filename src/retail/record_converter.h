#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/civil_time.h"
#include "core/column_batch.h"
#include "core/result.h"
#include "retail/column_mapping.h"
#include "retail/record_batch.h"

namespace tillcast::retail {

struct ConverterOptions {
  std::string file_name = {};         ///< for messages
  std::optional<Date> sales_until{};  ///< sales of later days are refused as date_too_late; nullopt = any day
};

/// Rows by what became of them. Always: rows_in = typed + rejected.
struct ConvertedCounts {
  std::int64_t records = 0;  ///< rows of the file
  std::int64_t rows_in = 0;  ///< the same, but one per filled day cell for wide files
  std::int64_t typed = 0;
  std::int64_t rejected = 0;

  ConvertedCounts& operator+=(const ConvertedCounts& other) {
    records += other.records;
    rows_in += other.rows_in;
    typed += other.typed;
    rejected += other.rejected;
    return *this;
  }
};

/// What one record batch became. Text views are kept alive by each batch's owners.
struct ConvertedBatch {
  ColumnBatch bronze;   ///< bronze_columns(header): every record that could be split, as received
  ColumnBatch typed;    ///< typed_columns(dataset)
  ColumnBatch rejects;  ///< reject_columns()
  ConvertedCounts counts;
};

/// Turns raw records into typed rows and rejects. One object per file, batches in file order: it numbers the
/// lines of each order and finds repeated lines. A bad row never stops the file.
///
/// Identity: event_id is XXH3-128 over source, order, the typed content and the ordinal among identical lines
/// of the order, so the same rows get the same ids from csv, xlsx and re-exports in another line order, and
/// truly repeated lines stay apart. Duplicates are not removed here: loading knows what the lake already has.
///
/// Memory: what OrderLines needs, 8 bytes a line and about 30 an order with by_order numbers (54 M lines
/// in 2.6 M orders: 0.55 GB), a few KB with by_run, nothing for stores and store days. Not thread-safe.
class RecordConverter {
 public:
  /// @return kInvalidInput when the header lacks a required column, kInvalidInput for an unknown time zone.
  static Result<RecordConverter> create(const ColumnMapping& mapping, std::span<const std::string> header,
                                        const ConverterOptions& options = {});
  RecordConverter(RecordConverter&&) noexcept;
  RecordConverter& operator=(RecordConverter&&) noexcept;
  ~RecordConverter();

  /// Converts `records` into `out`, whose buffers are reused. Takes the record columns over into out.bronze.
  Result<void> convert(RecordBatch&& records, ConvertedBatch& out);

  /// Sum over all batches so far.
  const ConvertedCounts& totals() const;

 private:
  struct State;
  explicit RecordConverter(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  ///< shared with the batches: constants are views into it
};

}  // namespace tillcast::retail
