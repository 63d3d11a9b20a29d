#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/result.h"

namespace tillcast::warehouse {

class Value;
struct MacroDefinition;
using List = std::vector<Value>;
/// Ordered as written; names are unique (set_member keeps them so).
using Dict = std::vector<std::pair<std::string, Value>>;

/// What a call inside a template passes: f(1, x, name=2).
struct CallArguments {
  std::vector<Value> positional;
  Dict named;

  /// The argument at a position or under a name; null when absent.
  const Value* find(std::size_t position, std::string_view name) const;
};
using Function = std::function<Result<Value>(const CallArguments&)>;

/// A value inside a SQL template, with Python's ideas of truth, equality and printing (dbt's users expect
/// them). Lists and dicts are immutable and shared, so no value can contain itself; `weight` and `depth`
/// are those of the unfolded tree and bound the cost of walking it. Copying is cheap except for text.
/// A moved-from or default Value is none. Immutable values may be read by many threads.
class Value {
 public:
  struct Undefined {
    std::string name;
  };
  struct None {};
  struct ListBody {
    List items;
    std::size_t weight = 1;
    int depth = 1;
  };
  struct DictBody {
    Dict items;
    std::size_t weight = 1;
    int depth = 1;
  };
  /// Prints as `text`, has attributes: relations such as {{ this }} and {{ ref('x') }}.
  struct ObjectBody {
    std::string text;
    Dict attributes;
  };
  /// A built-in function, or a macro (then `function` is empty and the evaluator runs `macro`).
  struct CallableBody {
    std::string name;
    Function function;
    const MacroDefinition* macro = nullptr;
    std::shared_ptr<const void> owner;  ///< keeps the macro's template alive
  };

  Value() : data_(None{}) {}
  Value(bool value) : data_(value) {}                            // NOLINT(google-explicit-constructor)
  Value(std::int64_t value) : data_(value) {}                    // NOLINT(google-explicit-constructor)
  Value(int value) : data_(static_cast<std::int64_t>(value)) {}  // NOLINT(google-explicit-constructor)
  Value(double value) : data_(value) {}                          // NOLINT(google-explicit-constructor)
  Value(std::string value) : data_(std::move(value)) {}          // NOLINT(google-explicit-constructor)
  Value(std::string_view value) : data_(std::string(value)) {}   // NOLINT(google-explicit-constructor)
  Value(const char* value) : data_(std::string(value)) {}        // NOLINT(google-explicit-constructor)
  static Value undefined(std::string name);
  static Value list(List items);
  static Value dict(Dict items);
  static Value object(std::string text, Dict attributes);
  static Value function(std::string name, Function function);
  static Value macro(std::string name, const MacroDefinition* macro, std::shared_ptr<const void> owner);

  bool is_undefined() const { return std::holds_alternative<Undefined>(data_); }
  bool is_none() const { return std::holds_alternative<None>(data_); }
  bool is_bool() const { return std::holds_alternative<bool>(data_); }
  bool is_int() const { return std::holds_alternative<std::int64_t>(data_); }
  bool is_double() const { return std::holds_alternative<double>(data_); }
  bool is_number() const { return is_bool() || is_int() || is_double(); }
  bool is_text() const { return std::holds_alternative<std::string>(data_); }
  bool is_list() const { return std::holds_alternative<std::shared_ptr<ListBody>>(data_); }
  bool is_dict() const { return std::holds_alternative<std::shared_ptr<DictBody>>(data_); }
  bool is_object() const { return std::holds_alternative<std::shared_ptr<ObjectBody>>(data_); }
  bool is_callable() const { return std::holds_alternative<std::shared_ptr<CallableBody>>(data_); }

  // The caller has checked the kind (std::bad_variant_access is a programming error).
  bool as_bool() const { return std::get<bool>(data_); }
  std::int64_t as_int() const { return is_bool() ? (as_bool() ? 1 : 0) : std::get<std::int64_t>(data_); }
  double as_number() const { return is_double() ? std::get<double>(data_) : static_cast<double>(as_int()); }
  const std::string& as_text() const { return std::get<std::string>(data_); }
  const List& as_list() const { return std::get<std::shared_ptr<ListBody>>(data_)->items; }
  const Dict& as_dict() const { return std::get<std::shared_ptr<DictBody>>(data_)->items; }
  const ObjectBody& as_object() const { return *std::get<std::shared_ptr<ObjectBody>>(data_); }
  const CallableBody& as_callable() const { return *std::get<std::shared_ptr<CallableBody>>(data_); }
  const std::string& undefined_name() const { return std::get<Undefined>(data_).name; }

  /// Python's bool(): empty, zero, none and undefined are false.
  bool truthy() const;
  /// Python's str(): None, True, [1, 'a'], {'k': 1}; text as it is.
  std::string to_text() const;
  /// "str", "int", ... for messages.
  std::string_view type_name() const;
  /// Bytes and elements of the unfolded tree; what walking or printing it costs.
  std::size_t weight() const;
  int depth() const;
  /// The member of a dict or attribute of an object; null when there is none.
  const Value* member(std::string_view name) const;
  /// Appends to a list in place when nobody shares it, else to a copy. The caller has checked is_list().
  void append(Value item);
  /// Sets a member of a dict, as append does. The caller has checked is_dict().
  void set_member(std::string_view name, Value item);

  /// Python's ==; 1 == 1.0 == True.
  friend bool operator==(const Value& a, const Value& b);

 private:
  std::variant<None, Undefined, bool, std::int64_t, double, std::string, std::shared_ptr<ListBody>,
               std::shared_ptr<DictBody>, std::shared_ptr<ObjectBody>, std::shared_ptr<CallableBody>>
      data_;
};

/// Python's repr(): text in quotes, as lists print their elements (and dbt hashes test arguments).
std::string to_repr(const Value& value);
/// JSON; undefined and functions become null. `indent` > 0 breaks lines. UTF-8 passes through; bytes that are
/// no UTF-8 become U+FFFD.
std::string to_json(const Value& value, int indent = 0);

}  // namespace tillcast::warehouse
