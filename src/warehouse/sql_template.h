#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"
#include "warehouse/template_syntax.h"
#include "warehouse/template_value.h"

namespace tillcast::warehouse {

/// What a template may use before it is stopped with kInvalidInput, so that none can hang or fill memory.
struct TemplateLimits {
  int macro_depth_max = 50;
  std::size_t output_bytes_max = 16 << 20;
  std::size_t value_weight_max = 2'000'000;  ///< elements (and 8-byte pieces of text) of one value
  std::uint64_t steps_max = 5'000'000;  ///< evaluated expressions, loop rounds and 32-byte pieces of text
};

/// The macros of a project by name. Fill it, then share it: lookups are thread-safe.
class MacroLibrary {
 public:
  struct Entry {
    std::shared_ptr<const ParsedTemplate> source;
    std::shared_ptr<const MacroDefinition> macro;
  };
  /// Adds every macro and test block of a file; a name that exists already is kConflict, naming both places.
  Result<> add(const std::shared_ptr<const ParsedTemplate>& source);
  /// As add, but existing names win: for built-in macros that projects may replace.
  void add_defaults(const std::shared_ptr<const ParsedTemplate>& source);
  const Entry* find(std::string_view name) const;
  const std::map<std::string, Entry, std::less<>>& entries() const { return entries_; }

 private:
  std::map<std::string, Entry, std::less<>> entries_;
};

/// What a template sees: variables and functions (ref, var, ...), macros, and its limits.
struct RenderContext {
  Dict globals;
  const MacroLibrary* macros = nullptr;
  std::string package;  ///< the project's name: macros are also found as <package>.<macro>
  TemplateLimits limits;
};

/// Renders a template to SQL.
/// @return kInvalidInput "file:line:column: ..." for undefined names, wrong types, errors of the functions
/// called and exceeded limits; calls through macros add one line each. Thread-safe if the functions are.
Result<std::string> render(const ParsedTemplate& parsed, const RenderContext& context);
/// Evaluates an expression, for yaml's "ref('x')".
Result<Value> evaluate(const Expr& expr, std::string_view file, const RenderContext& context);
/// Calls a macro of the library; @return what it printed, or the value it gave to return().
/// kNotFound when there is no such macro.
Result<Value> call_macro(std::string_view name, const CallArguments& arguments, const RenderContext& context);

/// The known name nearest to `name` by edit distance, for "did you mean"; empty when none is near.
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

}  // namespace tillcast::warehouse
