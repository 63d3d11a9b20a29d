#pragma once

#include <cstdint>
#include <filesystem>

#include "retail/record_converter.h"
#include "sources/record_reader.h"

namespace tillcast::fuzz {

/// A mapping that takes whatever the header offers, so that values of every type are read.
inline retail::ColumnMapping greedy_mapping(const std::vector<std::string>& header) {
  retail::ColumnMapping mapping;
  mapping.name = mapping.source = "fuzz";
  mapping.constants = {{"store_id", "s"}};
  mapping.kinds.order_prefixes = {{"C", "cancellation"}};
  mapping.kinds.negative_unpriced = "adjustment";
  const char* const fields[] = {"order_id",   "product_id",  "quantity",  "ordered_at",
                                "unit_price", "customer_id", "promotion", "product_name"};
  for (std::size_t i = 0; i < std::size(fields); ++i) {
    retail::ColumnSource source;
    source.field = fields[i];
    source.from = {header[i % header.size()]};
    if (source.field == "ordered_at") source.formats = {"ISO", "M/D/YYYY H:MM", "DD-MMM-YY", "SERIAL"};
    mapping.columns.push_back(std::move(source));
  }
  return mapping;
}

/// Reads the file to its end or first error, converting every batch; the converter checks that rows in =
/// typed + rejects.
inline void import_all(const std::filesystem::path& path, const sources::ReaderOptions& options) {
  auto reader = sources::open_record_reader(path, options);
  if (!reader || (*reader)->header().empty()) return;
  auto converter = retail::RecordConverter::create(greedy_mapping((*reader)->header()), (*reader)->header());
  if (!converter) return;
  retail::RecordBatch records;
  retail::ConvertedBatch batch;
  volatile char last = 0;
  (void)last;
  for (;;) {
    const auto more = (*reader)->next(records);
    if (!more || !*more) return;
    if (!converter->convert(std::move(records), batch)) return;
    for (const Column& column : batch.bronze.columns) {
      for (const std::string_view text : column.text) {
        for (const char c : text) last = c;  // every view must be readable
      }
    }
  }
}

}  // namespace tillcast::fuzz
