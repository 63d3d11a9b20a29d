#include "registry/version.h"

#include <cmath>

#include "registry/json_internal.h"

namespace tillcast::registry {
namespace {

void write_columns(JsonOut& out, const char* name, const std::vector<SignatureColumn>& columns) {
  out.Key(name);
  out.StartArray();
  for (const auto& column : columns) {
    out.StartObject();
    write_text(out, "name", column.name);
    write_text(out, "type", column.type);
    out.EndObject();
  }
  out.EndArray();
}

std::vector<SignatureColumn> read_columns(JsonIn& in, const Json& object, const char* name) {
  std::vector<SignatureColumn> columns;
  if (const Json* const list = in.array(object, name)) {
    for (const Json& item : list->GetArray())
      columns.push_back({in.text(item, "name"), in.text(item, "type")});
  }
  return columns;
}

}  // namespace

std::string format_version(const VersionInfo& info) {
  rapidjson::StringBuffer buffer;
  JsonOut out(buffer);
  out.StartObject();
  write_number(out, "format", kModelFormat);
  write_text(out, "plan", info.plan);
  write_number(out, "version", info.number);
  write_text(out, "created_at", info.created_at);
  write_text(out, "fit_id", info.fit_id);
  write_text(out, "definition_id", info.definition_id);
  write_text(out, "data_hash", info.data_hash);
  write_text(out, "data_from", info.data_from);
  write_text(out, "data_until", info.data_until);
  write_number(out, "series", info.series);
  write_number(out, "periods", info.periods);
  out.Key("settings");
  out.StartObject();
  for (const auto& [name, value] : info.settings) write_text(out, name, value);
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
  write_text(out, "verdict", info.verdict);
  write_text(out, "verdict_reason", info.verdict_reason);
  write_text(out, "tool_version", info.tool_version);
  write_text(out, "code_revision", info.code_revision);
  write_number(out, "parent", info.parent);
  out.Key("files");
  out.StartArray();
  for (const auto& file : info.files) {
    out.StartObject();
    write_text(out, "name", file.name);
    write_number(out, "bytes", file.bytes);
    write_text(out, "sha256", file.sha256);
    out.EndObject();
  }
  out.EndArray();
  return finish_checked(out, buffer);
}

Result<VersionInfo> parse_version(std::string_view json, std::string_view name) {
  JsonIn in(json, name, kModelFormat);
  if (!in.ok()) return in.take_error();
  const Json& root = in.root();
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
  if (const Json* const settings = in.object(root, "settings")) {
    for (const auto& member : settings->GetObject())
      info.settings[member.name.GetString()] = in.text(*settings, member.name.GetString());
  }
  if (const Json* const metrics = in.object(root, "metrics")) {
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
  if (const Json* const files = in.array(root, "files")) {
    for (const Json& file : files->GetArray())
      info.files.push_back({in.text(file, "name"), in.number(file, "bytes"), in.text(file, "sha256")});
  }
  if (!in.ok()) return in.take_error();
  return info;
}

}  // namespace tillcast::registry
