// Templates, expressions and yaml of the dbt project: any bytes must end in a result, within the limits.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "warehouse/sql_template.h"
#include "warehouse/yaml_reader.h"

using namespace tillcast::warehouse;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 8 == 0) {
    if (const auto yaml = read_yaml(text, "f.yml")) (void)to_json(yaml->to_value()).size();
    return 0;
  }
  RenderContext context;
  context.limits.steps_max = 50'000;
  context.limits.output_bytes_max = 200'000;
  context.limits.value_weight_max = 50'000;
  context.globals = {{"x", Value("text")},
                     {"n", Value(3)},
                     {"l", Value::list({Value(1), Value("b"), Value()})},
                     {"d", Value::dict({{"k", Value("v")}})},
                     {"this", Value::object("\"s\".\"t\"", {{"schema", Value("s")}})}};
  MacroLibrary macros;
  context.macros = &macros;
  context.package = "p";
  if (const auto parsed = parse_template(text, "f.sql")) {
    (void)macros.add(*parsed).has_value();
    (void)render(**parsed, context).has_value();
  }
  if (const auto expr = parse_expression(text, "f.sql")) {
    if (const auto value = evaluate(*expr, "f.sql", context)) (void)to_repr(*value).size();
  }
  return 0;
}
