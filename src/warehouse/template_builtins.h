#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"
#include "warehouse/sql_template.h"

namespace tillcast::warehouse {

/// Counts what a template has used; every function below charges what it walks or writes.
class Budget {
 public:
  explicit Budget(const TemplateLimits& limits) : limits_(limits) {}
  Result<> charge(std::uint64_t steps) {
    steps_ += steps;
    if (steps_ > limits_.steps_max)
      return invalid_input("the template needs more than " + std::to_string(limits_.steps_max) +
                           " steps; shorten its loops");
    return {};
  }
  /// Charges for text of that size, refused when larger than a template may write.
  Result<> charge_text(std::size_t bytes) {
    if (bytes > limits_.output_bytes_max)
      return invalid_input("the template makes text of more than " +
                           std::to_string(limits_.output_bytes_max) + " bytes");
    return charge(1 + bytes / 32);
  }
  /// Refuses values that are too large or too deep to walk.
  Result<> check_value(const Value& value) const {
    if (value.weight() > limits_.value_weight_max)
      return invalid_input("a list or dict of the template is too large");
    if (value.depth() > 50)
      return invalid_input("a list or dict of the template is nested more than 50 deep");
    return {};
  }
  const TemplateLimits& limits() const { return limits_; }

 private:
  TemplateLimits limits_;
  std::uint64_t steps_ = 0;
};

// The messages of these have no position: the evaluator puts it in front.

Result<Value> binary_operation(std::string_view op, const Value& left, const Value& right, Budget& budget);
/// Below 0, 0 or above 0 as a comes before, with or after b; numbers or texts only.
Result<int> order_values(const Value& a, const Value& b);
/// "length needs a list, found int"; names the variable when it is undefined.
Error wrong_type(std::string_view what, std::string_view expected, const Value& found);
/// op: == != < <= > >= in, not in
Result<bool> compare_values(std::string_view op, const Value& left, const Value& right, Budget& budget);
/// x | name(arguments)
Result<Value> apply_filter(std::string_view name, const Value& input, const CallArguments& arguments,
                           Budget& budget);
/// x is name(arguments)
Result<bool> apply_test(std::string_view name, const Value& input, const CallArguments& arguments,
                        Budget& budget);
/// Methods of text, lists and dicts that change nothing: 'a'.upper(), d.items(), l.index(x).
/// kNotFound when the type has no such method.
Result<Value> call_method(std::string_view name, const Value& self, const CallArguments& arguments,
                          Budget& budget);
/// What a for loop walks: elements of a list, keys of a dict, characters of text.
Result<List> iterate(const Value& value, Budget& budget);
/// range(stop) or range(start, stop[, step])
Result<Value> make_range(const CallArguments& arguments, Budget& budget);

}  // namespace tillcast::warehouse
