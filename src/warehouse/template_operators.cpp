#include <algorithm>
#include <cmath>

#include "warehouse/template_builtins.h"

namespace tillcast::warehouse {
namespace {

Error overflow(std::string_view op) {
  return invalid_input("the result of " + std::string(op) + " does not fit 64 bits");
}

}  // namespace

Error wrong_type(std::string_view what, std::string_view expected, const Value& found) {
  if (found.is_undefined()) return invalid_input("'" + found.undefined_name() + "' is undefined");
  return invalid_input(std::string(what) + " needs " + std::string(expected) + ", found " +
                       std::string(found.type_name()));
}

Result<int> order_values(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    if (!a.is_double() && !b.is_double())
      return a.as_int() < b.as_int() ? -1 : a.as_int() > b.as_int() ? 1 : 0;
    if (std::isnan(a.as_number()) || std::isnan(b.as_number()))  // last, so that sorting has one answer
      return (std::isnan(a.as_number()) ? 1 : 0) - (std::isnan(b.as_number()) ? 1 : 0);
    return a.as_number() < b.as_number() ? -1 : a.as_number() > b.as_number() ? 1 : 0;
  }
  if (a.is_text() && b.is_text()) return a.as_text().compare(b.as_text());
  if (a.is_undefined()) return wrong_type("a comparison", "values", a);
  if (b.is_undefined()) return wrong_type("a comparison", "values", b);
  return invalid_input("cannot order " + std::string(a.type_name()) + " and " + std::string(b.type_name()));
}

Result<Value> make_range(const CallArguments& arguments, Budget& budget) {
  if (arguments.positional.empty() || arguments.positional.size() > 3 || !arguments.named.empty())
    return invalid_input("range needs one to three whole numbers");
  std::int64_t bounds[3] = {0, 0, 1};
  for (std::size_t i = 0; i < arguments.positional.size(); ++i) {
    if (!arguments.positional[i].is_int())
      return wrong_type("range", "whole numbers", arguments.positional[i]);
    bounds[i] = arguments.positional[i].as_int();
  }
  if (arguments.positional.size() == 1) std::swap(bounds[0], bounds[1]);
  const auto [start, stop, step] = bounds;
  if (step == 0) return invalid_input("range needs a step other than 0");
  List items;
  for (std::int64_t at = start; step > 0 ? at < stop : at > stop;) {
    TILLCAST_TRY_PLAIN(budget.charge(1));
    if (items.size() >= budget.limits().value_weight_max) return invalid_input("range is too long");
    items.emplace_back(at);
    if (__builtin_add_overflow(at, step, &at)) break;
  }
  return Value::list(std::move(items));
}

Result<Value> binary_operation(std::string_view op, const Value& left, const Value& right, Budget& budget) {
  if (left.is_undefined()) return wrong_type(op, "values", left);
  if (right.is_undefined()) return wrong_type(op, "values", right);
  if (op == "~" || (op == "+" && left.is_text() && right.is_text())) {
    TILLCAST_TRY_PLAIN(budget.charge(left.weight() / 4 + right.weight() / 4));
    std::string text = left.to_text() + right.to_text();
    TILLCAST_TRY_PLAIN(budget.charge_text(text.size()));
    return Value(std::move(text));
  }
  if (op == "+" && left.is_list() && right.is_list()) {
    List items = TILLCAST_TRY_PLAIN(iterate(left, budget));
    const List more = TILLCAST_TRY_PLAIN(iterate(right, budget));
    items.insert(items.end(), more.begin(), more.end());
    return Value::list(std::move(items));
  }
  if (op == "*" && left.is_text() && right.is_int()) {
    const std::int64_t times = std::max<std::int64_t>(right.as_int(), 0);
    std::int64_t bytes = 0;
    if (__builtin_mul_overflow(static_cast<std::int64_t>(left.as_text().size()), times, &bytes))
      return overflow(op);
    TILLCAST_TRY_PLAIN(budget.charge_text(static_cast<std::size_t>(bytes)));
    std::string text;
    text.reserve(static_cast<std::size_t>(bytes));
    for (std::int64_t i = 0; bytes > 0 && i < times; ++i) text += left.as_text();
    return Value(std::move(text));
  }
  if (!left.is_number())
    return wrong_type("'" + std::string(op) + "'", "a number here (use ~ to join text)", left);
  if (!right.is_number())
    return wrong_type("'" + std::string(op) + "'", "a number here (use ~ to join text)", right);
  const bool whole = !left.is_double() && !right.is_double();
  if ((op == "/" || op == "//" || op == "%") && right.as_number() == 0.0)
    return invalid_input("division by zero");
  if (op == "/") return Value(left.as_number() / right.as_number());
  if (!whole) {
    const double a = left.as_number();
    const double b = right.as_number();
    if (op == "+") return Value(a + b);
    if (op == "-") return Value(a - b);
    if (op == "*") return Value(a * b);
    if (op == "//") return Value(std::floor(a / b));
    if (op == "%") return Value(a - b * std::floor(a / b));
    return Value(std::pow(a, b));
  }
  const std::int64_t a = left.as_int();
  const std::int64_t b = right.as_int();
  std::int64_t out = 0;
  if (op == "+") return __builtin_add_overflow(a, b, &out) ? Result<Value>(overflow(op)) : Value(out);
  if (op == "-") return __builtin_sub_overflow(a, b, &out) ? Result<Value>(overflow(op)) : Value(out);
  if (op == "*") return __builtin_mul_overflow(a, b, &out) ? Result<Value>(overflow(op)) : Value(out);
  if (op == "//" || op == "%") {
    if (b == -1)
      return op == "%"                                          ? Value(0)
             : __builtin_sub_overflow(std::int64_t{0}, a, &out) ? Result<Value>(overflow(op))
                                                                : Value(out);
    const std::int64_t quotient = a / b - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
    return Value(op == "//" ? quotient : a - quotient * b);
  }
  if (b < 0) return Value(std::pow(static_cast<double>(a), static_cast<double>(b)));
  if (b > 64 && (a > 1 || a < -1)) return overflow(op);
  out = 1;
  for (std::int64_t i = 0; i < (b > 64 ? 64 + b % 2 : b); ++i)
    if (__builtin_mul_overflow(out, a, &out)) return overflow(op);
  return Value(out);
}

Result<bool> compare_values(std::string_view op, const Value& left, const Value& right, Budget& budget) {
  TILLCAST_TRY_PLAIN(budget.charge(1 + std::min(left.weight(), right.weight()) / 4));
  if (op == "==") return left == right;
  if (op == "!=") return !(left == right);
  if (op == "in" || op == "not in") {
    TILLCAST_TRY_PLAIN(budget.charge(right.weight() / 4));
    bool found = false;
    if (right.is_text()) {
      if (!left.is_text()) return wrong_type("'in' a string", "a string", left);
      found = right.as_text().find(left.as_text()) != std::string::npos;
    } else if (right.is_list()) {
      found = std::find(right.as_list().begin(), right.as_list().end(), left) != right.as_list().end();
    } else if (right.is_dict()) {
      found = left.is_text() && right.member(left.as_text()) != nullptr;
    } else {
      return wrong_type("'in'", "a list, dict or string on its right", right);
    }
    return found == (op == "in");
  }
  const int ordered = TILLCAST_TRY_PLAIN(order_values(left, right));
  if (op == "<") return ordered < 0;
  if (op == "<=") return ordered <= 0;
  if (op == ">") return ordered > 0;
  return ordered >= 0;
}

}  // namespace tillcast::warehouse
