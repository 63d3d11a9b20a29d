#include "sources/record_reader.h"

#include <string_view>
#include <utility>

#include "sources/csv_reader.h"
#include "sources/input_file.h"
#include "sources/xlsx_reader.h"

namespace tillcast::sources {
namespace {

constexpr std::size_t kSniffBytes = 64 << 10;

struct Signature {
  std::string_view magic;
  std::string_view what;
  std::string_view advice;
};

constexpr Signature kRefused[] = {
    {"\x1f\x8b", "gzip-compressed", "decompress it first (gunzip)"},
    {"\x28\xb5\x2f\xfd", "zstd-compressed", "decompress it first (zstd -d)"},
    {"BZh", "bzip2-compressed", "decompress it first (bunzip2)"},
    {"\xfd"
     "7zXZ",
     "xz-compressed", "decompress it first (unxz)"},
    {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old .xls or a password-protected workbook",
     "save it as .xlsx without a password, or as csv"},
    {"PAR1", "a Parquet file", "expected csv or xlsx; export it as csv"},
    {"%PDF", "a PDF document", "expected csv or xlsx; export the data, not the report"},
    {"\xff\xfe", "UTF-16 text", "save it as 'CSV UTF-8'"},
    {"\xfe\xff", "UTF-16 text", "save it as 'CSV UTF-8'"},
    {"<!DOCTYPE html", "an HTML page",
     "expected csv or xlsx; the download may have been a login or error page"},
    {"<html", "an HTML page", "expected csv or xlsx; the download may have been a login or error page"},
};

/// True when bytes cannot be delimited text: a NUL, or many control characters.
bool looks_binary(std::string_view sample) {
  std::size_t controls = 0;
  for (const char c : sample) {
    if (c == '\0') return true;
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f') || byte == 0x7f) ++controls;
  }
  return controls * 50 > sample.size();
}

}  // namespace

Result<std::unique_ptr<RecordReader>> open_record_reader(const std::filesystem::path& path,
                                                         const ReaderOptions& options) {
  InputFile file = TILLCAST_TRY_PLAIN(InputFile::open(path));
  const std::string name = file.path();
  std::string sample(kSniffBytes, '\0');
  sample.resize(TILLCAST_TRY_PLAIN(file.read(0, sample.data(), sample.size())));
  if (sample.empty()) return invalid_input(name + ": is empty; expected a csv or xlsx file with a header");

  const bool zip = sample.starts_with("PK\x03\x04") || sample.starts_with("PK\x05\x06");
  if (options.format == FileFormat::kXlsx && !zip)
    return invalid_input(name + ": is not an xlsx workbook; give --format csv or leave the format out");
  if (zip && options.format != FileFormat::kCsv) return open_xlsx_reader(std::move(file), options);
  for (const Signature& signature : kRefused) {
    if (sample.starts_with(signature.magic)) {
      return invalid_input(name + ": is " + std::string(signature.what) + "; " +
                           std::string(signature.advice));
    }
  }
  if (looks_binary(sample)) {
    return invalid_input(name +
                         ": is binary data, neither csv nor xlsx; export the data as csv (UTF-8) or xlsx");
  }
  return open_csv_reader(std::move(file), options);
}

}  // namespace tillcast::sources
