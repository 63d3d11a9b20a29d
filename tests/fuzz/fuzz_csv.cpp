// Any bytes as a csv file: the first byte chooses the block size, so that records are cut everywhere.
#include "import_all.h"
#include "memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const tillcast::fuzz::MemoryFile file(data + 1, size - 1);
  tillcast::sources::ReaderOptions options{.format = tillcast::sources::FileFormat::kCsv,
                                           .block_bytes = data[0] % 64 + 1U};
  options.limits.field_bytes_max = 200;
  options.limits.record_bytes_max = 1000;
  tillcast::fuzz::import_all(file.path(), options);
  return 0;
}
