#include <algorithm>
#include <functional>
#include <optional>

#include "warehouse/sql_template.h"
#include "warehouse/template_builtins.h"

namespace tillcast::warehouse {
namespace {

/// Levels of C++ recursion a template may cause; keeps within a thread's stack, sanitizers included.
constexpr int kEvalDepthMax = 500;

struct Scope {
  Scope* parent = nullptr;
  std::vector<std::pair<std::string, Value>> variables;

  Value* find_own(std::string_view name) {
    for (auto& [key, value] : variables)
      if (key == name) return &value;
    return nullptr;
  }
  Value* find(std::string_view name) {
    for (Scope* scope = this; scope != nullptr; scope = scope->parent)
      if (Value* value = scope->find_own(name)) return value;
    return nullptr;
  }
  void set(std::string_view name, Value value) {
    if (Value* existing = find_own(name)) {
      *existing = std::move(value);
    } else {
      variables.emplace_back(std::string(name), std::move(value));
    }
  }
};

class Evaluator {
 public:
  explicit Evaluator(const RenderContext& context) : context_(context), budget_(context.limits) {}

  Result<std::string> run(const ParsedTemplate& parsed) {
    file_ = parsed.file;
    std::string out;
    if (auto done = run_block(parsed.body, root_, out); !done && !returning_) return std::move(done.error());
    return out;
  }
  Result<Value> run_expression(const Expr& expr, std::string_view file) {
    file_ = std::string(file);
    return eval(expr, root_);
  }
  Result<Value> run_macro(const MacroLibrary::Entry& entry, const CallArguments& arguments) {
    file_ = entry.source->file;
    return call_macro_definition(*entry.macro, arguments, entry.macro->at);
  }

 private:
  Error fail(Position at, std::string_view message) const { return template_error(file_, at, message); }
  /// Puts the place in front of a message that has none.
  template <class T>
  Result<T> placed(Position at, Result<T> result) const {
    if (result) return result;
    Error error = std::move(result.error());
    error.message = template_error(file_, at, error.message).message;
    return error;
  }

  // --- statements ---------------------------------------------------------------------------------------

  Result<> run_block(const Block& block, Scope& scope, std::string& out) {
    for (const Statement& statement : block) {
      TILLCAST_TRY_PLAIN(run_statement(statement, scope, out));
      if (out.size() > budget_.limits().output_bytes_max)
        return fail(statement.at, "the template writes more than " +
                                      std::to_string(budget_.limits().output_bytes_max) + " bytes");
    }
    return {};
  }

  Result<> run_statement(const Statement& statement, Scope& scope, std::string& out) {
    if (++depth_ > kEvalDepthMax) return fail(statement.at, "blocks and macro calls are nested too deep");
    auto done = run_statement_inner(statement, scope, out);
    --depth_;
    return done;
  }

  Result<> run_statement_inner(const Statement& statement, Scope& scope, std::string& out) {
    switch (statement.kind) {
      case StatementKind::kText:
        TILLCAST_TRY_PLAIN(placed(statement.at, budget_.charge(1 + statement.text.size() / 32)));
        out += statement.text;
        return {};
      case StatementKind::kOutput: {
        const Value value = TILLCAST_TRY_PLAIN(eval(statement.expr, scope));
        if (value.is_undefined())
          return fail(statement.expr.at, "'" + value.undefined_name() + "' is undefined");
        TILLCAST_TRY_PLAIN(placed(statement.at, budget_.charge(1 + value.weight() / 4)));
        if (!value.is_none() || !is_call(statement.expr)) out += value.to_text();
        return {};
      }
      case StatementKind::kIf:
        for (const Branch& branch : statement.branches) {
          const Value condition = TILLCAST_TRY_PLAIN(eval(branch.condition, scope));
          if (condition.truthy()) return run_block(branch.body, scope, out);
        }
        return {};
      case StatementKind::kFor:
        return run_for(statement, scope, out);
      case StatementKind::kSet:
        return run_set(statement, scope);
      case StatementKind::kSetBlock: {
        std::string text;
        TILLCAST_TRY_PLAIN(run_block(statement.body, scope, text));
        scope.set(statement.names.front(), Value(std::move(text)));
        return {};
      }
      case StatementKind::kDo: {
        TILLCAST_TRY_PLAIN(eval(statement.expr, scope));
        return {};
      }
      case StatementKind::kMacro:
        scope.set(statement.macro->name,
                  Value::macro(statement.macro->name, statement.macro.get(), statement.macro));
        return {};
    }
    return {};
  }

  /// {{ log('x') }}, {{ config(...) }}: a function's none prints nothing, as dbt's functions return ''.
  static bool is_call(const Expr& expr) { return expr.kind == ExprKind::kCall; }

  Result<> bind(const Statement& statement, const Value& value, Scope& scope) {
    if (statement.names.size() == 1) {
      scope.set(statement.names.front(), value);
      return {};
    }
    if (!value.is_list() || value.as_list().size() != statement.names.size())
      return fail(statement.at, "expected a list of " + std::to_string(statement.names.size()) +
                                    " values to unpack, found " + std::string(value.type_name()));
    for (std::size_t i = 0; i < statement.names.size(); ++i)
      scope.set(statement.names[i], value.as_list()[i]);
    return {};
  }

  Result<> run_for(const Statement& statement, Scope& scope, std::string& out) {
    const Value walked = TILLCAST_TRY_PLAIN(eval(statement.expr, scope));
    List items = TILLCAST_TRY_PLAIN(placed(statement.expr.at, iterate(walked, budget_)));
    Scope inner{&scope, {}};
    if (statement.has_condition) {
      List kept;
      for (Value& item : items) {
        TILLCAST_TRY_PLAIN(bind(statement, item, inner));
        const Value condition = TILLCAST_TRY_PLAIN(eval(statement.condition, inner));
        if (condition.truthy()) kept.push_back(std::move(item));
      }
      items = std::move(kept);
    }
    const auto count = static_cast<std::int64_t>(items.size());
    for (std::int64_t i = 0; i < count; ++i) {
      TILLCAST_TRY_PLAIN(placed(statement.at, budget_.charge(4)));
      inner.variables.clear();
      TILLCAST_TRY_PLAIN(bind(statement, items[static_cast<std::size_t>(i)], inner));
      Dict loop;
      loop.emplace_back("index", Value(i + 1));
      loop.emplace_back("index0", Value(i));
      loop.emplace_back("revindex", Value(count - i));
      loop.emplace_back("first", Value(i == 0));
      loop.emplace_back("last", Value(i + 1 == count));
      loop.emplace_back("length", Value(count));
      inner.set("loop", Value::dict(std::move(loop)));
      TILLCAST_TRY_PLAIN(run_block(statement.body, inner, out));
    }
    if (count == 0) return run_block(statement.else_body, scope, out);
    return {};
  }

  Result<> run_set(const Statement& statement, Scope& scope) {
    Value value = TILLCAST_TRY_PLAIN(eval(statement.expr, scope));
    if (statement.attribute.empty()) return bind(statement, value, scope);
    Value* target = scope.find(statement.names.front());
    if (target == nullptr || !target->is_dict())
      return fail(statement.at,
                  "'" + statement.names.front() + "' is no namespace() whose attributes can be set");
    target->set_member(statement.attribute, std::move(value));
    return placed(statement.at, budget_.check_value(*target));
  }

  // --- expressions --------------------------------------------------------------------------------------

  Result<Value> eval(const Expr& expr, Scope& scope) {
    if (++depth_ > kEvalDepthMax) return fail(expr.at, "expressions and macro calls are nested too deep");
    auto result = eval_inner(expr, scope);
    --depth_;
    if (!result) return result;
    TILLCAST_TRY_PLAIN(
        placed(expr.at, budget_.charge(1 + (result->is_text() ? result->as_text().size() / 32 : 0))));
    return result;
  }

  Result<Value> eval_inner(const Expr& expr, Scope& scope) {
    switch (expr.kind) {
      case ExprKind::kLiteral:
        return expr.literal;
      case ExprKind::kName:
        return lookup(expr.text, scope);
      case ExprKind::kList: {
        List items;
        for (const Expr& child : expr.children) items.push_back(TILLCAST_TRY_PLAIN(eval(child, scope)));
        return checked(expr.at, Value::list(std::move(items)));
      }
      case ExprKind::kDict:
        return eval_dict(expr, scope);
      case ExprKind::kAttribute:
        return eval_attribute(expr, scope);
      case ExprKind::kIndex:
        return eval_index(expr, scope);
      case ExprKind::kSlice:
        return eval_slice(expr, scope);
      case ExprKind::kCall:
        return eval_call(expr, scope);
      case ExprKind::kFilter: {
        const Value input = TILLCAST_TRY_PLAIN(eval(expr.children[0], scope));
        const CallArguments arguments = TILLCAST_TRY_PLAIN(eval_arguments(expr, scope));
        Value out = TILLCAST_TRY_PLAIN(placed(expr.at, apply_filter(expr.text, input, arguments, budget_)));
        return checked(expr.at, std::move(out));
      }
      case ExprKind::kTest: {
        const Value input = TILLCAST_TRY_PLAIN(eval(expr.children[0], scope));
        const CallArguments arguments = TILLCAST_TRY_PLAIN(eval_arguments(expr, scope));
        const bool passes =
            TILLCAST_TRY_PLAIN(placed(expr.at, apply_test(expr.text, input, arguments, budget_)));
        return Value(passes != expr.negated);
      }
      case ExprKind::kUnary: {
        const Value operand = TILLCAST_TRY_PLAIN(eval(expr.children[0], scope));
        if (expr.text == "not") return Value(!operand.truthy());
        if (operand.is_double()) return Value(expr.text == "-" ? -operand.as_number() : operand.as_number());
        return placed(expr.at, binary_operation(expr.text, Value(0), operand, budget_));
      }
      case ExprKind::kBinary: {
        const Value left = TILLCAST_TRY_PLAIN(eval(expr.children[0], scope));
        const Value right = TILLCAST_TRY_PLAIN(eval(expr.children[1], scope));
        Value out = TILLCAST_TRY_PLAIN(placed(expr.at, binary_operation(expr.text, left, right, budget_)));
        return checked(expr.at, std::move(out));
      }
      case ExprKind::kCompare: {
        Value left = TILLCAST_TRY_PLAIN(eval(expr.children[0], scope));
        for (std::size_t i = 0; i < expr.names.size(); ++i) {
          Value right = TILLCAST_TRY_PLAIN(eval(expr.children[i + 1], scope));
          const bool holds =
              TILLCAST_TRY_PLAIN(placed(expr.at, compare_values(expr.names[i], left, right, budget_)));
          if (!holds) return Value(false);
          left = std::move(right);
        }
        return Value(true);
      }
      case ExprKind::kAnd:
      case ExprKind::kOr: {
        Value left = TILLCAST_TRY_PLAIN(eval(expr.children[0], scope));
        if (left.truthy() == (expr.kind == ExprKind::kOr)) return left;
        return eval(expr.children[1], scope);
      }
      case ExprKind::kConditional: {
        const Value condition = TILLCAST_TRY_PLAIN(eval(expr.children[1], scope));
        return eval(expr.children[condition.truthy() ? 0 : 2], scope);
      }
    }
    return Value();
  }

  Result<Value> checked(Position at, Value value) const {
    TILLCAST_TRY_PLAIN(placed(at, budget_.check_value(value)));
    return value;
  }

  Result<Value> lookup(const std::string& name, Scope& scope) {
    if (const Value* value = scope.find(name)) return *value;
    for (const auto& [key, value] : context_.globals)
      if (key == name) return value;
    if (const auto* entry = context_.macros != nullptr ? context_.macros->find(name) : nullptr)
      return Value::macro(name, entry->macro.get(), entry->source);
    return Value::undefined(name);
  }

  Result<Value> eval_dict(const Expr& expr, Scope& scope) {
    Value dict = Value::dict({});
    for (std::size_t i = 0; i + 1 < expr.children.size(); i += 2) {
      const Value key = TILLCAST_TRY_PLAIN(eval(expr.children[i], scope));
      if (!key.is_text() && !key.is_number())
        return fail(expr.children[i].at,
                    "a dict's key must be a string, found " + std::string(key.type_name()));
      TILLCAST_TRY_PLAIN(placed(expr.at, budget_.charge(i / 2)));
      Value item = TILLCAST_TRY_PLAIN(eval(expr.children[i + 1], scope));
      dict.set_member(key.to_text(), std::move(item));
    }
    return checked(expr.at, std::move(dict));
  }

  /// <package>.<macro>, when the package's name is not a variable.
  const MacroLibrary::Entry* packaged_macro(const Expr& expr, Scope& scope) const {
    const Expr& base = expr.children[0];
    if (base.kind != ExprKind::kName || base.text != context_.package || context_.macros == nullptr)
      return nullptr;
    return scope.find(base.text) == nullptr ? context_.macros->find(expr.text) : nullptr;
  }

  Result<Value> eval_attribute(const Expr& expr, Scope& scope) {
    if (const auto* entry = packaged_macro(expr, scope))
      return Value::macro(expr.text, entry->macro.get(), entry->source);
    const Value base = TILLCAST_TRY_PLAIN(eval(expr.children[0], scope));
    if (base.is_undefined()) return fail(expr.at, "'" + base.undefined_name() + "' is undefined");
    if (const Value* member = base.member(expr.text)) return *member;
    return Value::undefined(expr.text);
  }

  Result<Value> eval_index(const Expr& expr, Scope& scope) {
    const Value base = TILLCAST_TRY_PLAIN(eval(expr.children[0], scope));
    const Value index = TILLCAST_TRY_PLAIN(eval(expr.children[1], scope));
    if (base.is_undefined()) return fail(expr.at, "'" + base.undefined_name() + "' is undefined");
    if (base.is_dict() || base.is_object()) {
      const Value* member = base.member(index.to_text());
      return member != nullptr ? *member : Value::undefined(index.to_text());
    }
    if (!index.is_int() || (!base.is_list() && !base.is_text()))
      return fail(expr.at,
                  "cannot take element " + to_repr(index) + " of a " + std::string(base.type_name()));
    const List items = TILLCAST_TRY_PLAIN(placed(expr.at, iterate(base, budget_)));
    const auto size = static_cast<std::int64_t>(items.size());
    const std::int64_t at = index.as_int() < 0 ? index.as_int() + size : index.as_int();
    if (at < 0 || at >= size) return Value::undefined("element " + index.to_text());
    return items[static_cast<std::size_t>(at)];
  }

  Result<Value> eval_slice(const Expr& expr, Scope& scope) {
    const Value base = TILLCAST_TRY_PLAIN(eval(expr.children[0], scope));
    const Value from = TILLCAST_TRY_PLAIN(eval(expr.children[1], scope));
    const Value to = TILLCAST_TRY_PLAIN(eval(expr.children[2], scope));
    if ((!from.is_int() && !from.is_none()) || (!to.is_int() && !to.is_none()))
      return fail(expr.at, "a slice needs whole numbers");
    const List items = TILLCAST_TRY_PLAIN(placed(expr.at, iterate(base, budget_)));
    const auto size = static_cast<std::int64_t>(items.size());
    const auto bound = [&](const Value& value, std::int64_t otherwise) {
      if (value.is_none()) return otherwise;
      const std::int64_t at =
          value.as_int() < 0 ? std::max<std::int64_t>(value.as_int(), -size) + size : value.as_int();
      return std::clamp<std::int64_t>(at, 0, size);
    };
    const std::int64_t begin = bound(from, 0);
    const std::int64_t end = std::max(begin, bound(to, size));
    List part(items.begin() + begin, items.begin() + end);
    if (!base.is_text()) return Value::list(std::move(part));
    std::string text;
    for (const Value& item : part) text += item.as_text();
    return Value(std::move(text));
  }

  Result<CallArguments> eval_arguments(const Expr& expr, Scope& scope) {
    CallArguments arguments;
    for (std::size_t i = 1; i < expr.children.size(); ++i) {
      Value value = TILLCAST_TRY_PLAIN(eval(expr.children[i], scope));
      if (i - 1 < expr.names.size() && !expr.names[i - 1].empty()) {
        for (const auto& [name, unused] : arguments.named)
          if (name == expr.names[i - 1])
            return fail(expr.children[i].at, "the argument '" + name + "' is given twice");
        arguments.named.emplace_back(expr.names[i - 1], std::move(value));
      } else {
        arguments.positional.push_back(std::move(value));
      }
    }
    return arguments;
  }

  // --- calls --------------------------------------------------------------------------------------------

  Result<Value> eval_call(const Expr& expr, Scope& scope) {
    const Expr& callee = expr.children[0];
    if (callee.kind == ExprKind::kName && scope.find(callee.text) == nullptr) {
      if (auto built_in = TILLCAST_TRY_PLAIN(call_language_function(callee.text, expr, scope)))
        return *built_in;
    }
    if (callee.kind == ExprKind::kAttribute && packaged_macro(callee, scope) == nullptr)
      return eval_method(expr, callee, scope);
    const Value function = TILLCAST_TRY_PLAIN(eval(callee, scope));
    const CallArguments arguments = TILLCAST_TRY_PLAIN(eval_arguments(expr, scope));
    return call(function, arguments, expr.at);
  }

  Result<Value> call(const Value& function, const CallArguments& arguments, Position at) {
    if (function.is_undefined())
      return fail(at, "'" + function.undefined_name() + "' is undefined: there is no such function or macro");
    if (const Value* called = function.is_object() ? function.member("__call__") : nullptr)
      return call(*called, arguments, at);
    if (!function.is_callable())
      return fail(at, "a " + std::string(function.type_name()) + " cannot be called");
    const auto& body = function.as_callable();
    if (body.macro != nullptr) {
      auto result = call_macro_definition(*body.macro, arguments, at);
      if (!result && !returning_)
        result.error().message += "\n  in macro " + body.name + ", called at " + file_ + ":" +
                                  std::to_string(at.line) + ":" + std::to_string(at.column);
      return result;
    }
    return placed(at, body.function(arguments));
  }

  /// return, range, namespace, dict: nullopt when `name` is none of them.
  Result<std::optional<Value>> call_language_function(std::string_view name, const Expr& expr, Scope& scope) {
    if (name != "return" && name != "range" && name != "namespace" && name != "dict")
      return std::optional<Value>();
    const CallArguments arguments = TILLCAST_TRY_PLAIN(eval_arguments(expr, scope));
    if (name == "range") {
      Value range = TILLCAST_TRY_PLAIN(placed(expr.at, make_range(arguments, budget_)));
      return std::optional<Value>(std::move(range));
    }
    if (name == "return") {
      if (macro_depth_ == 0) return fail(expr.at, "return() outside a macro");
      returned_ = arguments.positional.empty() ? Value() : arguments.positional.front();
      returning_ = true;
      return fail(expr.at, "return() outside a macro");  // unwinds to the macro's call, which clears it
    }
    Value dict = Value::dict(arguments.named);
    TILLCAST_TRY_PLAIN(placed(expr.at, budget_.check_value(dict)));
    return std::optional<Value>(std::move(dict));
  }

  Result<Value> eval_method(const Expr& expr, const Expr& callee, Scope& scope) {
    const std::string& name = callee.text;
    if (name == "append" || name == "extend" || name == "update" || name == "pop") {
      const CallArguments arguments = TILLCAST_TRY_PLAIN(eval_arguments(expr, scope));
      return mutate(callee.children[0], scope,
                    [&](Value& target) { return change(name, target, arguments, expr.at); });
    }
    if (callee.children[0].kind == ExprKind::kName && callee.children[0].text == "adapter" &&
        name == "dispatch")
      return dispatch(expr, scope);
    const Value self = TILLCAST_TRY_PLAIN(eval(callee.children[0], scope));
    if (self.is_undefined()) return fail(callee.at, "'" + self.undefined_name() + "' is undefined");
    const CallArguments arguments = TILLCAST_TRY_PLAIN(eval_arguments(expr, scope));
    if (const Value* member = self.member(name); member != nullptr && member->is_callable())
      return call(*member, arguments, expr.at);
    Value out = TILLCAST_TRY_PLAIN(placed(expr.at, call_method(name, self, arguments, budget_)));
    return checked(expr.at, std::move(out));
  }

  /// adapter.dispatch('name'[, 'package']): tillcast__name, duckdb__name or default__name.
  Result<Value> dispatch(const Expr& expr, Scope& scope) {
    const CallArguments arguments = TILLCAST_TRY_PLAIN(eval_arguments(expr, scope));
    const Value* name = arguments.find(0, "macro_name");
    if (name == nullptr || !name->is_text())
      return fail(expr.at, "adapter.dispatch needs the name of a macro");
    for (const std::string_view prefix : {"tillcast__", "duckdb__", "default__"}) {
      const std::string full = std::string(prefix) + name->as_text();
      Value found = TILLCAST_TRY_PLAIN(lookup(full, scope));
      if (found.is_callable()) return found;
    }
    return fail(expr.at, "adapter.dispatch found none of the macros tillcast__" + name->as_text() +
                             ", duckdb__" + name->as_text() + ", default__" + name->as_text());
  }

  using Change = std::function<Result<Value>(Value&)>;

  /// Values are immutable and shared, so x.append(y) replaces the variable (or the member of a dict) it
  /// names.
  Result<Value> mutate(const Expr& place, Scope& scope, const Change& apply) {
    if (place.kind == ExprKind::kName) {
      Value* target = scope.find(place.text);
      if (target == nullptr) return fail(place.at, "'" + place.text + "' is no variable of this template");
      return apply(*target);
    }
    if (place.kind != ExprKind::kAttribute && place.kind != ExprKind::kIndex)
      return fail(place.at, "only a variable can be changed; give the value a name with {% set %}");
    std::string name = place.text;
    if (place.kind == ExprKind::kIndex) name = TILLCAST_TRY_PLAIN(eval(place.children[1], scope)).to_text();
    return mutate(place.children[0], scope, [&](Value& parent) -> Result<Value> {
      const Value* member = parent.is_dict() ? parent.member(name) : nullptr;
      if (member == nullptr) return fail(place.at, "'" + name + "' is undefined");
      Value changed = *member;
      Value out = TILLCAST_TRY_PLAIN(apply(changed));
      parent.set_member(name, std::move(changed));
      TILLCAST_TRY_PLAIN(placed(place.at, budget_.check_value(parent)));
      return out;
    });
  }

  Result<Value> change(const std::string& name, Value& target, const CallArguments& arguments, Position at) {
    const Value* argument = arguments.positional.empty() ? nullptr : &arguments.positional.front();
    TILLCAST_TRY_PLAIN(placed(at, budget_.charge(1 + target.weight() / 16)));
    if (name == "append" && target.is_list() && argument != nullptr) {
      target.append(*argument);
    } else if (name == "extend" && target.is_list() && argument != nullptr) {
      const List items = TILLCAST_TRY_PLAIN(placed(at, iterate(*argument, budget_)));
      for (const Value& item : items) target.append(item);
    } else if (name == "update" && target.is_dict() && (argument == nullptr || argument->is_dict())) {
      Dict items = argument != nullptr ? argument->as_dict() : Dict();
      items.insert(items.end(), arguments.named.begin(), arguments.named.end());
      for (const auto& [key, value] : items) {
        TILLCAST_TRY_PLAIN(placed(at, budget_.charge(1 + target.as_dict().size() / 4)));
        target.set_member(key, value);
      }
    } else if (name == "pop" && target.is_list() && argument == nullptr && !target.as_list().empty()) {
      List items = target.as_list();
      Value last = std::move(items.back());
      items.pop_back();
      target = Value::list(std::move(items));
      return last;
    } else {
      return fail(at,
                  "cannot " + name + " on a " + std::string(target.type_name()) + " with these arguments");
    }
    TILLCAST_TRY_PLAIN(placed(at, budget_.check_value(target)));
    return Value();
  }

  Result<Value> call_macro_definition(const MacroDefinition& macro, const CallArguments& arguments,
                                      Position at) {
    if (arguments.positional.size() > macro.parameters.size())
      return fail(at, "macro " + macro.name + " takes " + std::to_string(macro.parameters.size()) +
                          " arguments, found " + std::to_string(arguments.positional.size()));
    if (macro_depth_ >= budget_.limits().macro_depth_max)
      return fail(at, "macro calls are nested more than " + std::to_string(budget_.limits().macro_depth_max) +
                          " deep; does " + macro.name + " call itself?");
    Scope scope{&root_, {}};
    for (std::size_t i = 0; i < arguments.positional.size(); ++i)
      scope.set(macro.parameters[i].name, arguments.positional[i]);
    for (const auto& [name, value] : arguments.named) {
      const auto parameter = std::find_if(macro.parameters.begin(), macro.parameters.end(),
                                          [&](const MacroParameter& p) { return p.name == name; });
      if (parameter == macro.parameters.end())
        return fail(at, "macro " + macro.name + " has no parameter '" + name + "'");
      if (scope.find_own(name) != nullptr)
        return fail(at, "macro " + macro.name + ": the argument '" + name + "' is given twice");
      scope.set(name, value);
    }
    const std::string caller_file = std::exchange(file_, macro.file);
    ++macro_depth_;
    std::string out;
    Result<> done;
    for (const MacroParameter& parameter : macro.parameters) {
      if (scope.find_own(parameter.name) != nullptr) continue;
      Value value = Value::undefined(parameter.name);
      if (parameter.has_default) {
        auto evaluated = eval(parameter.default_value, scope);
        if (!evaluated) {
          done = Result<>(std::move(evaluated.error()));
          break;
        }
        value = *std::move(evaluated);
      }
      scope.set(parameter.name, std::move(value));
    }
    const int depth_before = depth_;
    if (done) done = run_block(macro.body, scope, out);
    depth_ = depth_before;
    --macro_depth_;
    file_ = caller_file;
    if (returning_) {
      returning_ = false;
      return std::exchange(returned_, Value());
    }
    if (!done) return std::move(done.error());
    return Value(std::move(out));
  }

  const RenderContext& context_;
  Budget budget_;
  std::string file_;
  Scope root_;
  int depth_ = 0;
  int macro_depth_ = 0;
  bool returning_ = false;
  Value returned_;
};

}  // namespace

Result<std::string> render(const ParsedTemplate& parsed, const RenderContext& context) {
  return Evaluator(context).run(parsed);
}

Result<Value> evaluate(const Expr& expr, std::string_view file, const RenderContext& context) {
  return Evaluator(context).run_expression(expr, file);
}

Result<Value> call_macro(std::string_view name, const CallArguments& arguments,
                         const RenderContext& context) {
  const auto* entry = context.macros != nullptr ? context.macros->find(name) : nullptr;
  if (entry == nullptr) return not_found("there is no macro '" + std::string(name) + "'");
  return Evaluator(context).run_macro(*entry, arguments);
}

}  // namespace tillcast::warehouse
