#include "warehouse/template_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/text.h"

namespace tillcast::warehouse {

const Value* CallArguments::find(std::size_t position, std::string_view name) const {
  if (position < positional.size()) return &positional[position];
  for (const auto& [key, value] : named)
    if (key == name) return &value;
  return nullptr;
}

Value Value::undefined(std::string name) {
  Value value;
  value.data_ = Undefined{std::move(name)};
  return value;
}

Value Value::list(List items) {
  auto body = std::make_shared<ListBody>();
  for (const Value& item : items) {
    body->weight += item.weight();
    body->depth = std::max(body->depth, item.depth() + 1);
  }
  body->items = std::move(items);
  Value value;
  value.data_ = std::move(body);
  return value;
}

Value Value::dict(Dict items) {
  auto body = std::make_shared<DictBody>();
  for (const auto& [name, item] : items) {
    body->weight += item.weight() + name.size() / 8 + 1;
    body->depth = std::max(body->depth, item.depth() + 1);
  }
  body->items = std::move(items);
  Value value;
  value.data_ = std::move(body);
  return value;
}

Value Value::object(std::string text, Dict attributes) {
  Value value;
  value.data_ = std::make_shared<ObjectBody>(ObjectBody{std::move(text), std::move(attributes)});
  return value;
}

Value Value::function(std::string name, Function function) {
  Value value;
  value.data_ =
      std::make_shared<CallableBody>(CallableBody{std::move(name), std::move(function), nullptr, nullptr});
  return value;
}

Value Value::macro(std::string name, const MacroDefinition* macro, std::shared_ptr<const void> owner) {
  Value value;
  value.data_ = std::make_shared<CallableBody>(CallableBody{std::move(name), {}, macro, std::move(owner)});
  return value;
}

bool Value::truthy() const {
  if (is_bool()) return as_bool();
  if (is_int()) return as_int() != 0;
  if (is_double()) return as_number() != 0.0;
  if (is_text()) return !as_text().empty();
  if (is_list()) return !as_list().empty();
  if (is_dict()) return !as_dict().empty();
  return !is_none() && !is_undefined();
}

std::string_view Value::type_name() const {
  if (is_undefined()) return "undefined";
  if (is_none()) return "none";
  if (is_bool()) return "bool";
  if (is_int()) return "int";
  if (is_double()) return "float";
  if (is_text()) return "string";
  if (is_list()) return "list";
  if (is_dict()) return "dict";
  if (is_object()) return "relation";
  return "function";
}

std::size_t Value::weight() const {
  if (is_text()) return 1 + as_text().size() / 8;
  if (is_list()) return std::get<std::shared_ptr<ListBody>>(data_)->weight;
  if (is_dict()) return std::get<std::shared_ptr<DictBody>>(data_)->weight;
  return 1;
}

int Value::depth() const {
  if (is_list()) return std::get<std::shared_ptr<ListBody>>(data_)->depth;
  if (is_dict()) return std::get<std::shared_ptr<DictBody>>(data_)->depth;
  return 0;
}

const Value* Value::member(std::string_view name) const {
  const Dict* items = is_dict() ? &as_dict() : is_object() ? &as_object().attributes : nullptr;
  if (items == nullptr) return nullptr;
  for (const auto& [key, value] : *items)
    if (key == name) return &value;
  return nullptr;
}

void Value::append(Value item) {
  auto& body = std::get<std::shared_ptr<ListBody>>(data_);
  if (body.use_count() > 1) body = std::make_shared<ListBody>(*body);
  body->weight += item.weight();
  body->depth = std::max(body->depth, item.depth() + 1);
  body->items.push_back(std::move(item));
}

void Value::set_member(std::string_view name, Value item) {
  auto& body = std::get<std::shared_ptr<DictBody>>(data_);
  if (body.use_count() > 1) body = std::make_shared<DictBody>(*body);
  // The old member's weight stays counted: an upper bound is enough.
  body->weight += item.weight() + name.size() / 8 + 1;
  body->depth = std::max(body->depth, item.depth() + 1);
  for (auto& [key, value] : body->items) {
    if (key == name) {
      value = std::move(item);
      return;
    }
  }
  body->items.emplace_back(std::string(name), std::move(item));
}

bool operator==(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    if (!a.is_double() && !b.is_double()) return a.as_int() == b.as_int();
    return a.as_number() == b.as_number();
  }
  if (a.is_text() && b.is_text()) return a.as_text() == b.as_text();
  if (a.is_list() && b.is_list()) return a.as_list() == b.as_list();
  if (a.is_dict() && b.is_dict()) {
    if (a.as_dict().size() != b.as_dict().size()) return false;
    return std::all_of(a.as_dict().begin(), a.as_dict().end(), [&](const auto& item) {
      const Value* other = b.member(item.first);
      return other != nullptr && *other == item.second;
    });
  }
  if (a.is_object() && b.is_object()) return a.as_object().text == b.as_object().text;
  return (a.is_none() && b.is_none()) || (a.is_undefined() && b.is_undefined());
}

namespace {

std::string format_double(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  std::string text(buffer, end);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

void append_repr(const Value& value, std::string& out);

void append_text_repr(std::string_view text, std::string& out) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const char quote = has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
  out += quote;
  for (const char c : text) {
    if (c == quote || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      out += c;
    }
  }
  out += quote;
}

void append_repr(const Value& value, std::string& out) {
  if (value.is_text()) {
    append_text_repr(value.as_text(), out);
  } else if (value.is_list()) {
    out += '[';
    bool first = true;
    for (const Value& item : value.as_list()) {
      if (!first) out += ", ";
      first = false;
      append_repr(item, out);
    }
    out += ']';
  } else if (value.is_dict()) {
    out += '{';
    bool first = true;
    for (const auto& [name, item] : value.as_dict()) {
      if (!first) out += ", ";
      first = false;
      append_text_repr(name, out);
      out += ": ";
      append_repr(item, out);
    }
    out += '}';
  } else {
    out += value.to_text();
  }
}

void append_json_text(std::string_view text, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    const std::size_t length = utf8_length(text, at);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      ++at;
      continue;
    }
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += kHex[(static_cast<unsigned char>(c) >> 4) & 15];
      out += kHex[static_cast<unsigned char>(c) & 15];
    } else {
      out += text.substr(at, length);
    }
    at += length;
  }
  out += '"';
}

void append_json(const Value& value, int indent, int level, std::string& out) {
  const auto line_break = [&](int at_level) {
    if (indent == 0) return;
    out += '\n';
    out.append(static_cast<std::size_t>(indent) * static_cast<std::size_t>(at_level), ' ');
  };
  if (value.is_bool()) {
    out += value.as_bool() ? "true" : "false";
  } else if (value.is_int()) {
    out += std::to_string(value.as_int());
  } else if (value.is_double()) {
    out += std::isfinite(value.as_number()) ? format_double(value.as_number()) : "null";
  } else if (value.is_text()) {
    append_json_text(value.as_text(), out);
  } else if (value.is_object()) {
    append_json_text(value.as_object().text, out);
  } else if (value.is_list()) {
    out += '[';
    bool first = true;
    for (const Value& item : value.as_list()) {
      if (!first) out += indent > 0 ? "," : ", ";
      first = false;
      line_break(level + 1);
      append_json(item, indent, level + 1, out);
    }
    if (!value.as_list().empty()) line_break(level);
    out += ']';
  } else if (value.is_dict()) {
    out += '{';
    bool first = true;
    for (const auto& [name, item] : value.as_dict()) {
      if (!first) out += indent > 0 ? "," : ", ";
      first = false;
      line_break(level + 1);
      append_json_text(name, out);
      out += ": ";
      append_json(item, indent, level + 1, out);
    }
    if (!value.as_dict().empty()) line_break(level);
    out += '}';
  } else {
    out += "null";
  }
}

}  // namespace

std::string Value::to_text() const {
  if (is_text()) return as_text();
  if (is_object()) return as_object().text;
  if (is_undefined()) return "";
  if (is_none()) return "None";
  if (is_bool()) return as_bool() ? "True" : "False";
  if (is_int()) return std::to_string(as_int());
  if (is_double()) return format_double(as_number());
  if (is_callable()) return "<function " + as_callable().name + ">";
  std::string out;
  append_repr(*this, out);
  return out;
}

std::string to_repr(const Value& value) {
  std::string out;
  append_repr(value, out);
  return out;
}

std::string to_json(const Value& value, int indent) {
  std::string out;
  append_json(value, indent, 0, out);
  return out;
}

}  // namespace tillcast::warehouse
