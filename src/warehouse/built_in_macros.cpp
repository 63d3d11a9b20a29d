#include "core/check.h"
#include "warehouse/compiler_internal.h"

namespace tillcast::warehouse {
namespace {

constexpr std::string_view kSource = R"JINJA(
{% test unique(model, column_name) %}
select {{ column_name }} as unique_field, count(*) as n_records
from {{ model }}
where {{ column_name }} is not null
group by {{ column_name }}
having count(*) > 1
{% endtest %}

{% test not_null(model, column_name) %}
select * from {{ model }} where {{ column_name }} is null
{% endtest %}

{% test accepted_values(model, column_name, values, quote=true) %}
select {{ column_name }} as value_field, count(*) as n_records
from {{ model }}
where {{ column_name }} not in (
  {%- for value in values %}{{ "'" ~ (value | replace("'", "''")) ~ "'" if quote else value }}{{ ", " if not loop.last }}{% endfor -%}
)
group by {{ column_name }}
{% endtest %}

{% test relationships(model, column_name, to, field) %}
select child.{{ column_name }} as from_field
from {{ model }} as child
left join {{ to }} as parent on child.{{ column_name }} = parent.{{ field }}
where child.{{ column_name }} is not null and parent.{{ field }} is null
{% endtest %}

{% macro generate_schema_name(custom_schema_name, node) -%}
{{ target.schema if not custom_schema_name else target.schema ~ '_' ~ (custom_schema_name | trim) }}
{%- endmacro %}
)JINJA";

}  // namespace

std::shared_ptr<const ParsedTemplate> built_in_macros() {
  static const std::shared_ptr<const ParsedTemplate> kParsed = [] {
    auto parsed = parse_template(kSource, "built-in macros");
    TILLCAST_CHECK(parsed.has_value(), "the built-in macros do not parse");
    return *parsed;
  }();
  return kParsed;
}

}  // namespace tillcast::warehouse
