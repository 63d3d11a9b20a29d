// Any bytes as a mapping file; a mapping that parses must also bind to a header of its own columns or say why
// not.
#include <string>
#include <vector>

#include "retail/record_converter.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto mapping = tillcast::retail::parse_mapping(text, "fuzz.toml");
  if (!mapping) return 0;
  std::vector<std::string> header;
  for (const auto& source : mapping->columns) {
    for (const std::string& name : {source.from.empty() ? std::string() : source.from.front(), source.year,
                                    source.month, source.week}) {
      if (!name.empty()) header.push_back(name);
    }
  }
  if (mapping->wide) header.push_back(mapping->wide->prefix + "1");
  auto converter = tillcast::retail::RecordConverter::create(*mapping, header);
  if (!converter) return 0;
  tillcast::retail::RecordBatch records;
  records.reset(header.size());
  for (auto& column : records.columns) column = {"1", "2024-01-01", "x"};
  records.row_numbers = {1, 2, 3};
  records.rows = 3;
  tillcast::retail::ConvertedBatch batch;
  (void)converter->convert(std::move(records), batch);
  return 0;
}
