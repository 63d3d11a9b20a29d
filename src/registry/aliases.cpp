#include "registry/aliases.h"

#include <algorithm>

#include "io/json_record.h"
#include "registry/version.h"

namespace tillcast::registry {

int Aliases::before_champion() const {
  const auto first = std::ranges::find_if(changes, [this](const AliasChange& change) {
    return change.alias == "champion" && change.to == champion;
  });
  return champion == 0 || first == changes.end() ? 0 : first->from;
}

std::string format_aliases(const Aliases& aliases) {
  rapidjson::StringBuffer buffer;
  io::JsonOut out(buffer);
  out.StartObject();
  io::write_number(out, "format", kModelFormat);
  io::write_number(out, "champion", aliases.champion);
  io::write_number(out, "challenger", aliases.challenger);
  out.Key("changes");
  out.StartArray();
  for (const auto& change : aliases.changes) {
    out.StartObject();
    io::write_text(out, "at", change.at);
    io::write_text(out, "alias", change.alias);
    io::write_number(out, "from", change.from);
    io::write_number(out, "to", change.to);
    io::write_text(out, "by", change.by);
    io::write_text(out, "reason", change.reason);
    io::write_flag(out, "forced", change.forced);
    out.EndObject();
  }
  out.EndArray();
  return io::finish_checked(out, buffer);
}

Result<Aliases> parse_aliases(std::string_view json, std::string_view name) {
  io::JsonIn in(json, name, {.format_known = kModelFormat});
  if (!in.ok()) return in.take_error();
  Aliases aliases;
  aliases.champion = static_cast<int>(in.number(in.root(), "champion"));
  aliases.challenger = static_cast<int>(in.number(in.root(), "challenger"));
  if (const io::Json* const changes = in.array(in.root(), "changes")) {
    for (const io::Json& item : changes->GetArray()) {
      aliases.changes.push_back({in.text(item, "at"), in.text(item, "alias"),
                                 static_cast<int>(in.number(item, "from")),
                                 static_cast<int>(in.number(item, "to")), in.text(item, "by"),
                                 in.text(item, "reason"), in.flag(item, "forced")});
    }
  }
  if (!in.ok()) return in.take_error();
  return aliases;
}

}  // namespace tillcast::registry
