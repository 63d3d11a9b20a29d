#include "api/route.h"

namespace tillcast::api {

std::string_view method_name(Method method) {
  switch (method) {
    case Method::kPost:
      return "POST";
    case Method::kGet:
      break;
  }
  return "GET";
}

const RouteRequest::Value* RouteRequest::find(std::string_view name) const {
  for (const auto& [known, value] : values_) {
    if (known == name) return &value;
  }
  return nullptr;
}

const std::string& RouteRequest::text(std::string_view name) const {
  static const std::string kEmpty;
  const Value* const value = find(name);
  return value == nullptr ? kEmpty : std::get<std::string>(*value);
}

std::optional<std::int64_t> RouteRequest::integer(std::string_view name) const {
  const Value* const value = find(name);
  if (value == nullptr) return std::nullopt;
  return std::get<std::int64_t>(*value);
}

std::optional<Date> RouteRequest::date(std::string_view name) const {
  const Value* const value = find(name);
  if (value == nullptr) return std::nullopt;
  return std::get<Date>(*value);
}

Parameter path_parameter(std::string name, Schema schema) {
  return {Parameter::In::kPath, std::move(name), std::move(schema), true};
}

Parameter header_parameter(std::string name, Schema schema) {
  return {Parameter::In::kHeader, std::move(name), std::move(schema), false};
}

Parameter query_parameter(std::string name, Schema schema) {
  return {Parameter::In::kQuery, std::move(name), std::move(schema), false};
}

}  // namespace tillcast::api
