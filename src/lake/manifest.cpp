#include "lake/manifest.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "core/crash_point.h"

namespace tillcast::lake {
namespace {

constexpr const char* kEntryFolder = "manifest/";
constexpr const char* kCheckpointFolder = "checkpoints/";
constexpr std::size_t kSeqDigits = 20;
constexpr std::int64_t kRememberRemovedMicros = 7 * kMicrosPerDay;

std::string numbered(const char* folder, std::int64_t seq) {
  const std::string digits = std::to_string(seq);
  return folder + std::string(kSeqDigits - digits.size(), '0') + digits + ".json";
}

// The number in "manifest/00000000000000000007.json", or nullopt for any other file that lies there.
std::optional<std::int64_t> number_of(std::string_view key, std::string_view folder) {
  if (key.size() != folder.size() + kSeqDigits + 5 || !key.ends_with(".json")) return std::nullopt;
  const char* const begin = key.data() + folder.size();
  std::int64_t seq = 0;
  if (std::from_chars(begin, begin + kSeqDigits, seq).ptr != begin + kSeqDigits) return std::nullopt;
  return seq;
}

std::string commit_name(std::int64_t seq) { return "commit " + std::to_string(seq); }

Result<> check_entry(const Snapshot& snapshot, const ManifestEntry& entry) {
  if (entry.seq != snapshot.seq + 1) {
    return conflict(commit_name(entry.seq) + " cannot follow " + commit_name(snapshot.seq));
  }
  if (entry.kind == EntryKind::kLoad && !entry.key.empty()) {
    if (const LoadRecord* const before = snapshot.find_load(entry.key)) {
      return conflict(entry.file + " is loaded already, as " + commit_name(before->seq) + " (" +
                      before->file + ")");
    }
  }
  if (entry.kind == EntryKind::kDrop && snapshot.find_load(entry.key) == nullptr)
    return conflict(commit_name(entry.seq) + " takes out " + entry.file + ", which is not loaded");
  for (const OffsetRange& range : entry.offsets) {
    const auto next = snapshot.offsets.find(offset_key(range));
    if (range.start < 0 || range.end < range.start ||
        (next != snapshot.offsets.end() && range.start < next->second)) {
      return conflict(commit_name(entry.seq) + ": offsets " + std::to_string(range.start) + ".." +
                      std::to_string(range.end) + " of " + offset_key(range) +
                      " overlap what is committed up to " +
                      std::to_string(next == snapshot.offsets.end() ? 0 : next->second));
    }
  }
  return {};
}

}  // namespace

std::string offset_key(const OffsetRange& range) {
  return range.topic + "/" + std::to_string(range.partition);
}

const std::vector<DataFile>& Snapshot::dataset(std::string_view name) const {
  static const std::vector<DataFile> kNone;
  const auto at = files.find(std::string(name));
  return at == files.end() ? kNone : at->second;
}

const LoadRecord* Snapshot::find_load(std::string_view key) const {
  if (key.empty()) return nullptr;
  const auto at = std::ranges::find(loads, key, &LoadRecord::key);
  return at == loads.end() ? nullptr : &*at;
}

std::int64_t Snapshot::rows(std::string_view name) const {
  std::int64_t total = 0;
  for (const DataFile& file : dataset(name)) total += file.rows;
  return total;
}

Result<> apply_entry(Snapshot& snapshot, const ManifestEntry& entry) {
  TILLCAST_TRY_PLAIN(check_entry(snapshot, entry));
  std::set<std::string_view> removes(entry.removes.begin(), entry.removes.end());
  std::map<std::string, std::int64_t> rows_changed;  // by dataset; a replace must end at zero
  std::size_t found = 0;
  std::set<std::string_view> visible;
  for (const auto& [dataset, list] : snapshot.files) {
    for (const DataFile& file : list) {
      visible.insert(file.path);
      if (!removes.contains(file.path)) continue;
      ++found;
      rows_changed[dataset] -= file.rows;
    }
  }
  if (found != removes.size()) {
    return conflict(commit_name(entry.seq) +
                    " takes away a file that is not visible: another commit replaced it first");
  }
  for (const DataFile& file : entry.files) {
    if (!visible.insert(file.path).second)
      return conflict(commit_name(entry.seq) + " names " + file.path + ", which is visible already");
    rows_changed[file.dataset] += file.rows;
  }
  if (entry.kind == EntryKind::kReplace) {
    for (const auto& [dataset, rows] : rows_changed) {
      if (rows != 0)
        return conflict(commit_name(entry.seq) + " would change the rows of " + dataset + " by " +
                        std::to_string(rows));
    }
  }
  visible.clear();  // its views die with the files below

  // Nothing fails from here on: a refused entry has left the snapshot as it was.
  if (!removes.empty()) {
    for (auto& [dataset, list] : snapshot.files) {
      std::erase_if(list, [&](const DataFile& file) { return removes.contains(file.path); });
    }
    for (const std::string& path : entry.removes) snapshot.removed[path] = entry.created_at;
  }
  for (const DataFile& file : entry.files) snapshot.files[file.dataset].push_back(file);
  if (entry.kind == EntryKind::kDrop) {
    std::erase_if(snapshot.loads, [&](const LoadRecord& load) { return load.key == entry.key; });
    snapshot.last_drop = entry.seq;
  }
  if (entry.kind == EntryKind::kLoad) {
    snapshot.loads.push_back(
        {entry.seq, entry.key, entry.file, entry.source, entry.topic, entry.totals, entry.created_at});
  }
  for (const OffsetRange& range : entry.offsets) snapshot.offsets[offset_key(range)] = range.end;
  snapshot.seq = entry.seq;
  return {};
}

std::string Manifest::entry_key(std::int64_t seq) { return numbered(kEntryFolder, seq); }
std::string Manifest::checkpoint_key(std::int64_t seq) { return numbered(kCheckpointFolder, seq); }

Result<Snapshot> Manifest::read() const {
  const auto entries = TILLCAST_TRY_PLAIN(store_->list(kEntryFolder));
  const auto checkpoints = TILLCAST_TRY_PLAIN(store_->list(kCheckpointFolder));
  Snapshot snapshot;
  // Checkpoints only save time. One that is damaged is passed over; the entries are all still there.
  for (auto at = checkpoints.rbegin(); at != checkpoints.rend(); ++at) {
    if (!number_of(at->key, kCheckpointFolder)) continue;
    const std::string json = TILLCAST_TRY_PLAIN(store_->get(at->key));
    auto parsed = parse_checkpoint(json, at->key);
    if (!parsed && parsed.error().code == ErrorCode::kCorruptData) continue;
    snapshot = TILLCAST_TRY_PLAIN(std::move(parsed));
    break;
  }
  for (const ObjectInfo& object : entries) {
    const auto seq = number_of(object.key, kEntryFolder);
    if (!seq || *seq <= snapshot.seq) continue;
    if (*seq != snapshot.seq + 1) {
      return corrupt_data("the manifest has a gap: " + entry_key(snapshot.seq + 1) + " is missing, but " +
                          object.key + " exists; restore it from a copy");
    }
    const std::string json = TILLCAST_TRY_PLAIN(store_->get(object.key));
    const ManifestEntry entry = TILLCAST_TRY_PLAIN(parse_entry(json, object.key));
    if (entry.seq != *seq)
      return corrupt_data(object.key + " is damaged: it holds commit " + std::to_string(entry.seq));
    if (auto applied = apply_entry(snapshot, entry); !applied)
      return corrupt_data(object.key + " does not fit: " + applied.error().message);
  }
  return snapshot;
}

Result<> Manifest::refresh(Snapshot& snapshot) const {
  for (;;) {
    const std::string key = entry_key(snapshot.seq + 1);
    auto json = store_->get(key);
    if (!json) {
      if (json.error().code == ErrorCode::kNotFound) return {};
      return std::move(json.error());
    }
    const ManifestEntry entry = TILLCAST_TRY_PLAIN(parse_entry(*json, key));
    if (auto applied = apply_entry(snapshot, entry); !applied)
      return corrupt_data(key + " does not fit: " + applied.error().message);
  }
}

Result<> Manifest::commit(const ManifestEntry& entry) const {
  const std::string key = entry_key(entry.seq);
  const std::string json = format_entry(entry);
  auto created = store_->put_exclusive(key, json);
  if (created || created.error().code == ErrorCode::kConflict) return created;
  // The flush of the directory may have failed after the entry appeared: then it is visible and must not be
  // undone.
  const auto there = store_->get(key);
  if (there && *there == json) {
    return Error{ErrorCode::kCorruptData,
                 "commit " + std::to_string(entry.seq) +
                     " was written but perhaps not stored safely: " + created.error().message};
  }
  return created;
}

Result<> Manifest::write_checkpoint(const Snapshot& snapshot) const {
  Snapshot kept = snapshot;
  Timestamp newest;
  for (const auto& [path, when] : kept.removed) newest = std::max(newest, when);
  std::erase_if(kept.removed, [&](const auto& item) {
    return item.second.micros + kRememberRemovedMicros < newest.micros;
  });
  crash_point("lake.checkpoint.before_write");
  auto written = store_->put_exclusive(checkpoint_key(snapshot.seq), format_checkpoint(kept));
  crash_point("lake.checkpoint.after_write");
  if (!written && written.error().code == ErrorCode::kConflict)
    return {};  // somebody else folded the same commits
  return written;
}

Result<std::vector<ManifestEntry>> Manifest::entries() const {
  std::vector<ManifestEntry> all;
  const auto objects = TILLCAST_TRY_PLAIN(store_->list(kEntryFolder));
  for (const ObjectInfo& object : objects) {
    if (!number_of(object.key, kEntryFolder)) continue;
    const std::string json = TILLCAST_TRY_PLAIN(store_->get(object.key));
    all.push_back(TILLCAST_TRY_PLAIN(parse_entry(json, object.key)));
  }
  return all;
}

}  // namespace tillcast::lake
