#include "sources/xlsx_reader.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/column_batch.h"
#include "sources/batch_limits_internal.h"
#include "sources/header_names.h"
#include "sources/shared_strings.h"
#include "sources/sheet_scanner.h"
#include "sources/text_encoding.h"
#include "sources/workbook_parts.h"
#include "sources/zip_entry_stream.h"

namespace tillcast::sources {
namespace {

constexpr std::size_t kRowBytesMin = 20;  // <c r="A1"><v>1</v></c> and its <row>

struct SheetBlock {
  explicit SheetBlock(std::size_t bytes)
      : data(std::make_unique_for_overwrite<char[]>(bytes + kPaddingBytes)) {}
  std::unique_ptr<char[]> data;
  std::size_t size = 0;
};

std::string column_letters(std::size_t column) {
  std::string letters;
  for (std::size_t rest = column + 1; rest > 0; rest = (rest - 1) / 26)
    letters.insert(letters.begin(), static_cast<char>('A' + (rest - 1) % 26));
  return letters;
}

class XlsxReader final : public RecordReader {
 public:
  XlsxReader(InputFile file, const ReaderOptions& options)
      : file_(std::make_unique<InputFile>(std::move(file))),
        options_(std::make_unique<ReaderOptions>(options)) {}

  Result<void> open();
  Result<bool> next(retail::RecordBatch& batch) override;
  std::uint64_t bytes_done() const override { return stream_ ? stream_->compressed_done() : 0; }
  std::uint64_t bytes_total() const override { return stream_ ? stream_->entry().compressed_bytes : 0; }
  std::string description() const override { return "xlsx, sheet '" + sheet_name_ + "'" + others_; }

 private:
  Result<bool> open_sheet(const ZipArchive& archive, const ZipEntry& part);
  Result<bool> load_chunk();
  Error with_file(Error error) const {
    if (!error.message.starts_with(file_->path())) error.message.insert(0, file_->path() + ": ");
    return error;
  }

  // On the heap: the archive's streams point to them while the reader itself may move.
  std::unique_ptr<InputFile> file_;
  std::unique_ptr<ReaderOptions> options_;
  std::shared_ptr<const SharedStrings> strings_;
  std::vector<std::uint8_t> date_styles_;
  bool epoch_1904_ = false;
  std::optional<SheetScanner> scanner_;
  std::optional<ZipEntryStream> stream_;
  std::string sheet_name_;
  std::string others_;
  std::shared_ptr<SheetBlock> block_;
  std::size_t chunk_bytes_ = 0;  ///< of the block: whole rows
  std::size_t at_ = 0;           ///< in the chunk
  std::size_t row_bytes_ = 100;  ///< of the last batch, a little less than the mean
  std::int64_t header_row_ = 0;
  bool stream_ended_ = false;
};

/// Inflates on behind the rows not yet scanned; false at the end of the sheet's data.
Result<bool> XlsxReader::load_chunk() {
  for (;;) {
    if (scanner_->finished() || stream_ended_) {
      if (!scanner_->finished())
        return with_file(invalid_input(stream_->entry().name +
                                       " ends before the sheet's data does; save the workbook again"));
      // What follows the rows is of no interest, but the checksum over all of it is.
      std::vector<char> rest(options_->block_bytes);
      while (!stream_ended_) stream_ended_ = TILLCAST_TRY_PLAIN(stream_->read(rest.data(), rest.size())) == 0;
      return false;
    }
    const std::size_t carry = block_ ? block_->size - chunk_bytes_ : 0;
    if (carry > options_->limits.record_bytes_max) {
      return with_file(invalid_input(
          "row " + std::to_string(scanner_->last_row() + 1) + " of sheet '" + sheet_name_ +
          "' has more than " + std::to_string(options_->limits.record_bytes_max >> 20) + " MiB of XML"));
    }
    const std::size_t want = std::max(options_->block_bytes, carry);
    auto block = std::make_shared<SheetBlock>(carry + want);
    if (carry > 0) std::memcpy(block->data.get(), block_->data.get() + chunk_bytes_, carry);
    const bool first = !block_;
    const std::size_t got = TILLCAST_TRY_PLAIN(stream_->read(block->data.get() + carry, want));
    stream_ended_ = got == 0;
    block->size = carry + got;
    std::memset(block->data.get() + block->size, 0, kPaddingBytes);
    block_ = std::move(block);
    const std::string_view all(block_->data.get(), block_->size);
    if (first) {
      if (all.starts_with("\xff\xfe") || all.starts_with("\xfe\xff"))
        return with_file(invalid_input("the sheet's XML is UTF-16; save the workbook again"));
      scanner_->read_prefix(all);
    }
    chunk_bytes_ = stream_ended_ ? all.size() : scanner_->whole_rows(all);
    at_ = 0;
    if (chunk_bytes_ == 0) continue;
    if (check_utf8(all.substr(0, chunk_bytes_)).invalid_bytes != 0) {
      return with_file(invalid_input("sheet '" + sheet_name_ + "' holds bytes that are not UTF-8 near row " +
                                     std::to_string(scanner_->last_row() + 1) + "; save the workbook again"));
    }
    return true;
  }
}

/// Reads up to the header; false when the sheet has no data.
Result<bool> XlsxReader::open_sheet(const ZipArchive& archive, const ZipEntry& part) {
  stream_.emplace(TILLCAST_TRY_PLAIN(archive.stream(part)));
  scanner_.emplace(strings_, date_styles_, epoch_1904_);
  block_.reset();
  chunk_bytes_ = at_ = 0;
  stream_ended_ = false;

  TextArena arena;
  std::vector<std::string_view> cells(options_->limits.columns_max);
  SheetTarget target;
  target.columns.resize(cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) target.columns[i] = &cells[i];
  target.rows_max = 1;
  target.arena = &arena;
  while (TILLCAST_TRY_PLAIN(load_chunk())) {
    const std::string_view chunk(block_->data.get(), chunk_bytes_);
    SheetRow row;
    for (;;) {
      auto found = scanner_->next_row(chunk, at_, target, 0, row);
      if (!found) return with_file(std::move(found.error()));
      if (!*found) break;
      if (!row.has_value) continue;
      if (row.beyond != 0) {
        return with_file(invalid_input("the header row " + std::to_string(row.number) + " has more than " +
                                       std::to_string(cells.size()) + " columns"));
      }
      std::vector<std::string> names;
      std::size_t width = cells.size();
      while (cells[width - 1].empty()) --width;
      names.reserve(width);
      for (std::size_t i = 0; i < width; ++i) names.emplace_back(cells[i]);
      header_ = unique_header(std::move(names));
      header_row_ = row.number;
      return true;
    }
  }
  return false;
}

Result<void> XlsxReader::open() {
  const ZipArchive archive = TILLCAST_TRY_PLAIN(ZipArchive::open(*file_, options_->limits));
  std::string workbook_part = "xl/workbook.xml";
  if (const ZipEntry* roots = archive.find("_rels/.rels")) {
    const std::string xml = TILLCAST_TRY_PLAIN(archive.read(*roots));
    if (const auto relations = parse_relations(xml, "")) {
      for (const Relation& relation : *relations) {
        if (relation.type == "officeDocument") workbook_part = relation.target;
      }
    }
  }
  const ZipEntry* const workbook_entry = archive.find(workbook_part);
  if (workbook_entry == nullptr || workbook_part.ends_with(".bin")) {
    const bool binary = archive.find("xl/workbook.bin") != nullptr;
    const bool open_document = archive.find("content.xml") != nullptr;
    return invalid_input(file_->path() + ": is " +
                         (binary ? "a binary workbook (.xlsb); save it as .xlsx or csv"
                          : open_document
                              ? "an OpenDocument file; save it as .xlsx or csv"
                              : "a ZIP file without a workbook; expected an xlsx file, or unpack it first"));
  }
  const auto in_part = [this](const std::string& part, Error error) {
    return with_file(std::move(error).with_context(part));
  };
  const std::string workbook_xml = TILLCAST_TRY_PLAIN(archive.read(*workbook_entry));
  auto workbook = parse_workbook(workbook_xml);
  if (!workbook) return in_part(workbook_part, std::move(workbook.error()));
  epoch_1904_ = workbook->epoch_1904;

  const std::size_t slash = workbook_part.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : workbook_part.substr(0, slash + 1);
  const std::string relations_part = folder + "_rels/" + workbook_part.substr(folder.size()) + ".rels";
  std::vector<Relation> relations;
  if (const ZipEntry* entry = archive.find(relations_part)) {
    const std::string xml = TILLCAST_TRY_PLAIN(archive.read(*entry));
    auto parsed = parse_relations(xml, folder);
    if (!parsed) return in_part(relations_part, std::move(parsed.error()));
    relations = std::move(*parsed);
  }
  strings_ = std::make_shared<SharedStrings>();
  for (const Relation& relation : relations) {
    const ZipEntry* const entry = archive.find(relation.target);
    if (entry == nullptr) continue;
    if (relation.type == "styles") {
      const std::string xml = TILLCAST_TRY_PLAIN(archive.read(*entry));
      auto styles = parse_date_styles(xml);
      if (!styles) return in_part(relation.target, std::move(styles.error()));
      date_styles_ = std::move(*styles);
    } else if (relation.type == "sharedStrings") {
      ZipEntryStream stream = TILLCAST_TRY_PLAIN(archive.stream(*entry));
      auto strings = SharedStrings::read(stream, options_->limits.shared_strings_bytes_max);
      if (!strings) return with_file(std::move(strings.error()));
      strings_ = std::move(*strings);
    }
  }

  std::string names;
  bool opened = false;
  for (const WorkbookSheet& sheet : workbook->sheets) {
    names += (names.empty() ? "'" : ", '") + sheet.name + "'";
    if (opened) {
      others_ += (others_.empty() ? " (not read: '" : ", '") + sheet.name + "'";
      continue;
    }
    if (!options_->sheet.empty() && options_->sheet != sheet.name) continue;
    const auto relation = std::ranges::find(relations, sheet.relation, &Relation::id);
    if (relation == relations.end() || relation->type != "worksheet") continue;  // chart sheets
    const ZipEntry* const part = archive.find(relation->target);
    if (part == nullptr)
      return with_file(
          invalid_input("sheet '" + sheet.name + "' is missing in the file; it is damaged, save it again"));
    sheet_name_ = sheet.name;
    opened = TILLCAST_TRY_PLAIN(open_sheet(archive, *part));
  }
  if (!others_.empty()) others_ += ")";
  if (opened) return {};
  if (options_->sheet.empty())
    return with_file(
        invalid_input("no sheet has data (sheets: " + names + "); expected a header row and records"));
  const bool exists =
      std::ranges::find(workbook->sheets, options_->sheet, &WorkbookSheet::name) != workbook->sheets.end();
  return with_file(invalid_input("sheet '" + options_->sheet + "' " +
                                 (exists ? "has no data" : "does not exist") + "; sheets: " + names));
}

Result<bool> XlsxReader::next(retail::RecordBatch& batch) {
  const std::size_t columns = header_.size();
  batch.reset(columns);
  auto arena = std::make_shared<TextArena>();
  const std::size_t rows_limit = std::clamp<std::size_t>(kCellsPerBatch / columns, 1, kRowsPerBatch);
  SheetTarget target;
  target.columns.resize(columns);
  target.flags = &batch.flags;
  target.arena = arena.get();
  for (;;) {
    if (at_ >= chunk_bytes_) {
      if (!TILLCAST_TRY_PLAIN(load_chunk())) return false;
    }
    const std::string_view chunk(block_->data.get(), chunk_bytes_);
    // As many rows as the last ones suggest; if there are more, the next call goes on with them. The least a
    // row can take (20 bytes) would be safe too, but reserves, clears and faults in ten times the memory that
    // is used.
    target.rows_max = std::min(rows_limit, (chunk_bytes_ - at_) / row_bytes_ + 16);
    const std::size_t chunk_begin = at_;
    for (std::size_t i = 0; i < columns; ++i) {
      batch.columns[i].resize(target.rows_max);
      target.columns[i] = batch.columns[i].data();
    }
    std::size_t rows = 0;
    while (rows < target.rows_max && batch.bad_records.size() < kBadRecordsPerBatch) {
      SheetRow row;
      auto found = scanner_->next_row(chunk, at_, target, rows, row);
      if (!found) return with_file(std::move(found.error()));
      if (!*found) break;
      if (!row.has_value && row.beyond == 0) continue;
      const std::int64_t number = row.number - header_row_;
      if (row.beyond != 0) {
        batch.bad_records.push_back(
            {number, "wrong_field_count",
             "a value in column " + column_letters(row.beyond) + ", but the header ends at " +
                 column_letters(columns - 1),
             printable({row.begin, static_cast<std::size_t>(row.end - row.begin)}, kRawBytesMax)});
        for (std::size_t i = 0; i < columns; ++i) {
          target.columns[i][rows] = {};
          if (!batch.flags[i].empty()) batch.flags[i][rows] = retail::CellFlag::kPlain;
        }
        continue;
      }
      batch.row_numbers.push_back(number);
      ++rows;
    }
    for (std::size_t i = 0; i < columns; ++i) {
      batch.columns[i].resize(rows);
      if (!batch.flags[i].empty()) batch.flags[i].resize(rows);
    }
    batch.rows = rows;
    if (rows > 0) row_bytes_ = std::max(kRowBytesMin, (at_ - chunk_begin) / (rows + rows / 8 + 1));
    if (rows > 0 || !batch.bad_records.empty()) {
      batch.owners = {block_, arena, strings_};
      return true;
    }
  }
}

}  // namespace

Result<std::unique_ptr<RecordReader>> open_xlsx_reader(InputFile file, const ReaderOptions& options) {
  auto reader = std::make_unique<XlsxReader>(std::move(file), options);
  if (auto opened = reader->open(); !opened) return std::move(opened.error());
  return std::unique_ptr<RecordReader>(std::move(reader));
}

}  // namespace tillcast::sources
