#include "pipeline/generate.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <vector>

#include "database/database.h"
#include "io/durable_file.h"
#include "io/file_error.h"
#include "sources/batch_csv.h"

namespace tillcast::pipeline {
namespace {

/// A file under construction: written beside its name, moved there when whole.
class PartialFile {
 public:
  explicit PartialFile(std::filesystem::path path)
      : path_(std::move(path)), partial_(path_.string() + ".partial") {}
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  ~PartialFile() {
    std::error_code ignored;
    if (!finished_) std::filesystem::remove(partial_, ignored);
  }
  const std::filesystem::path& partial() const { return partial_; }
  Result<> finish() {
    if (auto synced = io::sync_file(partial_); !synced) return synced;
    if (auto renamed = io::rename_file(partial_, path_); !renamed) return renamed;
    finished_ = true;
    return io::sync_directory(path_.parent_path().empty() ? "." : path_.parent_path());
  }

 private:
  std::filesystem::path path_;
  std::filesystem::path partial_;
  bool finished_ = false;
};

/// Writes batches in one format.
class BatchFile {
 public:
  virtual ~BatchFile() = default;
  virtual Result<> add(const ColumnBatch& batch) = 0;
  virtual Result<> finish() = 0;
};

class CsvFile final : public BatchFile {
 public:
  explicit CsvFile(const std::filesystem::path& path)
      : file_(path),
        stream_(file_.partial(), std::ios::binary | std::ios::trunc),
        csv_([this](std::string_view bytes) { return write(bytes); }) {}
  Result<> add(const ColumnBatch& batch) override { return csv_.add(batch); }
  Result<> finish() override {
    if (auto written = csv_.finish(); !written) return written;
    stream_.close();
    if (!stream_) return io::last_file_error("write", file_.partial());
    return file_.finish();
  }

 private:
  Result<> write(std::string_view bytes) {
    if (!stream_.write(bytes.data(), static_cast<std::streamsize>(bytes.size())))
      return io::last_file_error("write", file_.partial());
    return {};
  }
  PartialFile file_;
  std::ofstream stream_;
  sources::BatchCsv csv_;
};

/// Parquet by DuckDB: pieces of a million rows in a table, one COPY at the end spilling beside the target.
class ParquetFile final : public BatchFile {
 public:
  static Result<std::unique_ptr<BatchFile>> open(const std::filesystem::path& path) {
    database::DatabaseOptions options;
    options.preserve_insertion_order = true;
    options.temp_directory = path.string() + ".spill";
    auto database = TILLCAST_TRY_PLAIN(database::Database::open_in_memory(options));
    auto connection = TILLCAST_TRY_PLAIN(database.connect());
    return std::unique_ptr<BatchFile>(new ParquetFile(path, std::move(database), std::move(connection)));
  }
  Result<> add(const ColumnBatch& batch) override {
    if (!created_) {
      std::string columns;
      for (const auto& column : batch.columns) {
        columns += (columns.empty() ? "" : ", ") + database::sql_identifier(column.spec.name) + " " +
                   std::string(sql_name(column.spec.type));
      }
      TILLCAST_TRY_PLAIN(connection_.execute("CREATE TABLE rows (" + columns + ")"));
      created_ = true;
    }
    return connection_.append("rows", batch);
  }
  Result<> finish() override {
    const std::string target = database::sql_quote(file_.partial().string());
    TILLCAST_TRY_PLAIN(connection_.execute("COPY rows TO " + target + " (FORMAT parquet, COMPRESSION zstd)"));
    return file_.finish();
  }

 private:
  ParquetFile(const std::filesystem::path& path, database::Database database, database::Connection connection)
      : file_(path), database_(std::move(database)), connection_(std::move(connection)) {}
  PartialFile file_;
  database::Database database_;
  database::Connection connection_;
  bool created_ = false;
};

Result<std::unique_ptr<BatchFile>> open_batch_file(const std::filesystem::path& path,
                                                   GeneratedFormat format) {
  if (format == GeneratedFormat::kParquet) return ParquetFile::open(path);
  return std::unique_ptr<BatchFile>(new CsvFile(path));
}

class FileSink final : public sources::GeneratorSink {
 public:
  FileSink(BatchFile& sales, BatchFile* truth) : sales_(sales), truth_(truth) {}
  Result<> sales(const ColumnBatch& batch) override { return sales_.add(batch); }
  Result<> truth(const ColumnBatch& batch) override {
    return truth_ == nullptr ? Result<>() : truth_->add(batch);
  }

 private:
  BatchFile& sales_;
  BatchFile* truth_;
};

}  // namespace

Result<sources::GeneratorSummary> generate_files(const sources::GeneratorOptions& options,
                                                 const GenerateTarget& target, StageObserver& observer) {
  const auto sales = TILLCAST_TRY_PLAIN(open_batch_file(target.sales, target.format));
  std::unique_ptr<BatchFile> truth;
  if (options.truth) truth = TILLCAST_TRY_PLAIN(open_batch_file(target.truth, target.format));
  FileSink sink(*sales, truth.get());
  observer.stage_started("generate " + target.sales.filename().string(), "days");
  const auto summary = TILLCAST_TRY_PLAIN(sources::generate(options, sink, observer));
  if (auto finished = sales->finish(); !finished) return std::move(finished.error());
  if (truth) {
    if (auto finished = truth->finish(); !finished) return std::move(finished.error());
  }
  return summary;
}

}  // namespace tillcast::pipeline
