#include "io/file_hash.h"
#include "registry/json_internal.h"

namespace tillcast::registry {
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

std::string finish_checked(JsonOut& out, const rapidjson::StringBuffer& buffer) {
  out.EndObject();
  std::string text(buffer.GetString(), buffer.GetSize());
  text.pop_back();
  const std::string check = io::xxh3_text(text);
  text.append(kCheckField).append(check).append("\"}\n");
  return text;
}

JsonIn::JsonIn(std::string_view json, std::string_view name, int format_known) : name_(name) {
  const auto at = json.rfind(kCheckField);
  if (at == std::string_view::npos ||
      json.substr(at + kCheckField.size(), kCheckDigits) != io::xxh3_text(std::string(json.substr(0, at)))) {
    document_.SetObject();
    fault("its checksum does not fit");
    return;
  }
  document_.Parse<rapidjson::kParseFullPrecisionFlag>(json.data(), json.size());
  if (document_.HasParseError() || !document_.IsObject()) {
    document_.SetObject();
    fault("it is no JSON object");
    return;
  }
  const std::int64_t format = number(document_, "format");
  if (ok() && format > format_known)
    error_ = invalid_input(name_ + " has the format " + std::to_string(format) + ", this program knows " +
                           std::to_string(format_known) + "; update tillcast");
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

}  // namespace tillcast::registry
