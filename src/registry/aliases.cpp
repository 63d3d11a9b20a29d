#include "registry/aliases.h"

#include <algorithm>

#include "registry/json_internal.h"
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
  JsonOut out(buffer);
  out.StartObject();
  write_number(out, "format", kModelFormat);
  write_number(out, "champion", aliases.champion);
  write_number(out, "challenger", aliases.challenger);
  out.Key("changes");
  out.StartArray();
  for (const auto& change : aliases.changes) {
    out.StartObject();
    write_text(out, "at", change.at);
    write_text(out, "alias", change.alias);
    write_number(out, "from", change.from);
    write_number(out, "to", change.to);
    write_text(out, "by", change.by);
    write_text(out, "reason", change.reason);
    out.Key("forced");
    out.Bool(change.forced);
    out.EndObject();
  }
  out.EndArray();
  return finish_checked(out, buffer);
}

Result<Aliases> parse_aliases(std::string_view json, std::string_view name) {
  JsonIn in(json, name, kModelFormat);
  if (!in.ok()) return in.take_error();
  Aliases aliases;
  aliases.champion = static_cast<int>(in.number(in.root(), "champion"));
  aliases.challenger = static_cast<int>(in.number(in.root(), "challenger"));
  if (const Json* const changes = in.array(in.root(), "changes")) {
    for (const Json& item : changes->GetArray()) {
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
