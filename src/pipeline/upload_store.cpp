#include "pipeline/upload_store.h"

#include <algorithm>

#include "core/crash_point.h"
#include "core/text.h"
#include "io/json_record.h"
#include "retail/record_converter.h"
#include "sources/record_reader.h"

namespace tillcast::pipeline {
namespace {

constexpr std::uint64_t kRecordBytesMax = 64 << 10;
constexpr std::uint64_t kBytesReserved = 16 << 20;  // for the lake and the jobs beside the uploads
constexpr std::uint64_t kBytesBetweenLooks = 4 << 20;
constexpr std::size_t kLabelBytesMax = 200;
constexpr int kUploadFormat = 1;

bool is_sha256(std::string_view text) {
  return text.size() == 64 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string to_json(const Upload& upload) {
  rapidjson::StringBuffer buffer;
  io::JsonOut out(buffer);
  out.StartObject();
  io::write_number(out, "format_version", kUploadFormat);
  io::write_text(out, "id", upload.id);
  io::write_text(out, "name", upload.name);
  io::write_text(out, "format", upload.format);
  io::write_text(out, "mapping", upload.mapping);
  io::write_number(out, "bytes", upload.bytes);
  io::write_number(out, "received_micros", upload.received_at.micros);
  io::write_text(out, "job_id", upload.job_id);
  io::write_number(out, "jobs", upload.jobs);
  out.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

Result<Upload> from_json(const std::string& text, const std::string& origin) {
  io::JsonIn in(text, origin,
                {.format_known = kUploadFormat, .format_name = "format_version", .checked = false});
  if (!in.ok()) return in.take_error();
  const io::Json& root = in.root();
  Upload upload{in.text(root, "id"),      in.text(root, "name"),
                in.text(root, "format"),  in.text(root, "mapping"),
                in.number(root, "bytes"), {in.number(root, "received_micros")},
                in.text(root, "job_id"),  static_cast<int>(in.number(root, "jobs"))};
  if (!is_sha256(upload.id)) in.fault("its id is no SHA-256");
  if (upload.format != "csv" && upload.format != "xlsx") in.fault("its file is neither csv nor xlsx");
  if (!in.ok()) return in.take_error();
  return upload;
}

// The client sees its own name for the file, not ours.
Error renamed(Error error, const std::filesystem::path& path, const std::string& label) {
  const std::string ours = path.string();
  for (std::size_t at = 0; (at = error.message.find(ours, at)) != std::string::npos; at += label.size())
    error.message.replace(at, ours.size(), label);
  return error;
}

struct Checked {
  std::string format;
  std::string mapping;
};

// Reads the header and the first batch of rows, as loading will.
Result<Checked> check_file(const std::filesystem::path& path, const std::string& wanted) {
  const auto reader = TILLCAST_TRY_PLAIN(sources::open_record_reader(path));
  const auto mapping =
      wanted.empty() ? TILLCAST_TRY_PLAIN(retail::pick_mapping(retail::preset_mappings(), reader->header()))
                     : TILLCAST_TRY_PLAIN(retail::preset_mapping(wanted));
  auto converter = TILLCAST_TRY_PLAIN(retail::RecordConverter::create(mapping, reader->header()));
  retail::RecordBatch records;
  std::string example;
  while (TILLCAST_TRY_PLAIN(reader->next(records))) {
    retail::ConvertedBatch batch;
    if (auto converted = converter.convert(std::move(records), batch); !converted)
      return std::move(converted.error());
    const ColumnBatch& rejects = batch.rejects;
    if (example.empty() && rejects.rows > 0) {
      const auto cell = [&rejects](const char* name) -> const Column& {
        return rejects.columns[static_cast<std::size_t>(rejects.find(name))];
      };
      example = "row " + std::to_string(cell("source_row").ints[0]) + ": ";
      if (!cell("column_name").is_null(0)) example += std::string(cell("column_name").text[0]) + ": ";
      example += std::string(cell("message").text[0]);
    }
    if (converter.totals().rows_in > 0) break;
  }
  const auto& totals = converter.totals();
  if (totals.rows_in == 0) return invalid_input("the file has a header and no rows");
  if (totals.typed == 0)
    return invalid_input("none of the first " + std::to_string(totals.rows_in) + " rows can be read as " +
                         mapping.name + ", e.g. " + example);
  return Checked{reader->description().starts_with("xlsx") ? "xlsx" : "csv", mapping.name};
}

}  // namespace

std::string file_label(std::string_view name) {
  if (const auto slash = name.find_last_of("/\\"); slash != std::string_view::npos)
    name.remove_prefix(slash + 1);
  std::string label = repaired_utf8(name);
  for (char& c : label)
    if (const auto byte = static_cast<unsigned char>(c); byte < 0x20 || byte == 0x7f) c = '_';
  if (label.size() > kLabelBytesMax) {
    std::size_t end = kLabelBytesMax;
    while (end > 0 && (static_cast<unsigned char>(label[end]) & 0xC0) == 0x80) --end;  // whole characters
    label.resize(end);
  }
  return label.empty() || label == "." || label == ".." ? "upload" : label;
}

Result<> IncomingUpload::write(std::string_view bytes) {
  // Filling the disk to the last byte would stop the lake and the jobs as well.
  if (file_->size() >= next_look_) {
    next_look_ = file_->size() + kBytesBetweenLooks;
    const auto available = TILLCAST_TRY_PLAIN(io::free_bytes(path_));
    if (available < kBytesReserved)
      return disk_full("the disk is full: " + std::to_string(available) +
                       " bytes are left; free some space and send the upload again");
  }
  if (auto appended = file_->append(bytes); !appended)
    return renamed(std::move(appended.error()), path_, "the upload");
  hash_.add(bytes);
  return {};
}

Result<std::unique_ptr<UploadStore>> UploadStore::open(const std::filesystem::path& data_directory,
                                                       const Clock& clock) {
  std::unique_ptr<UploadStore> store(new UploadStore(data_directory / "uploads", clock));
  const auto incoming = store->folder_ / "incoming";
  std::error_code ignored;
  std::filesystem::remove_all(incoming, ignored);
  if (auto made = io::make_directories(incoming); !made) return std::move(made.error());
  std::vector<std::filesystem::path> data_files;
  std::error_code listed;
  for (const auto& entry : std::filesystem::directory_iterator(store->folder_, listed)) {
    const auto extension = entry.path().extension();
    const bool ours = is_sha256(entry.path().stem().string());
    if (ours && extension == ".json") {
      const auto text = TILLCAST_TRY_PLAIN(io::read_file(entry.path(), kRecordBytesMax));
      auto upload = TILLCAST_TRY_PLAIN(from_json(text, entry.path().string()));
      std::string id = upload.id;
      store->uploads_.emplace(std::move(id), std::move(upload));
    } else if (ours || entry.path().filename().string().starts_with('.')) {
      data_files.push_back(entry.path());
    }
  }
  if (listed) return io_error("cannot list " + store->folder_.string() + ": " + listed.message());
  for (const auto& file : data_files) {
    if (!store->uploads_.contains(file.stem().string())) std::filesystem::remove(file, ignored);
  }
  return store;
}

Result<> UploadStore::write(const Upload& upload) const {
  return io::write_file_atomically(folder_ / (upload.id + ".json"), to_json(upload));
}

Result<std::unique_ptr<IncomingUpload>> UploadStore::begin(std::optional<std::uint64_t> bytes_expected) {
  if (bytes_expected) {
    const auto available = TILLCAST_TRY_PLAIN(io::free_bytes(folder_));
    if (*bytes_expected + kBytesReserved > available)
      return disk_full("the upload has " + std::to_string(*bytes_expected) + " bytes, and the disk has " +
                       std::to_string(available) + " left; free some space and send it again");
  }
  if (open_->fetch_add(1) >= kIncomingMax) {
    --*open_;
    return unavailable(std::to_string(kIncomingMax) + " files are being received; try again in a moment");
  }
  const auto path = folder_ / "incoming" / (std::to_string(next_incoming_++) + ".part");
  auto file = io::GrowingFile::create(path);
  if (!file) {
    --*open_;
    return renamed(std::move(file.error()), path, "the upload");
  }
  return std::unique_ptr<IncomingUpload>(new IncomingUpload(std::move(*file), path, open_));
}

Result<UploadStore::Accepted> UploadStore::accept(std::unique_ptr<IncomingUpload> incoming,
                                                  const std::string& name, const std::string& mapping) {
  const std::string label = file_label(name);
  Upload upload;
  upload.id = incoming->hash_.hex();
  upload.bytes = static_cast<std::int64_t>(incoming->file_->size());
  if (const auto known = find(upload.id)) return Accepted{*known, true};
  if (auto flushed = incoming->file_->flush(); !flushed)
    return renamed(std::move(flushed.error()), incoming->path_, label);
  auto checked = check_file(incoming->path_, mapping);
  if (!checked) return renamed(std::move(checked.error()), incoming->path_, label);
  upload.name = label;
  upload.format = checked->format;
  upload.mapping = checked->mapping;
  upload.received_at = clock_.now();
  crash_point("uploads.received");

  const std::lock_guard lock(mutex_);
  if (const auto known = uploads_.find(upload.id); known != uploads_.end())
    return Accepted{known->second, true};
  if (auto moved = io::rename_file(incoming->path_, path_of(upload)); !moved)
    return renamed(std::move(moved.error()), incoming->path_, label);
  incoming->file_->keep();
  auto written = io::sync_directory(folder_);
  crash_point("uploads.stored");
  if (written) written = write(upload);
  if (!written) {
    remove_files(upload);
    return renamed(std::move(written.error()), path_of(upload), label);
  }
  crash_point("uploads.recorded");
  uploads_.emplace(upload.id, upload);
  return Accepted{upload, false};
}

Result<> UploadStore::set_name(const std::string& id, const std::string& name) {
  return change(id, [&name](Upload& upload) { upload.name = file_label(name); });
}

Result<> UploadStore::set_job(const std::string& id, const std::string& job_id, int jobs) {
  return change(id, [&](Upload& upload) {
    upload.job_id = job_id;
    upload.jobs = jobs;
  });
}

Result<> UploadStore::change(const std::string& id, const std::function<void(Upload&)>& how) {
  const std::lock_guard lock(mutex_);
  const auto at = uploads_.find(id);
  if (at == uploads_.end()) return not_found("there is no upload '" + id.substr(0, 80) + "'");
  how(at->second);
  return write(at->second);
}

// The record first: a file without one is removed at the next start.
void UploadStore::remove_files(const Upload& upload) const {
  std::error_code ignored;
  std::filesystem::remove(folder_ / (upload.id + ".json"), ignored);
  std::filesystem::remove(path_of(upload), ignored);
}

void UploadStore::forget(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto at = uploads_.find(id);
  if (at == uploads_.end()) return;
  remove_files(at->second);
  uploads_.erase(at);
}

std::optional<Upload> UploadStore::find(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto at = uploads_.find(id);
  return at == uploads_.end() ? std::nullopt : std::optional(at->second);
}

std::vector<Upload> UploadStore::all() const {
  std::vector<Upload> uploads;
  const std::lock_guard lock(mutex_);
  uploads.reserve(uploads_.size());
  for (const auto& [id, upload] : uploads_) uploads.push_back(upload);
  std::ranges::sort(uploads, [](const Upload& a, const Upload& b) {
    return std::pair(b.received_at, b.id) < std::pair(a.received_at, a.id);
  });
  return uploads;
}

Result<std::pair<std::vector<Upload>, std::string>> UploadStore::page(const std::string& cursor,
                                                                      std::size_t limit) const {
  std::vector<Upload> uploads = all();
  auto from = uploads.begin();
  if (!cursor.empty()) {
    from = std::ranges::find(uploads, cursor, &Upload::id);
    if (from == uploads.end())
      return invalid_input("cursor must be the next_cursor of an earlier page, found '" +
                           cursor.substr(0, 80) + "'");
  }
  uploads.erase(uploads.begin(), from);
  std::string next;
  if (uploads.size() > limit) {
    next = uploads[limit].id;
    uploads.resize(limit);
  }
  return std::pair(std::move(uploads), std::move(next));
}

std::filesystem::path UploadStore::path_of(const Upload& upload) const {
  return folder_ / (upload.id + "." + upload.format);
}

}  // namespace tillcast::pipeline
