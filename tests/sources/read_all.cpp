#include "sources/read_all.h"

#include <minizip/zip.h>

#include <algorithm>

#include "core/civil_time.h"
#include "core/decimal.h"
#include "retail/column_mapping.h"

namespace tillcast::sources::test {

Result<AllRecords> read_all(const std::filesystem::path& path, const ReaderOptions& options) {
  auto reader = TILLCAST_TRY_PLAIN(open_record_reader(path, options));
  AllRecords all;
  all.header = reader->header();
  retail::RecordBatch batch;
  while (TILLCAST_TRY_PLAIN(reader->next(batch))) {
    for (std::size_t row = 0; row < batch.rows; ++row) {
      std::vector<std::string> cells;
      std::vector<retail::CellFlag> flags;
      for (std::size_t column = 0; column < batch.columns.size(); ++column) {
        cells.emplace_back(batch.columns[column][row]);
        flags.push_back(batch.flag(column, row));
      }
      all.rows.push_back(std::move(cells));
      all.flags.push_back(std::move(flags));
      all.numbers.push_back(batch.row_numbers[row]);
    }
    for (auto& bad : batch.bad_records) all.bad.push_back(std::move(bad));
  }
  all.description = reader->description();
  return all;
}

std::string value_text(const Column& column, std::size_t row) {
  if (column.is_null(row)) return "";
  switch (column.spec.type) {
    case ColumnType::kText:
      return std::string(column.text[row]);
    case ColumnType::kDate:
      return format_date({static_cast<std::int32_t>(column.ints[row])});
    case ColumnType::kTimestamp:
      return format_timestamp({column.ints[row]});
    case ColumnType::kDecimal3:
      return format_decimal(column.ints[row], 3);
    case ColumnType::kDecimal4:
      return format_decimal(column.ints[row], 4);
    default:
      return std::to_string(column.ints[row]);
  }
}

std::string Converted::at(std::size_t row, std::string_view column) const {
  const auto found = std::ranges::find(columns, column);
  return found == columns.end() || row >= rows.size()
             ? "no such value"
             : rows[row][static_cast<std::size_t>(found - columns.begin())];
}

Result<Converted> convert_file(const std::filesystem::path& path, const retail::ColumnMapping* mapping,
                               const ReaderOptions& options) {
  auto reader = TILLCAST_TRY_PLAIN(open_record_reader(path, options));
  retail::ColumnMapping picked;
  if (mapping == nullptr)
    picked = TILLCAST_TRY_PLAIN(retail::pick_mapping(retail::preset_mappings(), reader->header()));
  auto converter = TILLCAST_TRY_PLAIN(retail::RecordConverter::create(
      mapping ? *mapping : picked, reader->header(), {.file_name = path.string()}));
  Converted all;
  retail::RecordBatch records;
  retail::ConvertedBatch batch;
  while (TILLCAST_TRY_PLAIN(reader->next(records))) {
    TILLCAST_TRY_PLAIN(converter.convert(std::move(records), batch));
    all.columns.clear();
    for (const Column& column : batch.typed.columns) all.columns.push_back(column.spec.name);
    for (std::size_t row = 0; row < batch.typed.rows; ++row) {
      std::vector<std::string> values;
      for (const Column& column : batch.typed.columns) values.push_back(value_text(column, row));
      all.rows.push_back(std::move(values));
    }
    for (std::size_t row = 0; row < batch.rejects.rows; ++row) {
      std::vector<std::string> values;
      for (std::size_t i = 1; i < batch.rejects.columns.size(); ++i)
        values.push_back(value_text(batch.rejects.columns[i], row));
      all.rejects.push_back(std::move(values));
    }
  }
  all.counts = converter.totals();
  return all;
}

void write_zip(const std::filesystem::path& path, const std::vector<ZipPart>& parts) {
  zipFile zip = zipOpen64(path.c_str(), 0);
  for (const ZipPart& part : parts) {
    zipOpenNewFileInZip64(zip, part.name.c_str(), nullptr, nullptr, 0, nullptr, 0, nullptr, 8, 6, 1);
    for (std::size_t at = 0; at < part.content.size(); at += 1 << 20) {
      zipWriteInFileInZip(zip, part.content.data() + at,
                          static_cast<unsigned>(std::min<std::size_t>(part.content.size() - at, 1 << 20)));
    }
    zipCloseFileInZip(zip);
  }
  zipClose(zip, nullptr);
}

void write_workbook(const std::filesystem::path& path, const WorkbookParts& parts) {
  std::string shared = R"(<?xml version="1.0"?><sst xmlns="x">)";
  for (const std::string& item : parts.shared) shared += "<si>" + item + "</si>";
  shared += "</sst>";
  std::string styles = "<styleSheet>";
  if (!parts.custom_format.empty())
    styles += R"(<numFmts><numFmt numFmtId="164" formatCode=")" + parts.custom_format + "\"/></numFmts>";
  styles += R"(<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs>)";
  for (const int id : parts.styles) styles += "<xf numFmtId=\"" + std::to_string(id) + "\"/>";
  styles += "</cellXfs></styleSheet>";
  const std::string sheet = !parts.worksheet.empty()
                                ? parts.worksheet
                                : R"(<?xml version="1.0"?><worksheet xmlns="x"><sheetData>)" +
                                      parts.sheet_data + "</sheetData></worksheet>";
  write_zip(
      path,
      {
          {"[Content_Types].xml", "<Types/>"},
          {"_rels/.rels",
           R"(<Relationships><Relationship Id="rId1" Type="http://x/officeDocument" Target="xl/workbook.xml"/></Relationships>)"},
          {"xl/workbook.xml",
           std::string(R"(<workbook xmlns:r="r"><workbookPr date1904=")") + (parts.epoch_1904 ? "1" : "0") +
               R"("/><sheets><sheet name="Empty" sheetId="1" r:id="rId9"/><sheet name="Data" sheetId="2" r:id="rId1"/></sheets></workbook>)"},
          {"xl/_rels/workbook.xml.rels",
           R"(<Relationships><Relationship Id="rId1" Type="http://x/worksheet" Target="worksheets/sheet1.xml"/>)"
           R"(<Relationship Id="rId9" Type="http://x/worksheet" Target="/xl/worksheets/empty.xml"/>)"
           R"(<Relationship Id="rId2" Type="http://x/styles" Target="styles.xml"/>)"
           R"(<Relationship Id="rId3" Type="http://x/sharedStrings" Target="sharedStrings.xml"/></Relationships>)"},
          {"xl/worksheets/empty.xml", "<worksheet><sheetData/></worksheet>"},
          {"xl/worksheets/sheet1.xml", sheet},
          {"xl/styles.xml", styles},
          {"xl/sharedStrings.xml", shared},
      });
}

}  // namespace tillcast::sources::test
