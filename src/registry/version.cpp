#include "registry/version.h"

#include <cmath>

#include "io/json_record.h"

namespace tillcast::registry {
namespace {

void write_columns(io::JsonOut& out, const char* name, const std::vector<SignatureColumn>& columns) {
  out.Key(name);
  out.StartArray();
  for (const auto& column : columns) {
    out.StartObject();
    io::write_text(out, "name", column.name);
    io::write_text(out, "type", column.type);
    out.EndObject();
  }
  out.EndArray();
}

std::vector<SignatureColumn> read_columns(io::JsonIn& in, const io::Json& object, const char* name) {
  std::vector<SignatureColumn> columns;
  if (const io::Json* const list = in.array(object, name)) {
    for (const io::Json& item : list->GetArray())
      columns.push_back({in.text(item, "name"), in.text(item, "type")});
  }
  return columns;
}

}  // namespace

std::string format_version(const VersionInfo& info) {
  rapidjson::StringBuffer buffer;
  io::JsonOut out(buffer);
  out.StartObject();
  io::write_number(out, "format", kModelFormat);
  io::write_text(out, "plan", info.plan);
  io::write_number(out, "version", info.number);
  io::write_text(out, "created_at", info.created_at);
  io::write_text(out, "fit_id", info.fit_id);
  io::write_text(out, "definition_id", info.definition_id);
  io::write_text(out, "data_hash", info.data_hash);
  io::write_text(out, "data_from", info.data_from);
  io::write_text(out, "data_until", info.data_until);
  io::write_number(out, "series", info.series);
  io::write_number(out, "periods", info.periods);
  out.Key("settings");
  out.StartObject();
  for (const auto& [name, value] : info.settings) io::write_text(out, name, value);
  out.EndObject();
  out.Key("metrics");
  out.StartObject();
  for (const auto& [name, value] : info.metrics) {
    if (!std::isfinite(value)) continue;
    out.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
    out.Double(value);
  }
  out.EndObject();
  write_columns(out, "inputs", info.inputs);
  write_columns(out, "outputs", info.outputs);
  io::write_text(out, "verdict", info.verdict);
  io::write_text(out, "verdict_reason", info.verdict_reason);
  io::write_text(out, "tool_version", info.tool_version);
  io::write_text(out, "code_revision", info.code_revision);
  io::write_number(out, "parent", info.parent);
  out.Key("files");
  out.StartArray();
  for (const auto& file : info.files) {
    out.StartObject();
    io::write_text(out, "name", file.name);
    io::write_number(out, "bytes", file.bytes);
    io::write_text(out, "sha256", file.sha256);
    out.EndObject();
  }
  out.EndArray();
  return io::finish_checked(out, buffer);
}

Result<VersionInfo> parse_version(std::string_view json, std::string_view name) {
  io::JsonIn in(json, name, {.format_known = kModelFormat});
  if (!in.ok()) return in.take_error();
  const io::Json& root = in.root();
  VersionInfo info;
  info.plan = in.text(root, "plan");
  info.number = static_cast<int>(in.number(root, "version"));
  info.created_at = in.text(root, "created_at");
  info.fit_id = in.text(root, "fit_id");
  info.definition_id = in.text(root, "definition_id");
  info.data_hash = in.text(root, "data_hash");
  info.data_from = in.text(root, "data_from");
  info.data_until = in.text(root, "data_until");
  info.series = in.number(root, "series");
  info.periods = in.number(root, "periods");
  if (const io::Json* const settings = in.object(root, "settings")) {
    for (const auto& member : settings->GetObject())
      info.settings[member.name.GetString()] = in.text(*settings, member.name.GetString());
  }
  if (const io::Json* const metrics = in.object(root, "metrics")) {
    for (const auto& member : metrics->GetObject())
      info.metrics[member.name.GetString()] = in.decimal(member.value);
  }
  info.inputs = read_columns(in, root, "inputs");
  info.outputs = read_columns(in, root, "outputs");
  info.verdict = in.text(root, "verdict");
  info.verdict_reason = in.text(root, "verdict_reason");
  info.tool_version = in.text(root, "tool_version");
  info.code_revision = in.text(root, "code_revision");
  info.parent = static_cast<int>(in.number(root, "parent"));
  if (const io::Json* const files = in.array(root, "files")) {
    for (const io::Json& file : files->GetArray())
      info.files.push_back({in.text(file, "name"), in.number(file, "bytes"), in.text(file, "sha256")});
  }
  if (!in.ok()) return in.take_error();
  return info;
}

}  // namespace tillcast::registry
