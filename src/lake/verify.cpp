#include <map>
#include <set>

#include "io/file_hash.h"
#include "lake/lake_internal.h"

namespace tillcast::lake {
namespace {

class Check {
 public:
  Check(Lake::State& lake, Progress& progress) : lake_(lake), progress_(progress) {}

  Result<std::vector<Finding>> run() {
    check_log();
    TILLCAST_TRY_PLAIN(check_files());
    check_totals();
    TILLCAST_TRY_PLAIN(check_orphans());
    return std::move(findings_);
  }

 private:
  void error(const char* kind, std::string path, std::string message) {
    findings_.push_back({Finding::Severity::kError, kind, std::move(path), std::move(message)});
  }

  // Replays the whole log by itself, checkpoints aside, so that damage anywhere shows.
  void check_log() {
    const auto objects = lake_.store.list("manifest/");
    if (!objects) return error("bad_entry", "manifest/", objects.error().message);
    for (const ObjectInfo& object : *objects) {
      const std::string next = Manifest::entry_key(replayed_.seq + 1);
      if (object.key != next) {
        return error(object.key > next ? "gap" : "bad_entry", object.key,
                     "expected " + next + " here; restore it from a copy");
      }
      const auto json = lake_.store.get(object.key);
      if (!json) return error("bad_entry", object.key, json.error().message);
      auto entry = parse_entry(*json, object.key);
      if (!entry) return error("bad_entry", object.key, entry.error().message);
      if (auto applied = apply_entry(replayed_, *entry); !applied)
        return error("bad_entry", object.key, applied.error().message);
    }
    check_checkpoints();
  }

  void check_checkpoints() {
    const auto objects = lake_.store.list("checkpoints/");
    if (!objects) return;
    for (const ObjectInfo& object : *objects) {
      const auto json = lake_.store.get(object.key);
      if (!json) continue;
      if (const auto parsed = parse_checkpoint(*json, object.key); !parsed) {
        findings_.push_back({Finding::Severity::kRemark, "bad_checkpoint", object.key,
                             "readers pass over it: " + parsed.error().message});
      }
    }
  }

  Result<> check_files() {
    for (const auto& [dataset, files] : replayed_.files) {
      for (const DataFile& file : files) bytes_total_ += file.bytes;
    }
    for (const auto& [dataset, files] : replayed_.files) {
      for (const DataFile& file : files) {
        if (progress_.cancelled()) return cancelled("stopped checking the lake");
        TILLCAST_TRY_PLAIN(check_file(file));
        bytes_done_ += file.bytes;
        progress_.update(bytes_done_, bytes_total_);
      }
    }
    return {};
  }

  Result<> check_file(const DataFile& file) {
    named_.insert(file.path);
    const std::filesystem::path path = lake_.store.location(file.path);
    std::error_code failed;
    const auto bytes = std::filesystem::file_size(path, failed);
    if (failed) {
      error("missing_file", file.path, failed.message() + "; restore it, or load its source again");
      return {};
    }
    if (bytes != file.bytes) {
      error("wrong_size", file.path,
            std::to_string(bytes) + " bytes, expected " + std::to_string(file.bytes));
      return {};
    }
    const auto checksum = io::xxh3_file(path);
    if (!checksum) {
      error("unreadable", file.path, checksum.error().message);
      return {};
    }
    if (*checksum != file.checksum) {
      error("wrong_checksum", file.path,
            *checksum + ", expected " + file.checksum + "; restore it, or load its source again");
      return {};
    }
    if (!connection_) connection_ = TILLCAST_TRY_PLAIN(lake_.connect());
    const auto footer = connection_->query("SELECT num_rows FROM parquet_file_metadata(" +
                                           database::sql_quote(path.string()) + ")");
    if (!footer) {
      error("unreadable", file.path, footer.error().message);
    } else if (footer->integer(0, 0) != file.rows) {
      error("wrong_rows", file.path, footer->text(0, 0) + " rows, expected " + std::to_string(file.rows));
    }
    return {};
  }

  void check_totals() {
    LoadTotals sum;
    for (const LoadRecord& load : replayed_.loads) {
      if (load.totals.rows_in != load.totals.silver + load.totals.rejected + load.totals.duplicates) {
        error("totals", load.file, "commit " + std::to_string(load.seq) + " does not reconcile");
      }
      sum.silver += load.totals.silver;
      sum.rejected += load.totals.rejected + load.totals.duplicates;
    }
    std::int64_t silver = 0;
    for (const auto& [dataset, files] : replayed_.files) {
      if (dataset.starts_with("silver.") && dataset != "silver.rejects") silver += replayed_.rows(dataset);
    }
    if (silver != sum.silver) {
      error("totals", "silver",
            std::to_string(silver) + " rows in files, " + std::to_string(sum.silver) + " by the loads");
    }
    if (replayed_.rows("silver.rejects") != sum.rejected) {
      error("totals", "silver.rejects",
            std::to_string(replayed_.rows("silver.rejects")) + " rows in files, " +
                std::to_string(sum.rejected) + " by the loads");
    }
  }

  Result<> check_orphans() {
    for (const char* const folder : {"bronze/", "silver/", "tmp/"}) {
      const auto objects = TILLCAST_TRY_PLAIN(lake_.store.list(folder));
      for (const ObjectInfo& object : objects) {
        if (named_.contains(object.key)) continue;
        const bool replaced = replayed_.removed.contains(object.key);
        findings_.push_back({Finding::Severity::kRemark, "orphan", object.key,
                             replaced ? "replaced or taken out, deleted after the grace time"
                                      : "left by a load that did not finish; no reader sees it"});
      }
    }
    return {};
  }

  Lake::State& lake_;
  Progress& progress_;
  Snapshot replayed_;
  std::set<std::string> named_;
  std::vector<Finding> findings_;
  std::optional<database::Connection> connection_;
  std::uint64_t bytes_done_ = 0;
  std::uint64_t bytes_total_ = 0;
};

}  // namespace

Result<std::vector<Finding>> Lake::verify(Progress& progress) const { return Check(*state_, progress).run(); }

}  // namespace tillcast::lake
