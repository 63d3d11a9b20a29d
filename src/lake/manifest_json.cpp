// JSON of manifest entries and checkpoints; docs/formats/manifest.md is the format.
#include <algorithm>
#include <charconv>

#include "io/json_record.h"
#include "lake/manifest.h"

namespace tillcast::lake {
namespace {

using Writer = io::JsonOut;
using io::Json;
using Schema = std::vector<ColumnSpec>;

constexpr ColumnType kTypes[] = {ColumnType::kText,      ColumnType::kBool,     ColumnType::kInt32,
                                 ColumnType::kInt64,     ColumnType::kDouble,   ColumnType::kDate,
                                 ColumnType::kTimestamp, ColumnType::kDecimal3, ColumnType::kDecimal4};

std::string_view kind_name(EntryKind kind) {
  switch (kind) {
    case EntryKind::kLoad:
      return "load";
    case EntryKind::kReplace:
      return "replace";
    case EntryKind::kDrop:
      return "drop";
  }
  return "";
}

// --- writing ---

void write(Writer& writer, const char* name, std::string_view text) { io::write_text(writer, name, text); }
void write(Writer& writer, const char* name, std::int64_t number) { io::write_number(writer, name, number); }

// Schemas are written once and named by index: most files of a load share one.
std::vector<const Schema*> write_schemas(Writer& writer, const std::vector<const DataFile*>& files) {
  std::vector<const Schema*> schemas;
  for (const DataFile* const file : files) {
    const auto same = [&](const Schema* other) {
      return other == file->schema.get() || *other == *file->schema;
    };
    if (std::ranges::none_of(schemas, same)) schemas.push_back(file->schema.get());
  }
  writer.Key("schemas");
  writer.StartArray();
  for (const Schema* const schema : schemas) {
    writer.StartArray();
    for (const ColumnSpec& column : *schema) {
      writer.StartArray();
      writer.String(column.name.data(), static_cast<rapidjson::SizeType>(column.name.size()));
      const std::string_view type = sql_name(column.type);
      writer.String(type.data(), static_cast<rapidjson::SizeType>(type.size()));
      writer.EndArray();
    }
    writer.EndArray();
  }
  writer.EndArray();
  return schemas;
}

void write_files(Writer& writer, const std::vector<const DataFile*>& files) {
  const auto schemas = write_schemas(writer, files);
  writer.Key("files");
  writer.StartArray();
  for (const DataFile* const file : files) {
    writer.StartObject();
    write(writer, "dataset", file->dataset);
    write(writer, "path", file->path);
    write(writer, "rows", file->rows);
    write(writer, "bytes", static_cast<std::int64_t>(file->bytes));
    write(writer, "month", file->month);
    if (file->date_min) write(writer, "date_min", format_date(*file->date_min));
    if (file->date_max) write(writer, "date_max", format_date(*file->date_max));
    write(writer, "checksum", file->checksum);
    const auto at =
        std::ranges::find_if(schemas, [&](const Schema* schema) { return *schema == *file->schema; });
    write(writer, "schema", at - schemas.begin());
    writer.EndObject();
  }
  writer.EndArray();
}

void write_totals(Writer& writer, const LoadTotals& totals) {
  writer.Key("rows");
  writer.StartObject();
  write(writer, "in", totals.rows_in);
  write(writer, "silver", totals.silver);
  write(writer, "rejected", totals.rejected);
  write(writer, "duplicates", totals.duplicates);
  writer.EndObject();
}

// --- reading ---

class Reader : public io::JsonIn {
 public:
  Reader(std::string_view json, std::string_view name)
      : JsonIn(json, name, {.format_known = kManifestFormat}) {}

  std::optional<Date> date(const Json& object, const char* name) {
    const std::string given = optional_text(object, name).value_or("");
    if (given.empty()) return std::nullopt;
    const auto parsed = parse_date(given);
    if (!parsed) fault(std::string("\"") + name + "\" is no date: " + given);
    return parsed;
  }
  Timestamp instant(const std::string& value) {
    // "2026-11-23T22:07:41.123456Z"
    const auto day = value.size() >= 20 && value.back() == 'Z'
                         ? parse_date(std::string_view(value).substr(0, 10))
                         : std::nullopt;
    int hour = 0;
    int minute = 0;
    int second = 0;
    int micros = 0;
    const auto part = [&](std::size_t at, std::size_t count, int& into) {
      const char* const begin = value.data() + at;
      return std::from_chars(begin, begin + count, into).ptr == begin + count;
    };
    if (!day || !part(11, 2, hour) || !part(14, 2, minute) || !part(17, 2, second)) {
      fault("no instant: " + value);
      return {};
    }
    if (value.size() > 20) {
      std::string fraction = value.substr(20, value.size() - 21);
      fraction.resize(6, '0');
      if (std::from_chars(fraction.data(), fraction.data() + 6, micros).ptr != fraction.data() + 6)
        fault("no instant: " + value);
    }
    return {day->days * kMicrosPerDay + ((hour * 60 + minute) * 60LL + second) * kMicrosPerSecond + micros};
  }
  LoadTotals totals(const Json& object) {
    LoadTotals totals;
    const Json* const rows = this->object(object, "rows");
    if (rows == nullptr) return totals;
    totals.rows_in = number(*rows, "in");
    totals.silver = number(*rows, "silver");
    totals.rejected = number(*rows, "rejected");
    totals.duplicates = number(*rows, "duplicates");
    return totals;
  }
  std::vector<DataFile> files(const Json& object) {
    std::vector<DataFile> files;
    const auto schemas = read_schemas(object);
    const Json* const list = array(object, "files");
    if (list == nullptr) return files;
    for (const Json& item : list->GetArray()) {
      DataFile file;
      file.dataset = text(item, "dataset");
      file.path = text(item, "path");
      file.rows = number(item, "rows");
      file.bytes = static_cast<std::uint64_t>(number(item, "bytes"));
      file.month = text(item, "month");
      file.date_min = date(item, "date_min");
      file.date_max = date(item, "date_max");
      file.checksum = text(item, "checksum");
      const auto schema = static_cast<std::size_t>(number(item, "schema"));
      if (!ok()) return files;
      if (schema >= schemas.size()) {
        fault("file " + file.path + " names schema " + std::to_string(schema) + " of " +
              std::to_string(schemas.size()));
        return files;
      }
      // A path that climbs out of the lake would make readers open and collectors delete foreign files.
      if (file.path.starts_with('/') || file.path.find("..") != std::string::npos)
        fault("the path " + file.path + " leaves the lake");
      file.schema = schemas[schema];
      files.push_back(std::move(file));
    }
    return files;
  }

 private:
  std::vector<std::shared_ptr<const Schema>> read_schemas(const Json& object) {
    std::vector<std::shared_ptr<const Schema>> schemas;
    const Json* const list = array(object, "schemas");
    if (list == nullptr) return schemas;
    for (const Json& item : list->GetArray()) {
      auto schema = std::make_shared<Schema>();
      if (!item.IsArray()) fault("a schema is no list");
      for (rapidjson::SizeType i = 0; item.IsArray() && i < item.Size(); ++i) {
        const Json& column = item[i];
        if (!column.IsArray() || column.Size() != 2 || !column[0].IsString() || !column[1].IsString()) {
          fault("a column is no pair of name and type");
          return schemas;
        }
        const std::string_view type(column[1].GetString(), column[1].GetStringLength());
        const auto* const known =
            std::ranges::find_if(kTypes, [&](ColumnType candidate) { return sql_name(candidate) == type; });
        if (known == std::end(kTypes)) {
          fault("unknown column type " + std::string(type));
          return schemas;
        }
        schema->push_back({std::string(column[0].GetString(), column[0].GetStringLength()), *known});
      }
      schemas.push_back(std::move(schema));
    }
    return schemas;
  }
};

}  // namespace

std::string format_entry(const ManifestEntry& entry) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  write(writer, "format", kManifestFormat);
  write(writer, "seq", entry.seq);
  write(writer, "kind", kind_name(entry.kind));
  write(writer, "key", entry.key);
  write(writer, "file", entry.file);
  write(writer, "source", entry.source);
  write(writer, "topic", entry.topic);
  write_totals(writer, entry.totals);
  writer.Key("offsets");
  writer.StartArray();
  for (const OffsetRange& range : entry.offsets) {
    writer.StartObject();
    write(writer, "topic", range.topic);
    write(writer, "partition", range.partition);
    write(writer, "start", range.start);
    write(writer, "end", range.end);
    writer.EndObject();
  }
  writer.EndArray();
  std::vector<const DataFile*> files;
  files.reserve(entry.files.size());
  for (const DataFile& file : entry.files) files.push_back(&file);
  write_files(writer, files);
  writer.Key("removes");
  writer.StartArray();
  for (const std::string& path : entry.removes)
    writer.String(path.data(), static_cast<rapidjson::SizeType>(path.size()));
  writer.EndArray();
  write(writer, "created_at", format_timestamp(entry.created_at));
  write(writer, "tool", entry.tool_version);
  return io::finish_checked(writer, buffer);
}

Result<ManifestEntry> parse_entry(std::string_view json, std::string_view name) {
  Reader reader(json, name);
  if (!reader.ok()) return reader.take_error();
  const Json& document = reader.root();
  ManifestEntry entry;
  entry.seq = reader.number(document, "seq");
  const std::string kind = reader.text(document, "kind");
  if (kind == "load")
    entry.kind = EntryKind::kLoad;
  else if (kind == "replace")
    entry.kind = EntryKind::kReplace;
  else if (kind == "drop")
    entry.kind = EntryKind::kDrop;
  else
    reader.fault("unknown kind " + kind);
  entry.key = reader.text(document, "key");
  entry.file = reader.text(document, "file");
  entry.source = reader.text(document, "source");
  entry.topic = reader.text(document, "topic");
  entry.totals = reader.totals(document);
  if (const Json* const offsets = reader.array(document, "offsets")) {
    for (const Json& item : offsets->GetArray()) {
      entry.offsets.push_back({reader.text(item, "topic"), static_cast<int>(reader.number(item, "partition")),
                               reader.number(item, "start"), reader.number(item, "end")});
    }
  }
  entry.files = reader.files(document);
  entry.removes = reader.texts(document, "removes");
  entry.created_at = reader.instant(reader.text(document, "created_at"));
  entry.tool_version = reader.text(document, "tool");
  if (!reader.ok()) return reader.take_error();
  return entry;
}

std::string format_checkpoint(const Snapshot& snapshot) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  write(writer, "format", kManifestFormat);
  write(writer, "seq", snapshot.seq);
  std::vector<const DataFile*> files;
  for (const auto& [dataset, list] : snapshot.files) {
    for (const DataFile& file : list) files.push_back(&file);
  }
  write_files(writer, files);
  writer.Key("loads");
  writer.StartArray();
  for (const LoadRecord& load : snapshot.loads) {
    writer.StartObject();
    write(writer, "seq", load.seq);
    write(writer, "key", load.key);
    write(writer, "file", load.file);
    write(writer, "source", load.source);
    write(writer, "topic", load.topic);
    write_totals(writer, load.totals);
    write(writer, "created_at", format_timestamp(load.created_at));
    writer.EndObject();
  }
  writer.EndArray();
  writer.Key("offsets");
  writer.StartObject();
  for (const auto& [partition, next] : snapshot.offsets) write(writer, partition.c_str(), next);
  writer.EndObject();
  writer.Key("removed");
  writer.StartObject();
  for (const auto& [path, when] : snapshot.removed) write(writer, path.c_str(), format_timestamp(when));
  writer.EndObject();
  write(writer, "last_drop", snapshot.last_drop);
  return io::finish_checked(writer, buffer);
}

Result<Snapshot> parse_checkpoint(std::string_view json, std::string_view name) {
  Reader reader(json, name);
  if (!reader.ok()) return reader.take_error();
  const Json& document = reader.root();
  Snapshot snapshot;
  snapshot.seq = reader.number(document, "seq");
  for (DataFile& file : reader.files(document)) snapshot.files[file.dataset].push_back(std::move(file));
  if (const Json* const loads = reader.array(document, "loads")) {
    for (const Json& item : loads->GetArray()) {
      snapshot.loads.push_back({reader.number(item, "seq"), reader.text(item, "key"),
                                reader.text(item, "file"), reader.text(item, "source"),
                                reader.text(item, "topic"), reader.totals(item),
                                reader.instant(reader.text(item, "created_at"))});
    }
  }
  if (const Json* const offsets = reader.object(document, "offsets")) {
    for (const auto& item : offsets->GetObject())
      snapshot.offsets[item.name.GetString()] = reader.number(*offsets, item.name.GetString());
  }
  if (const Json* const removed = reader.object(document, "removed")) {
    for (const auto& item : removed->GetObject())
      snapshot.removed[item.name.GetString()] = reader.instant(reader.text(*removed, item.name.GetString()));
  }
  snapshot.last_drop = reader.optional_number(document, "last_drop").value_or(0);
  if (!reader.ok()) return reader.take_error();
  return snapshot;
}

}  // namespace tillcast::lake
