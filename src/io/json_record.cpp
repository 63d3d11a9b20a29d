#include "io/json_record.h"

#include "io/file_hash.h"

namespace tillcast::io {
namespace {

constexpr std::string_view kCheckField = ",\"check\":\"";
constexpr std::size_t kCheckDigits = 16;

rapidjson::SizeType size_of(std::string_view text) { return static_cast<rapidjson::SizeType>(text.size()); }

}  // namespace

void write_text(JsonOut& out, std::string_view name, std::string_view text) {
  out.Key(name.data(), size_of(name));
  out.String(text.data(), size_of(text));
}

void write_number(JsonOut& out, std::string_view name, std::int64_t number) {
  out.Key(name.data(), size_of(name));
  out.Int64(number);
}

void write_flag(JsonOut& out, std::string_view name, bool flag) {
  out.Key(name.data(), size_of(name));
  out.Bool(flag);
}

std::string finish_checked(JsonOut& out, const rapidjson::StringBuffer& buffer) {
  out.EndObject();
  std::string text(buffer.GetString(), buffer.GetSize());
  text.pop_back();
  const std::string check = xxh3_text(text);
  text.append(kCheckField).append(check).append("\"}\n");
  return text;
}

JsonIn::JsonIn(std::string_view json, std::string_view name, const JsonRules& rules) : name_(name) {
  document_.Parse<rapidjson::kParseFullPrecisionFlag>(json.data(), json.size());
  if (document_.HasParseError() || !document_.IsObject()) {
    document_.SetObject();
    fault("it is no JSON object");
    return;
  }
  // The format comes first: a newer one may have moved everything else.
  const std::int64_t format = number(document_, rules.format_name);
  if (ok() && format > rules.format_known) {
    error_ = invalid_input(name_ + " has format " + std::to_string(format) + ", this tillcast reads up to " +
                           std::to_string(rules.format_known) + "; update tillcast");
    return;
  }
  if (!rules.checked) return;
  const auto at = json.rfind(kCheckField);
  if (at == std::string_view::npos ||
      json.substr(at + kCheckField.size(), kCheckDigits) != xxh3_text(json.substr(0, at)))
    fault("its checksum does not fit");
}

void JsonIn::fault(const std::string& what) {
  if (!error_) error_ = corrupt_data(name_ + " is damaged: " + what + "; restore it from a copy");
}

const Json* JsonIn::field(const Json& object, const char* name) {
  if (!object.IsObject()) {
    fault("an object was expected");
    return nullptr;
  }
  const auto at = object.FindMember(name);
  if (at != object.MemberEnd()) return &at->value;
  fault(std::string("the field \"") + name + "\" is missing");
  return nullptr;
}

std::string JsonIn::text(const Json& object, const char* name) {
  const Json* const value = field(object, name);
  if (value == nullptr) return {};
  if (!value->IsString()) {
    fault(std::string("\"") + name + "\" is no text");
    return {};
  }
  return {value->GetString(), value->GetStringLength()};
}

std::int64_t JsonIn::number(const Json& object, const char* name) {
  const Json* const value = field(object, name);
  if (value == nullptr) return 0;
  if (!value->IsInt64()) {
    fault(std::string("\"") + name + "\" is no whole number");
    return 0;
  }
  return value->GetInt64();
}

double JsonIn::decimal(const Json& value) {
  if (!value.IsNumber()) {
    fault("a number was expected");
    return 0;
  }
  return value.GetDouble();
}

double JsonIn::decimal(const Json& object, const char* name) {
  const Json* const value = field(object, name);
  return value == nullptr ? 0 : decimal(*value);
}

std::optional<std::string> JsonIn::optional_text(const Json& object, const char* name) {
  if (!object.IsObject() || !object.HasMember(name)) return std::nullopt;
  return text(object, name);
}

std::optional<std::int64_t> JsonIn::optional_number(const Json& object, const char* name) {
  if (!object.IsObject() || !object.HasMember(name)) return std::nullopt;
  return number(object, name);
}

std::vector<std::string> JsonIn::texts(const Json& object, const char* name) {
  std::vector<std::string> found;
  const Json* const list = array(object, name);
  if (list == nullptr) return found;
  for (const Json& item : list->GetArray()) {
    if (!item.IsString()) {
      fault(std::string("\"") + name + "\" holds something that is no text");
      return found;
    }
    found.emplace_back(item.GetString(), item.GetStringLength());
  }
  return found;
}

bool JsonIn::flag(const Json& object, const char* name) {
  const Json* const value = field(object, name);
  if (value == nullptr) return false;
  if (!value->IsBool()) fault(std::string("\"") + name + "\" is neither true nor false");
  return value->IsBool() && value->GetBool();
}

const Json* JsonIn::array(const Json& object, const char* name) {
  const Json* const value = field(object, name);
  if (value != nullptr && value->IsArray()) return value;
  fault(std::string("\"") + name + "\" is no list");
  return nullptr;
}

const Json* JsonIn::object(const Json& object, const char* name) {
  const Json* const value = field(object, name);
  if (value != nullptr && value->IsObject()) return value;
  fault(std::string("\"") + name + "\" is no object");
  return nullptr;
}

}  // namespace tillcast::io
