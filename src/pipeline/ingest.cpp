#include "pipeline/ingest.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <sstream>

#include "core/text.h"
#include "io/file_hash.h"
#include "pipeline/load_notes.h"
#include "retail/column_mapping.h"
#include "retail/record_converter.h"
#include "sources/record_reader.h"

namespace tillcast::pipeline {
namespace {

constexpr std::uint64_t kMappingBytesMax = 1 << 20;
// Where the time of a load goes: the hash of the file until here, then its rows, then writing them, flushed.
constexpr double kHashed = 0.03;
constexpr double kRead = 0.4;
constexpr std::int64_t kFutureDaysMax = 4'000'000;  // past the year 9999

Result<retail::ColumnMapping> choose_mapping(const std::string& wanted,
                                             const std::vector<std::string>& header) {
  if (wanted.empty()) return retail::pick_mapping(retail::preset_mappings(), header);
  if (wanted.find('/') == std::string::npos && !wanted.ends_with(".toml"))
    return retail::preset_mapping(wanted);
  std::ifstream file(wanted, std::ios::binary);
  if (!file)
    return not_found("mapping " + wanted + " cannot be opened; give a TOML file, or the name of a preset");
  std::string text;
  text.resize(kMappingBytesMax);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return retail::parse_mapping(text, wanted);
}

// Counts the reasons and keeps the first few rejects as lines for people.
class RejectSummary {
 public:
  explicit RejectSummary(std::int64_t examples_max) : examples_max_(examples_max) {}

  void add(const ColumnBatch& rejects) {
    const int reason = rejects.find("reason");
    const int column = rejects.find("column_name");
    const int message = rejects.find("message");
    const int row = rejects.find("source_row");
    for (std::size_t i = 0; i < rejects.rows; ++i) {
      const std::string word(rejects.columns[static_cast<std::size_t>(reason)].text[i]);
      ++reasons_[word];
      if (static_cast<std::int64_t>(examples_.size()) >= examples_max_) continue;
      std::string line =
          "row " + std::to_string(rejects.columns[static_cast<std::size_t>(row)].ints[i]) + ": ";
      const auto& names = rejects.columns[static_cast<std::size_t>(column)];
      if (!names.is_null(i)) line += std::string(names.text[i]) + ": ";
      examples_.push_back(line + std::string(rejects.columns[static_cast<std::size_t>(message)].text[i]));
    }
  }
  void add_duplicates(std::int64_t count) {
    if (count > 0) reasons_["duplicate_event"] += count;
  }
  std::int64_t count(const std::string& reason) const {
    const auto at = reasons_.find(reason);
    return at == reasons_.end() ? 0 : at->second;
  }
  void report(IngestReport& into) const {
    for (const auto& [reason, count] : reasons_) into.reject_reasons.emplace_back(reason, count);
    std::ranges::sort(into.reject_reasons, [](const auto& a, const auto& b) { return a.second > b.second; });
    into.reject_examples = examples_;
  }

 private:
  std::int64_t examples_max_;
  std::map<std::string, std::int64_t> reasons_;
  std::vector<std::string> examples_;
};

// A source row as csv again, for the reject that a duplicate becomes.
std::string joined_row(const ColumnBatch& bronze, std::size_t columns, std::size_t row) {
  std::string text;
  for (std::size_t c = 0; c < columns; ++c) {
    if (c > 0) text += ',';
    append_csv_cell(text, bronze.columns[c].text[row]);
  }
  return text;
}

}  // namespace

Result<IngestReport> ingest_file(Workspace& workspace, const std::filesystem::path& file,
                                 const IngestOptions& options, StageObserver& observer) {
  const auto started = std::chrono::steady_clock::now();
  IngestReport report;
  // A name is any bytes on this system; the lake and its SQL hold text.
  report.file = repaired_utf8(options.label.empty() ? file.filename().string() : options.label);
  const std::string stage = "ingest " + report.file;
  observer.stage_started(stage, kShares);
  ProgressPart hashing(observer, 0, kHashed);
  report.sha256 = TILLCAST_TRY_PLAIN(io::sha256_file(file, &hashing));

  const auto finish = [&](StageReport::Status status, std::string detail) {
    report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    observer.stage_finished({stage, status, report.totals.rows_in, report.seconds, std::move(detail)});
    return report;
  };
  if (const auto loaded = TILLCAST_TRY_PLAIN(workspace.lake.find_load(report.sha256))) {
    report.already_loaded = true;
    report.load_seq = loaded->seq;
    report.totals = loaded->totals;
    return finish(StageReport::Status::kUnchanged, "loaded before, as commit " + std::to_string(loaded->seq));
  }

  sources::ReaderOptions reader_options;
  reader_options.sheet = options.sheet;
  const auto reader = TILLCAST_TRY_PLAIN(sources::open_record_reader(file, reader_options));
  const auto& header = reader->header();
  const auto mapping = TILLCAST_TRY(choose_mapping(options.mapping, header), file.string());
  const Date sales_until{utc_date(SystemClock().now()).days +
                         static_cast<std::int32_t>(std::clamp<std::int64_t>(
                             workspace.config.integer("ingest.future_days_max"), 0, kFutureDaysMax))};
  auto converter = TILLCAST_TRY(retail::RecordConverter::create(mapping, header, {report.file, sales_until}),
                                file.string());
  report.mapping = mapping.name;
  report.dataset = "silver." + std::string(retail::dataset_name(mapping.dataset));
  const std::string bronze_dataset = "bronze." + mapping.topic();

  auto writer = TILLCAST_TRY_PLAIN(workspace.lake.begin_load(
      {report.sha256, report.file, mapping.source, mapping.topic(), {}}, {.progress = &observer}));
  // However a stop shows: as the wish itself, or as a statement of the lake that was interrupted.
  const auto told = [&report](Error error) {
    return error.code == ErrorCode::kCancelled
               ? cancelled("stopped; nothing of " + report.file + " was loaded")
               : std::move(error);
  };
  RejectSummary rejects(options.rejects_shown);
  retail::RecordBatch records;
  std::int64_t duplicates = 0;
  while (TILLCAST_TRY(reader->next(records), file.string())) {
    if (observer.cancelled()) return told(cancelled(""));
    retail::ConvertedBatch batch;
    if (auto converted = converter.convert(std::move(records), batch); !converted)
      return std::move(converted.error()).with_context(file.string());
    rejects.add(batch.rejects);
    const double read = reader->bytes_total() == 0 ? 0
                                                   : static_cast<double>(reader->bytes_done()) /
                                                         static_cast<double>(reader->bytes_total());
    const double done = kHashed + read * (kRead - kHashed + (1 - kRead) * writer.written_share());
    observer.update(static_cast<std::uint64_t>(ProgressPart::kUnits * done), ProgressPart::kUnits);

    // A duplicate becomes a reject with its source row, which only the bronze batch still has: silver goes
    // first.
    const ColumnBatch& bronze = batch.bronze;
    const int bronze_row = bronze.find("_row");
    const int typed_row = batch.typed.find("source_row");
    std::vector<std::int64_t> source_rows;
    if (typed_row >= 0) source_rows = batch.typed.columns[static_cast<std::size_t>(typed_row)].ints;
    lake::AddOptions typed_options;
    typed_options.partition_column = mapping.dataset == retail::Dataset::kStore ? "" : "business_date";
    typed_options.raw_text = [&](std::size_t row) {
      const auto& rows = bronze.columns[static_cast<std::size_t>(bronze_row)].ints;
      const auto at = std::ranges::lower_bound(rows, source_rows[row]);
      if (at == rows.end() || *at != source_rows[row]) return std::string();
      return joined_row(bronze, header.size(), static_cast<std::size_t>(at - rows.begin()));
    };
    const auto typed = writer.add(report.dataset, std::move(batch.typed), typed_options);
    if (!typed) return told(typed.error());
    duplicates += static_cast<std::int64_t>(typed->duplicates);
    lake::AddOptions bronze_options;
    bronze_options.partition_column = "_event_date";
    bronze_options.store_partition_column = false;
    if (auto added = writer.add(bronze_dataset, std::move(batch.bronze), bronze_options); !added)
      return told(std::move(added.error()));
    if (batch.rejects.rows > 0) {
      if (auto added = writer.add("silver.rejects", std::move(batch.rejects)); !added)
        return told(std::move(added.error()));
    }
  }
  ProgressPart writing(observer, kRead, 1);
  const auto committed = writer.commit(converter.totals().rows_in, &writing);
  if (!committed) return told(Error(committed.error()).with_context("load " + report.file));
  const lake::ManifestEntry& entry = *committed;
  report.load_seq = entry.seq;
  report.totals = entry.totals;
  rejects.add_duplicates(duplicates);
  rejects.report(report);
  const auto snapshot = TILLCAST_TRY_PLAIN(refresh_views(workspace));
  if (const auto late = rejects.count("date_too_late"); late > 0) {
    report.notes.push_back(
        std::to_string(late) + (late == 1 ? " sale" : " sales") + " later than " + format_date(sales_until) +
        " refused; if the dates are meant, take the load out (tillcast lake remove " +
        std::to_string(entry.seq) + ") and load the file with --set ingest.future_days_max=DAYS");
  }
  if (auto odd = misdated_note(snapshot, entry); !odd.empty()) report.notes.push_back(std::move(odd));
  ++workspace.version;
  return finish(StageReport::Status::kDone, mapping.title.empty() ? mapping.name : mapping.title);
}

}  // namespace tillcast::pipeline
