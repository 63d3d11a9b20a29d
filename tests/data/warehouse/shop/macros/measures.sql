{% macro total(column, digits=2) %}{{ adapter.dispatch('total')(column, digits) }}{% endmacro %}
{% macro default__total(column, digits) %}cast(sum({{ column }}) as decimal(18, {{ digits }})){% endmacro %}
