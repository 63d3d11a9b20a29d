#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "database/database.h"
#include "lake/load_writer.h"

namespace tillcast::lake {

/// Rows of one month that wait to be written.
struct MonthRows {
  std::vector<database::BatchRows> pieces;
  std::int64_t rows = 0;
  std::int32_t day_min = INT32_MAX;
  std::int32_t day_max = INT32_MIN;
};

constexpr int kNoMonth = INT32_MIN;

/// "2011-11" or "none".
std::string month_text(int month);

/// One dataset of a load: how its files look, and the rows that wait.
struct DatasetBuffer {
  std::string name;
  std::vector<ColumnSpec> batch_columns;                  ///< every batch must have these
  std::string select;                                     ///< SELECT list of the stored columns
  std::shared_ptr<const std::vector<ColumnSpec>> schema;  ///< of the stored columns
  int partition = -1;                                     ///< index of the partition column, or -1
  std::map<int, MonthRows> months;
};

/// Prepares a dataset for batches like this one. kInvalidInput when the columns do not fit the dataset.
Result<DatasetBuffer> make_buffer(std::string_view dataset, const ColumnBatch& batch, const LoadInfo& info,
                                  const AddOptions& options, std::int64_t load_seq);

/// The month of every row: year * 12 + month - 1, or kNoMonth. Empty when the dataset is not partitioned.
std::vector<int> row_months(const DatasetBuffer& buffer, const ColumnBatch& batch);

/// Adds the rows that are kept (`dropped` empty = all) to their months.
void add_rows(DatasetBuffer& buffer, std::shared_ptr<const ColumnBatch> batch, const std::vector<int>& months,
              const std::vector<bool>& dropped);

/// Bytes that a batch keeps in memory, about.
std::uint64_t batch_bytes(const ColumnBatch& batch);

}  // namespace tillcast::lake
