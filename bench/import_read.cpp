// Reads a sales file into typed columns with event ids, as `tillcast ingest` does before it writes anything,
// and checks the answer. Usage: import_read FILE [EXPECTED_ROWS EXPECTED_SUM]; prints one line of JSON.
// CPU seconds are of the whole process. Without EXPECTED_* the figures of UCI Online Retail are expected when
// the mapping is online-retail: 541,909 rows, sum of quantity x price 9,747,747.934.
#include <sys/resource.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/decimal.h"
#include "retail/column_mapping.h"
#include "retail/record_converter.h"
#include "sources/record_reader.h"

namespace {

double cpu_seconds(const rusage& usage) {
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int fail(const std::string& message) {
  std::fprintf(stderr, "import_read: %s\n", message.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 4) return fail("usage: import_read FILE [EXPECTED_ROWS EXPECTED_SUM]");
  auto reader = tillcast::sources::open_record_reader(argv[1]);
  if (!reader) return fail(reader.error().message);
  auto mapping = tillcast::retail::pick_mapping(tillcast::retail::preset_mappings(), (*reader)->header());
  if (!mapping) return fail(mapping.error().message);
  auto converter =
      tillcast::retail::RecordConverter::create(*mapping, (*reader)->header(), {.file_name = argv[1]});
  if (!converter) return fail(converter.error().message);

  tillcast::retail::RecordBatch records;
  tillcast::retail::ConvertedBatch batch;
  std::int64_t amount = 0;
  std::int64_t id_bytes = 0;
  for (;;) {
    auto more = (*reader)->next(records);
    if (!more) return fail(more.error().message);
    if (!*more) break;
    if (auto converted = converter->convert(std::move(records), batch); !converted)
      return fail(converted.error().message);
    const int amounts = batch.typed.find("amount");
    if (amounts >= 0) {
      for (const std::int64_t units : batch.typed.columns[static_cast<std::size_t>(amounts)].ints)
        amount += units;
    }
    const int ids = batch.typed.find("event_id");
    if (ids >= 0) {
      for (const auto& id : batch.typed.columns[static_cast<std::size_t>(ids)].text)
        id_bytes += static_cast<std::int64_t>(id.size());
    }
  }
  const auto& totals = converter->totals();
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const std::string sum = tillcast::format_decimal(amount, 4);
  std::printf(
      "{\"benchmark\": \"import_read\", \"mapping\": \"%s\", \"source\": \"%s\", \"rows_in\": %lld, "
      "\"typed\": %lld, \"rejected\": %lld, "
      "\"amount\": %s, \"cpu_s\": %.3f, \"rows_per_cpu_s\": %.0f, \"peak_mb\": %.0f}\n",
      mapping->name.c_str(), (*reader)->description().c_str(), static_cast<long long>(totals.rows_in),
      static_cast<long long>(totals.typed), static_cast<long long>(totals.rejected), sum.c_str(),
      cpu_seconds(usage), static_cast<double>(totals.rows_in) / cpu_seconds(usage),
      static_cast<double>(usage.ru_maxrss) / 1024.0);
  const bool retail = mapping->name == "online-retail";
  const std::string expected_rows = argc == 4 ? argv[2] : retail ? "541909" : "";
  const std::string expected_sum = argc == 4 ? argv[3] : retail ? "9747747.9340" : "";
  if (!expected_rows.empty() && (std::to_string(totals.rows_in) != expected_rows || sum != expected_sum)) {
    return fail("expected " + expected_rows + " rows and " + expected_sum);
  }
  if (id_bytes != 0 && id_bytes != totals.typed * 32) return fail("an event id has not 32 digits");
  return 0;
}
