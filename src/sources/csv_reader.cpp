#include "sources/csv_reader.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/column_batch.h"
#include "sources/batch_limits_internal.h"
#include "sources/csv_index.h"
#include "sources/header_names.h"
#include "sources/text_encoding.h"

namespace tillcast::sources {
namespace {

constexpr std::size_t kScanBytes = 1 << 20;

/// Bytes that record views point into.
struct Block {
  explicit Block(std::size_t bytes) : data(std::make_unique_for_overwrite<char[]>(bytes + kPaddingBytes)) {}
  std::unique_ptr<char[]> data;
  std::size_t size = 0;
};

class CsvReader final : public RecordReader {
 public:
  CsvReader(InputFile file, const ReaderOptions& options) : file_(std::move(file)), options_(options) {}

  Result<void> read_header();
  Result<bool> next(retail::RecordBatch& batch) override;
  std::uint64_t bytes_done() const override {
    // Text in the block may be longer than in the file (Windows-1252).
    return file_offset_ - std::min<std::uint64_t>(file_offset_, block_ ? block_->size - record_start_ : 0);
  }
  std::uint64_t bytes_total() const override { return file_.size(); }
  std::string description() const override {
    const char* encoding = encoding_ == TextEncoding::kCp1252 ? "Windows-1252" : "UTF-8";
    const std::string delimiter = delimiter_ == '\t'  ? "tab"
                                  : delimiter_ == ',' ? "comma"
                                  : delimiter_ == ';' ? "semicolon"
                                                      : std::string(1, delimiter_);
    return std::string("csv, ") + encoding + ", " + delimiter;
  }

 private:
  enum class Split { kRecord, kBlank, kNeedMore, kOpenQuote, kBadQuote };
  struct Record {
    std::size_t end = 0;  ///< position after its line end
    std::size_t fields = 0;
    std::size_t first_break = 0;  ///< position of the first line break inside quotes; 0 = none
    std::size_t longest = 0;
    std::size_t longest_field = 0;
    bool extra_text = false;  ///< text beyond the last column
  };

  Result<void> load_block();
  Result<std::size_t> read_text(std::size_t bytes, char* to);
  Result<void> decide_encoding(std::uint64_t offset, std::string_view first);
  template <class Emit>
  Split split_record(Record& record, Emit&& emit);
  void parse_records(retail::RecordBatch& batch, std::size_t rows_max);
  bool reject_oversized(retail::RecordBatch& batch, bool open_quote);
  void reject(retail::RecordBatch& batch, std::string_view reason, std::string message, std::string_view raw);
  void resume_at(std::size_t position) {
    record_start_ = position;
    cursor_ = static_cast<std::size_t>(std::ranges::lower_bound(positions_, position) - positions_.begin());
  }
  std::string_view text(std::size_t from, std::size_t to) const {
    return {block_->data.get() + from, to - from};
  }
  bool at_end() const { return file_offset_ >= file_.size(); }

  InputFile file_;
  ReaderOptions options_;
  std::uint64_t file_offset_ = 0;
  TextEncoding encoding_ = TextEncoding::kAuto;  ///< kAuto: only ASCII so far
  char delimiter_ = ',';
  char line_end_ = '\n';
  std::shared_ptr<Block> block_;
  std::vector<std::uint32_t> positions_;  ///< structural characters of the block
  std::size_t cursor_ = 0;                ///< next of positions_
  std::size_t record_start_ = 0;
  std::size_t read_bytes_ = 0;    ///< how much the next block reads
  bool check_records_ = false;    ///< the block has undecodable bytes somewhere
  bool undefined_bytes_ = false;  ///< Windows-1252 bytes without a character seen in the block
  bool skipping_ = false;         ///< inside a record too long to keep
  bool virtual_line_end_ = false;
  std::shared_ptr<TextArena> arena_;  ///< unescaped fields of the current batch
  std::vector<std::string_view*> outputs_;
  std::int64_t row_number_ = 0;
};

Result<void> CsvReader::decide_encoding(std::uint64_t offset, std::string_view first) {
  if (options_.encoding != TextEncoding::kAuto) {
    encoding_ = options_.encoding;
    return {};
  }
  Utf8Check total = check_utf8(first);
  std::vector<char> buffer(kScanBytes + 4);
  std::size_t kept = total.incomplete;
  std::memcpy(buffer.data(), first.data() + first.size() - kept, kept);
  for (std::uint64_t at = offset + first.size();;) {
    const std::size_t got = TILLCAST_TRY_PLAIN(file_.read(at, buffer.data() + kept, kScanBytes));
    if (got == 0) break;
    at += got;
    const std::string_view bytes(buffer.data(), kept + got);
    const Utf8Check check = check_utf8(bytes);
    total.sequences += check.sequences;
    total.invalid_bytes += check.invalid_bytes;
    kept = check.incomplete;
    std::memmove(buffer.data(), bytes.data() + bytes.size() - kept, kept);
  }
  total.invalid_bytes += kept;
  encoding_ = total.invalid_bytes == 0 || total.sequences > total.invalid_bytes ? TextEncoding::kUtf8
                                                                                : TextEncoding::kCp1252;
  return {};
}

/// Reads the next bytes of the file as UTF-8 text. `to` has room for three times as many.
Result<std::size_t> CsvReader::read_text(std::size_t bytes, char* to) {
  // Read behind the room that Windows-1252 text may grow into, so that it can be written forward in place.
  const bool may_grow = encoding_ == TextEncoding::kCp1252;
  char* const raw = may_grow ? to + 2 * bytes : to;
  const std::size_t got = TILLCAST_TRY_PLAIN(file_.read(file_offset_, raw, bytes));
  const std::string_view text(raw, got);
  const std::uint64_t offset = file_offset_;
  file_offset_ += got;
  if (got < bytes) file_offset_ = std::max(file_offset_, file_.size());  // a file that shrank ends here
  if (encoding_ == TextEncoding::kUtf8) return got;
  if (is_ascii(text)) {
    std::memmove(to, raw, got);
    return got;
  }
  if (encoding_ == TextEncoding::kAuto) {
    TILLCAST_TRY_PLAIN(decide_encoding(offset, text));
    if (encoding_ == TextEncoding::kUtf8) return got;
    std::memmove(to + 2 * bytes, raw, got);
  }
  const Cp1252Result result = cp1252_to_utf8({to + 2 * bytes, got}, to);
  undefined_bytes_ = undefined_bytes_ || result.undefined;
  return result.bytes;
}

/// Carries the unfinished record over and reads on behind it.
Result<void> CsvReader::load_block() {
  const std::string_view carry = block_ ? text(record_start_, block_->size) : std::string_view();
  const bool grows = encoding_ != TextEncoding::kUtf8;
  auto block = std::make_shared<Block>(carry.size() + read_bytes_ * (grows ? 3 : 1) + 1);
  carry.copy(block->data.get(), carry.size());
  undefined_bytes_ = undefined_bytes_ && !carry.empty();
  const std::size_t got = TILLCAST_TRY_PLAIN(read_text(read_bytes_, block->data.get() + carry.size()));
  block->size = carry.size() + got;
  virtual_line_end_ = at_end() && (block->size == 0 || block->data[block->size - 1] != line_end_);
  if (virtual_line_end_) block->data[block->size++] = line_end_;
  std::memset(block->data.get() + block->size, 0, kPaddingBytes);
  block_ = std::move(block);

  const std::string_view all = text(0, block_->size);
  const CsvIndexResult found = index_csv(all, delimiter_, line_end_, positions_);
  check_records_ = found.has_nul || undefined_bytes_;
  if (found.has_non_ascii && encoding_ == TextEncoding::kUtf8 && !check_records_)
    check_records_ = check_utf8(all).invalid_bytes != 0;
  cursor_ = 0;
  record_start_ = 0;
  return {};
}

/// Splits the record at record_start_ and calls emit(field index, text) for each field. On kRecord and kBlank
/// the cursor stands at the next record; otherwise the caller decides where to go on.
template <class Emit>
CsvReader::Split CsvReader::split_record(Record& record, Emit&& emit) {
  const char* const data = block_->data.get();
  const std::uint32_t* at = positions_.data() + cursor_;
  const std::uint32_t* const end = positions_.data() + positions_.size();
  std::size_t start = record_start_;
  std::size_t column = 0;
  for (;;) {
    if (at == end) return Split::kNeedMore;
    std::size_t position = *at++;
    std::string_view field;
    if (data[position] == '"') {
      if (position != start) continue;  // a quote inside an unquoted field is text
      bool doubled = false;
      std::size_t close = 0;
      for (;;) {
        if (at == end) return Split::kOpenQuote;
        close = *at++;
        if (data[close] != '"') {
          if (data[close] == line_end_ && record.first_break == 0) record.first_break = close;
          continue;
        }
        if (at == end || *at != close + 1 || data[close + 1] != '"') break;
        ++at;
        doubled = true;
      }
      if (at == end) return Split::kNeedMore;
      position = *at++;
      const bool before_crlf =
          position == close + 2 && data[close + 1] == '\r' && data[position] == line_end_;
      if (position != close + 1 && !before_crlf) return Split::kBadQuote;
      field = text(start + 1, close);
      if (doubled) {
        char* const to = arena_->allocate(field.size());
        std::size_t length = 0;
        for (std::size_t i = 0; i < field.size(); ++i) {
          to[length++] = field[i];
          if (field[i] == '"') ++i;
        }
        arena_->give_back(field.size() - length);
        field = {to, length};
      }
    } else {
      std::size_t stop = position;
      if (data[position] == line_end_ && stop > start && data[stop - 1] == '\r') --stop;
      field = text(start, stop);
    }
    emit(column, field);
    if (field.size() > record.longest) {
      record.longest = field.size();
      record.longest_field = column;
    }
    ++column;
    const bool last = data[position] == line_end_;
    if (last && column == 1 && field.empty() && data[start] != '"') {
      cursor_ = static_cast<std::size_t>(at - positions_.data());
      record_start_ = position + 1;
      return Split::kBlank;
    }
    start = position + 1;
    if (last) break;
  }
  record.fields = column;
  record.end = start;
  cursor_ = static_cast<std::size_t>(at - positions_.data());
  record_start_ = start;
  return Split::kRecord;
}

void CsvReader::reject(retail::RecordBatch& batch, std::string_view reason, std::string message,
                       std::string_view raw) {
  while (!raw.empty() && (raw.back() == '\r' || raw.back() == line_end_)) raw.remove_suffix(1);
  batch.bad_records.push_back({row_number_, reason, std::move(message), printable(raw, kRawBytesMax)});
}

/// Splits records of the block into the batch until it is full or the block has no whole record left.
void CsvReader::parse_records(retail::RecordBatch& batch, std::size_t rows_max) {
  const std::size_t columns = header_.size();
  std::size_t row = batch.rows;
  while (row < rows_max && batch.bad_records.size() < kBadRecordsPerBatch) {
    const std::size_t start = record_start_;
    Record record;
    Split split = split_record(record, [&](std::size_t column, std::string_view field) {
      if (column < columns) {
        outputs_[column][row] = field;
      } else if (!field.empty()) {
        record.extra_text = true;
      }
    });
    if (split == Split::kBlank) continue;
    const std::size_t line_break =
        split == Split::kBadQuote ? text(0, block_->size).find(line_end_, start) : 0;
    if (line_break == std::string_view::npos) split = Split::kNeedMore;  // its line ends in the next block
    if (split == Split::kNeedMore || split == Split::kOpenQuote) {
      const bool open_quote = split == Split::kOpenQuote;
      const bool oversized = block_->size - start >= options_.limits.record_bytes_max;
      if (start == block_->size || (!oversized && !at_end())) break;
      if (!reject_oversized(batch, open_quote)) break;
      continue;
    }

    ++row_number_;
    const std::size_t end = split == Split::kRecord ? record.end : 0;
    if (split == Split::kBadQuote || record.fields < columns || record.extra_text) {
      // Where a stray quote has swallowed line ends, only the first line is given up.
      std::size_t resume = end;
      if (split == Split::kBadQuote) resume = line_break + 1;
      if (record.first_break != 0) resume = std::min(resume, record.first_break + 1);
      if (split == Split::kBadQuote) {
        reject(batch, "bad_quoting",
               "text follows a closing quote; quotes inside a quoted field must be doubled",
               text(start, resume));
      } else {
        reject(batch, "wrong_field_count",
               std::to_string(columns) + " fields expected, " + std::to_string(record.fields) + " found",
               text(start, resume));
      }
      if (resume != end) resume_at(resume);
      continue;
    }
    if (record.longest > options_.limits.field_bytes_max) {
      reject(batch, "field_too_long",
             "column " + header_[std::min(record.longest_field, columns - 1)] + " has " +
                 std::to_string(record.longest) + " bytes, at most " +
                 std::to_string(options_.limits.field_bytes_max) + " are read",
             text(start, end));
      continue;
    }
    if (check_records_) {
      const std::string_view raw = text(start, end);
      const bool undefined = undefined_bytes_ && raw.find("\xEF\xBF\xBD") != std::string_view::npos;
      if (undefined || raw.find('\0') != std::string_view::npos || !is_utf8(raw)) {
        reject(batch, "bad_encoding",
               undefined ? "bytes that Windows-1252 has no character for" : "bytes that are not UTF-8 text",
               raw);
        continue;
      }
    }
    batch.row_numbers.push_back(row_number_);
    ++row;
  }
  batch.rows = row;
}

/// Gives up the record at record_start_, which has no end within the limit or the file. False: load more.
bool CsvReader::reject_oversized(retail::RecordBatch& batch, bool open_quote) {
  const std::size_t start = record_start_;
  const std::size_t line_break = text(0, block_->size).find(line_end_, start);
  ++row_number_;
  if (open_quote && line_break != std::string_view::npos) {
    reject(batch, "unterminated_quote", "a quoted field is never closed", text(start, line_break));
    resume_at(line_break + 1);
    return true;
  }
  reject(batch, "record_too_long",
         "the record is longer than " + std::to_string(options_.limits.record_bytes_max) + " bytes",
         text(start, block_->size));
  record_start_ = block_->size;
  cursor_ = positions_.size();
  skipping_ = true;
  return false;
}

Result<bool> CsvReader::next(retail::RecordBatch& batch) {
  const std::size_t columns = header_.size();
  batch.reset(columns);
  arena_ = std::make_shared<TextArena>();
  const std::size_t rows_max = std::clamp<std::size_t>(kCellsPerBatch / columns, 1, kRowsPerBatch);
  for (;;) {
    const std::size_t rows_left = (positions_.size() - cursor_) / columns + 1;
    outputs_.resize(columns);
    for (std::size_t i = 0; i < columns; ++i) {
      batch.columns[i].resize(std::min(rows_max, rows_left));
      outputs_[i] = batch.columns[i].data();
    }
    parse_records(batch, std::min(rows_max, rows_left));
    for (auto& column : batch.columns) column.resize(batch.rows);
    if (batch.rows > 0 || !batch.bad_records.empty()) {
      batch.owners = {block_, arena_};
      return true;
    }
    if (at_end() && record_start_ >= block_->size) return false;
    // An unfinished record: read more than the last time, so that a long one is not scanned too often.
    const std::size_t carry = block_->size - record_start_;
    read_bytes_ = std::max(options_.block_bytes, carry);
    TILLCAST_TRY_PLAIN(load_block());
    while (skipping_) {
      const std::size_t line_break = text(0, block_->size).find(line_end_);
      skipping_ = line_break == std::string_view::npos && !at_end();
      resume_at(line_break == std::string_view::npos ? block_->size : line_break + 1);
      if (skipping_) TILLCAST_TRY_PLAIN(load_block());
    }
  }
}

Result<void> CsvReader::read_header() {
  read_bytes_ = std::max<std::size_t>(options_.block_bytes, 1);
  // Enough of the start to see the separators and line ends, whatever the block size.
  std::string sample(std::min<std::uint64_t>(file_.size(), 64 << 10), '\0');
  sample.resize(TILLCAST_TRY_PLAIN(file_.read(0, sample.data(), sample.size())));
  std::string_view start = sample;
  if (start.starts_with("\xEF\xBB\xBF")) {
    file_offset_ = 3;
    start.remove_prefix(3);
    if (options_.encoding == TextEncoding::kAuto) options_.encoding = TextEncoding::kUtf8;
  }
  if (options_.encoding == TextEncoding::kUtf8) encoding_ = TextEncoding::kUtf8;
  if (start.find('\n') == std::string_view::npos && start.find('\r') != std::string_view::npos)
    line_end_ = '\r';
  if (start.size() > 5 && start.starts_with("sep=") && (start[5] == '\r' || start[5] == '\n')) {
    delimiter_ = start[4];
    const std::size_t line = start.find(line_end_);
    file_offset_ += line + 1;
  } else {
    delimiter_ = options_.delimiter != 0 ? options_.delimiter : sniff_delimiter(start, line_end_);
  }
  if (delimiter_ == '"' || delimiter_ == '\r' || delimiter_ == '\n' || delimiter_ == '\0') {
    return invalid_input(file_.path() + ": a quote or line end cannot be the delimiter; use , ; tab or |");
  }

  arena_ = std::make_shared<TextArena>();
  for (;;) {
    TILLCAST_TRY_PLAIN(load_block());
    for (;;) {
      Record record;
      std::vector<std::string> names;
      const std::size_t begin = record_start_;
      const Split split = split_record(record, [&](std::size_t column, std::string_view field) {
        if (column < options_.limits.columns_max) names.emplace_back(field);
      });
      if (split == Split::kBlank) continue;
      if (split == Split::kRecord) {
        if (record.fields > options_.limits.columns_max) {
          return invalid_input(file_.path() + ": the header has " + std::to_string(record.fields) +
                               " columns, at most " + std::to_string(options_.limits.columns_max) +
                               " are read");
        }
        if (check_records_ && (!is_utf8(text(begin, record.end)) ||
                               text(begin, record.end).find('\0') != std::string_view::npos)) {
          return invalid_input(file_.path() +
                               ": the header is not text; expected a csv file with a header line");
        }
        header_ = unique_header(std::move(names));
        return {};
      }
      const bool too_long = block_->size - begin >= options_.limits.record_bytes_max;
      if (split == Split::kBadQuote || too_long || (at_end() && begin < block_->size)) {
        return invalid_input(
            file_.path() +
            ": the header line cannot be split into column names (unbalanced quotes or no line end); "
            "expected a csv file with a header line");
      }
      break;
    }
    if (at_end() && record_start_ >= block_->size)
      return invalid_input(file_.path() + ": is empty; expected a csv or xlsx file with a header");
    read_bytes_ = std::max(options_.block_bytes, block_->size - record_start_);
  }
}

}  // namespace

Result<std::unique_ptr<RecordReader>> open_csv_reader(InputFile file, const ReaderOptions& options) {
  auto reader = std::make_unique<CsvReader>(std::move(file), options);
  if (auto header = reader->read_header(); !header) return std::move(header.error());
  return std::unique_ptr<RecordReader>(std::move(reader));
}

}  // namespace tillcast::sources
