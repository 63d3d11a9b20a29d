#include "warehouse/template_builtins.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "core/text.h"

namespace tillcast::warehouse {
namespace {

std::string trimmed(std::string_view text, std::string_view drop = {}) {
  const auto dropped = [&](char c) {
    return drop.empty() ? is_ascii_space(c) : drop.find(c) != std::string_view::npos;
  };
  while (!text.empty() && dropped(text.front())) text.remove_prefix(1);
  while (!text.empty() && dropped(text.back())) text.remove_suffix(1);
  return std::string(text);
}

std::string mapped(std::string text, char from, char to, int shift) {
  for (char& c : text)
    if (c >= from && c <= to) c = static_cast<char>(c + shift);
  return text;
}
std::string uppered(std::string text) { return mapped(std::move(text), 'a', 'z', 'A' - 'a'); }
std::string lowered(std::string text) { return mapped(std::move(text), 'A', 'Z', 'a' - 'A'); }

std::string capitalized(std::string text, bool every_word) {
  text = lowered(std::move(text));
  bool at_start = true;
  for (char& c : text) {
    if (at_start && c >= 'a' && c <= 'z') c = static_cast<char>(c - ('a' - 'A'));
    at_start = every_word && (is_ascii_space(c) || c == '-' || c == '_');
  }
  return text;
}

Result<Value> replaced(const std::string& text, const std::string& from, const std::string& to,
                       Budget& budget) {
  if (from.empty()) return invalid_input("replace needs a text to look for, found an empty one");
  std::string out;
  std::size_t at = 0;
  for (std::size_t hit; (hit = text.find(from, at)) != std::string::npos; at = hit + from.size()) {
    out.append(text, at, hit - at);
    out += to;
    if (out.size() > budget.limits().output_bytes_max) break;
  }
  out.append(text, at);
  TILLCAST_TRY_PLAIN(budget.charge_text(out.size() + text.size()));
  return Value(std::move(out));
}

Result<Value> split_text(const std::string& text, const Value* separator, Budget& budget) {
  TILLCAST_TRY_PLAIN(budget.charge(text.size()));
  List parts;
  if (separator == nullptr || separator->is_none()) {
    for (std::size_t at = 0; at < text.size();) {
      while (at < text.size() && is_ascii_space(text[at])) ++at;
      std::size_t end = at;
      while (end < text.size() && !is_ascii_space(text[end])) ++end;
      if (end > at) parts.emplace_back(text.substr(at, end - at));
      at = end;
    }
    return Value::list(std::move(parts));
  }
  if (!separator->is_text() || separator->as_text().empty())
    return invalid_input("split needs a separator of at least one character");
  std::size_t at = 0;
  for (std::size_t hit; (hit = text.find(separator->as_text(), at)) != std::string::npos;
       at = hit + separator->as_text().size())
    parts.emplace_back(text.substr(at, hit - at));
  parts.emplace_back(text.substr(at));
  return Value::list(std::move(parts));
}

Result<Value> joined(const Value& input, const std::string& separator, Budget& budget) {
  const List items = TILLCAST_TRY_PLAIN(iterate(input, budget));
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].is_undefined()) return wrong_type("join", "values", items[i]);
    if (i > 0) out += separator;
    out += items[i].to_text();
    if (out.size() > budget.limits().output_bytes_max) break;
  }
  TILLCAST_TRY_PLAIN(budget.charge_text(out.size()));
  return Value(std::move(out));
}

Result<Value> to_int(const Value& input, const Value& fallback) {
  if (input.is_double()) {
    const double number = std::trunc(input.as_number());
    if (!(std::fabs(number) < 9.2e18)) return fallback;
    return Value(static_cast<std::int64_t>(number));
  }
  if (input.is_number()) return Value(input.as_int());
  if (!input.is_text()) return fallback;
  const std::string text = trimmed(input.as_text());
  std::int64_t number = 0;
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const auto parsed = std::from_chars(begin, text.data() + text.size(), number);
  if (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size()) return Value(number);
  double real = 0;
  const auto parsed_real = std::from_chars(begin, text.data() + text.size(), real);
  if (parsed_real.ec == std::errc() && parsed_real.ptr == text.data() + text.size() &&
      std::fabs(real) < 9.2e18)
    return Value(static_cast<std::int64_t>(std::trunc(real)));
  return fallback;
}

Result<Value> to_float(const Value& input, const Value& fallback) {
  if (input.is_number()) return Value(input.as_number());
  if (!input.is_text()) return fallback;
  const std::string text = trimmed(input.as_text());
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return fallback;
  return Value(number);
}

Result<Value> sorted(const Value& input, const CallArguments& arguments, Budget& budget) {
  List items = TILLCAST_TRY_PLAIN(iterate(input, budget));
  TILLCAST_TRY_PLAIN(budget.charge(input.weight() * 20));
  const Value* attribute = arguments.find(2, "attribute");
  const auto key = [&](const Value& item) -> const Value& {
    const Value* member =
        attribute != nullptr && attribute->is_text() ? item.member(attribute->as_text()) : nullptr;
    return member != nullptr ? *member : item;
  };
  for (std::size_t i = 1; i < items.size(); ++i)
    TILLCAST_TRY_PLAIN(order_values(key(items[0]), key(items[i])));
  // Mixed numbers compare as doubles, which is not transitive for huge ones: a heap sort stays within its
  // range even then, and the index keeps equal elements in their order.
  std::vector<std::size_t> places(items.size());
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = i;
  const auto before = [&](std::size_t a, std::size_t b) {
    const auto compared = order_values(key(items[a]), key(items[b]));
    return compared.has_value() && *compared != 0 ? *compared < 0 : a < b;
  };
  std::make_heap(places.begin(), places.end(), before);
  std::sort_heap(places.begin(), places.end(), before);
  List in_order;
  for (const std::size_t place : places) in_order.push_back(items[place]);
  items = std::move(in_order);
  const Value* reverse = arguments.find(0, "reverse");
  if (reverse != nullptr && reverse->truthy()) std::reverse(items.begin(), items.end());
  return Value::list(std::move(items));
}

/// map('upper') or map(attribute='name')
Result<Value> map_items(const Value& input, const CallArguments& arguments, Budget& budget) {
  const List items = TILLCAST_TRY_PLAIN(iterate(input, budget));
  const Value* attribute = arguments.find(99, "attribute");
  List out;
  for (const Value& item : items) {
    if (attribute != nullptr && attribute->is_text()) {
      const Value* member = item.member(attribute->as_text());
      out.push_back(member != nullptr ? *member : Value::undefined(attribute->as_text()));
      continue;
    }
    if (arguments.positional.empty() || !arguments.positional.front().is_text())
      return invalid_input("map needs attribute='name' or the name of a filter");
    CallArguments inner;
    inner.positional.assign(arguments.positional.begin() + 1, arguments.positional.end());
    const std::string& filter = arguments.positional.front().as_text();
    if (filter == "map") return invalid_input("map cannot apply map");
    out.push_back(TILLCAST_TRY_PLAIN(apply_filter(filter, item, inner, budget)));
  }
  return Value::list(std::move(out));
}

/// select/reject('test'), selectattr/rejectattr('attribute'[, 'test', argument])
Result<Value> select_items(const Value& input, const CallArguments& arguments, bool by_attribute, bool keep,
                           Budget& budget) {
  const List items = TILLCAST_TRY_PLAIN(iterate(input, budget));
  const std::size_t test_at = by_attribute ? 1 : 0;
  if (by_attribute && (arguments.positional.empty() || !arguments.positional.front().is_text()))
    return invalid_input("selectattr needs the name of an attribute");
  CallArguments inner;
  if (arguments.positional.size() > test_at)
    inner.positional.assign(arguments.positional.begin() + static_cast<std::ptrdiff_t>(test_at) + 1,
                            arguments.positional.end());
  List out;
  for (const Value& item : items) {
    Value tested = item;
    if (by_attribute) {
      const Value* member = item.member(arguments.positional.front().as_text());
      tested = member != nullptr ? *member : Value::undefined(arguments.positional.front().as_text());
    }
    bool passes = tested.truthy();
    if (arguments.positional.size() > test_at) {
      const Value& test = arguments.positional[test_at];
      passes = TILLCAST_TRY_PLAIN(apply_test(test.to_text(), tested, inner, budget));
    }
    if (passes == keep) out.push_back(item);
  }
  return Value::list(std::move(out));
}

Result<Value> unique_items(const Value& input, Budget& budget) {
  const List items = TILLCAST_TRY_PLAIN(iterate(input, budget));
  List out;
  for (const Value& item : items) {
    TILLCAST_TRY_PLAIN(budget.charge(out.size() * (1 + item.weight() / 8)));
    if (std::find(out.begin(), out.end(), item) == out.end()) out.push_back(item);
  }
  return Value::list(std::move(out));
}

Result<Value> rounded(const Value& input, const CallArguments& arguments) {
  if (!input.is_number()) return wrong_type("round", "a number", input);
  const Value* digits = arguments.find(0, "precision");
  const std::int64_t places = digits != nullptr && digits->is_int() ? digits->as_int() : 0;
  if (places < 0 || places > 15) return invalid_input("round needs 0 to 15 digits");
  const double factor = std::pow(10.0, static_cast<double>(places));
  return Value(std::round(input.as_number() * factor) / factor);
}

Result<Value> indented(const std::string& text, const CallArguments& arguments, Budget& budget) {
  const Value* width = arguments.find(0, "width");
  const Value* first = arguments.find(1, "first");
  const std::int64_t spaces = width != nullptr && width->is_int() ? width->as_int() : 4;
  if (spaces < 0 || spaces > 200) return invalid_input("indent needs a width of 0 to 200");
  const std::string margin(static_cast<std::size_t>(spaces), ' ');
  std::string out = first != nullptr && first->truthy() ? margin : "";
  for (std::size_t i = 0; i < text.size() && out.size() <= budget.limits().output_bytes_max; ++i) {
    out += text[i];
    if (text[i] == '\n' && i + 1 < text.size() && text[i + 1] != '\n') out += margin;
  }
  TILLCAST_TRY_PLAIN(budget.charge_text(out.size()));
  return Value(std::move(out));
}

Value dict_items(const Dict& dict, bool sort_keys) {
  List pairs;
  for (const auto& [name, value] : dict) pairs.push_back(Value::list({Value(name), value}));
  if (sort_keys) {
    std::sort(pairs.begin(), pairs.end(), [](const Value& a, const Value& b) {
      return a.as_list()[0].as_text() < b.as_list()[0].as_text();
    });
  }
  return Value::list(std::move(pairs));
}

std::optional<std::int64_t> length_of(const Value& value) {
  if (value.is_text()) {
    const std::string& text = value.as_text();
    return std::count_if(text.begin(), text.end(),
                         [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  }
  if (value.is_list()) return static_cast<std::int64_t>(value.as_list().size());
  if (value.is_dict()) return static_cast<std::int64_t>(value.as_dict().size());
  return std::nullopt;
}

}  // namespace

Result<List> iterate(const Value& value, Budget& budget) {
  TILLCAST_TRY_PLAIN(budget.charge(1 + value.weight() / 4));
  if (value.is_list()) return value.as_list();
  List items;
  if (value.is_dict()) {
    for (const auto& [name, unused] : value.as_dict()) items.emplace_back(name);
    return items;
  }
  if (value.is_text()) {
    const std::string& text = value.as_text();
    TILLCAST_TRY_PLAIN(budget.charge(text.size()));
    for (std::size_t at = 0; at < text.size();) {
      std::size_t end = at + 1;
      while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
      items.emplace_back(text.substr(at, end - at));
      at = end;
    }
    return items;
  }
  return wrong_type("a loop", "a list, dict or string", value);
}

Result<Value> apply_filter(std::string_view name, const Value& input, const CallArguments& arguments,
                           Budget& budget) {
  TILLCAST_TRY_PLAIN(budget.charge(1 + input.weight() / 4));
  if (name == "default" || name == "d") {
    const Value* fallback = arguments.find(0, "default_value");
    const Value* boolean = arguments.find(1, "boolean");
    const bool missing = input.is_undefined() || (boolean != nullptr && boolean->truthy() && !input.truthy());
    return missing ? (fallback != nullptr ? *fallback : Value("")) : input;
  }
  if (input.is_undefined()) return wrong_type(name, "a value", input);
  const auto text = [&] { return input.to_text(); };
  if (name == "string" || name == "as_text") return Value(text());
  if (name == "upper") return Value(uppered(text()));
  if (name == "lower") return Value(lowered(text()));
  if (name == "trim") {
    const Value* drop = arguments.find(0, "chars");
    return Value(trimmed(text(), drop != nullptr && drop->is_text() ? drop->as_text() : ""));
  }
  if (name == "capitalize") return Value(capitalized(text(), false));
  if (name == "title") return Value(capitalized(text(), true));
  if (name == "replace") {
    const Value* from = arguments.find(0, "old");
    const Value* to = arguments.find(1, "new");
    if (from == nullptr || to == nullptr)
      return invalid_input("replace needs two arguments: old and new text");
    return replaced(text(), from->to_text(), to->to_text(), budget);
  }
  if (name == "indent") return indented(text(), arguments, budget);
  if (name == "join") {
    const Value* separator = arguments.find(0, "d");
    const Value* attribute = arguments.find(1, "attribute");
    if (attribute == nullptr) return joined(input, separator != nullptr ? separator->to_text() : "", budget);
    CallArguments by;
    by.named.emplace_back("attribute", *attribute);
    const Value members = TILLCAST_TRY_PLAIN(map_items(input, by, budget));
    return joined(members, separator != nullptr ? separator->to_text() : "", budget);
  }
  if (name == "length" || name == "count") {
    const auto length = length_of(input);
    if (!length) return wrong_type("length", "a list, dict or string", input);
    return Value(*length);
  }
  if (name == "int") {
    const Value* fallback = arguments.find(0, "default");
    return to_int(input, fallback != nullptr ? *fallback : Value(0));
  }
  if (name == "float") {
    const Value* fallback = arguments.find(0, "default");
    return to_float(input, fallback != nullptr ? *fallback : Value(0.0));
  }
  if (name == "as_number") {
    Value number = TILLCAST_TRY_PLAIN(to_float(input, Value()));
    if (number.is_none()) return wrong_type("as_number", "a number", input);
    return input.is_text() && input.as_text().find_first_of(".eE") == std::string::npos
               ? to_int(input, number)
               : number;
  }
  if (name == "as_bool") {
    if (input.is_bool()) return input;
    if (lowered(text()) == "true") return Value(true);
    if (lowered(text()) == "false") return Value(false);
    return wrong_type("as_bool", "true or false", input);
  }
  if (name == "as_native" || name == "safe" || name == "e") return input;
  if (name == "abs") {
    if (!input.is_number()) return wrong_type("abs", "a number", input);
    if (input.is_double()) return Value(std::fabs(input.as_number()));
    return input.as_int() < 0 ? binary_operation("-", Value(0), input, budget) : input;
  }
  if (name == "round") return rounded(input, arguments);
  if (name == "tojson") {
    std::string json = to_json(input);
    TILLCAST_TRY_PLAIN(budget.charge_text(json.size()));
    return Value(std::move(json));
  }
  if (name == "items") {
    if (!input.is_dict()) return wrong_type("items", "a dict", input);
    return dict_items(input.as_dict(), false);
  }
  if (name == "dictsort") {
    if (!input.is_dict()) return wrong_type("dictsort", "a dict", input);
    return dict_items(input.as_dict(), true);
  }
  if (name == "sort") return sorted(input, arguments, budget);
  if (name == "unique") return unique_items(input, budget);
  if (name == "map") return map_items(input, arguments, budget);
  if (name == "select" || name == "reject")
    return select_items(input, arguments, false, name == "select", budget);
  if (name == "selectattr" || name == "rejectattr")
    return select_items(input, arguments, true, name == "selectattr", budget);
  if (name == "list" || name == "first" || name == "last" || name == "reverse" || name == "sum" ||
      name == "min" || name == "max") {
    List items = TILLCAST_TRY_PLAIN(iterate(input, budget));
    if (name == "list") return Value::list(std::move(items));
    if (name == "reverse") {
      std::reverse(items.begin(), items.end());
      return Value::list(std::move(items));
    }
    if (name == "sum") {
      Value total(0);
      for (const Value& item : items) total = TILLCAST_TRY_PLAIN(binary_operation("+", total, item, budget));
      return total;
    }
    if (items.empty()) return Value::undefined("the " + std::string(name) + " of an empty list");
    if (name == "first") return items.front();
    if (name == "last") return items.back();
    Value best = items.front();
    for (const Value& item : items) {
      const int compared = TILLCAST_TRY_PLAIN(order_values(item, best));
      if (name == "min" ? compared < 0 : compared > 0) best = item;
    }
    return best;
  }
  return invalid_input("there is no filter '" + std::string(name) + "'");
}

Result<bool> apply_test(std::string_view name, const Value& input, const CallArguments& arguments,
                        Budget& budget) {
  if (name == "defined") return !input.is_undefined();
  if (name == "undefined") return input.is_undefined();
  if (name == "none") return input.is_none();
  if (name == "string") return input.is_text();
  if (name == "number") return input.is_number();
  if (name == "integer") return input.is_int();
  if (name == "float") return input.is_double();
  if (name == "boolean") return input.is_bool();
  if (name == "true") return input.is_bool() && input.as_bool();
  if (name == "false") return input.is_bool() && !input.as_bool();
  if (name == "mapping") return input.is_dict();
  if (name == "sequence") return input.is_list() || input.is_text() || input.is_dict();
  if (name == "iterable") return input.is_list() || input.is_text() || input.is_dict();
  if (name == "callable") return input.is_callable();
  if (name == "odd" || name == "even") {
    if (!input.is_int()) return wrong_type(name, "a whole number", input);
    return (input.as_int() % 2 != 0) == (name == "odd");
  }
  if (arguments.positional.size() == 1) {
    const Value& argument = arguments.positional.front();
    if (name == "in") return compare_values("in", input, argument, budget);
    if (name == "equalto" || name == "eq" || name == "sameas")
      return compare_values("==", input, argument, budget);
    if (name == "ne") return compare_values("!=", input, argument, budget);
    if (name == "gt") return compare_values(">", input, argument, budget);
    if (name == "lt") return compare_values("<", input, argument, budget);
    if (name == "divisibleby") {
      const Value rest = TILLCAST_TRY_PLAIN(binary_operation("%", input, argument, budget));
      return rest == Value(0);
    }
  }
  return invalid_input("there is no test '" + std::string(name) + "' with " +
                       std::to_string(arguments.positional.size()) + " arguments");
}

Result<Value> call_method(std::string_view name, const Value& self, const CallArguments& arguments,
                          Budget& budget) {
  TILLCAST_TRY_PLAIN(budget.charge(1 + self.weight() / 4));
  const auto argument = [&](std::size_t at) {
    return at < arguments.positional.size() ? &arguments.positional[at] : nullptr;
  };
  const Value* first = argument(0);
  if (self.is_text()) {
    const std::string& text = self.as_text();
    const std::string given = first != nullptr ? first->to_text() : "";
    if (name == "upper") return Value(uppered(text));
    if (name == "lower") return Value(lowered(text));
    if (name == "strip") return Value(trimmed(text, given));
    if (name == "title") return Value(capitalized(text, true));
    if (name == "capitalize") return Value(capitalized(text, false));
    if (name == "lstrip" || name == "rstrip") {
      const std::string marked = name == "lstrip" ? text + "\x01" : "\x01" + text;
      std::string out = trimmed(marked, given.empty() ? " \t\n\r\f\v" : given);
      if (const auto at = out.find('\x01'); at != std::string::npos)
        out.erase(name == "lstrip" ? out.size() - 1 : 0, 1);
      return Value(std::move(out));
    }
    if (name == "split") return split_text(text, first, budget);
    if (name == "splitlines") {
      const Value newline("\n");
      return split_text(text, &newline, budget);
    }
    if (name == "join" && first != nullptr) return joined(*first, text, budget);
    if (name == "replace" && argument(1) != nullptr)
      return replaced(text, given, argument(1)->to_text(), budget);
    if (name == "startswith" && first != nullptr) return Value(text.starts_with(given));
    if (name == "endswith" && first != nullptr) return Value(text.ends_with(given));
    if (name == "isdigit")
      return Value(!text.empty() &&
                   std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }));
    if (name == "find" && first != nullptr) {
      const auto at = text.find(given);
      return Value(at == std::string::npos ? std::int64_t{-1} : static_cast<std::int64_t>(at));
    }
  }
  if (self.is_dict()) {
    if (name == "items") return dict_items(self.as_dict(), false);
    if (name == "keys" || name == "values") {
      List items;
      for (const auto& [key, value] : self.as_dict()) items.push_back(name == "keys" ? Value(key) : value);
      return Value::list(std::move(items));
    }
    if (name == "get" && first != nullptr) {
      const Value* member = self.member(first->to_text());
      if (member != nullptr) return *member;
      const Value* fallback = arguments.find(1, "default");
      return fallback != nullptr ? *fallback : Value();
    }
    if (name == "copy") return self;
  }
  if (self.is_list()) {
    if (name == "index" && first != nullptr) {
      const auto at = std::find(self.as_list().begin(), self.as_list().end(), *first);
      if (at == self.as_list().end()) return invalid_input("the list has no such element");
      return Value(static_cast<std::int64_t>(at - self.as_list().begin()));
    }
    if (name == "count" && first != nullptr)
      return Value(
          static_cast<std::int64_t>(std::count(self.as_list().begin(), self.as_list().end(), *first)));
    if (name == "copy") return self;
  }
  return not_found("a " + std::string(self.type_name()) + " has no method '" + std::string(name) + "'");
}

}  // namespace tillcast::warehouse
