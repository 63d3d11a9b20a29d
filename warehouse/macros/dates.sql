{# Date functions differ between engines; models call these only. Every result is a DATE or an INTEGER. #}

{% macro month_start(date) %}cast(date_trunc('month', {{ date }}) as date){% endmacro %}

{% macro week_start(date) %}cast(date_trunc('week', {{ date }}) as date){% endmacro %}

{# Whole days from one DATE to another. #}
{% macro days_between(from_date, to_date) %}{{ adapter.dispatch('days_between')(from_date, to_date) }}{% endmacro %}
{% macro default__days_between(from_date, to_date) %}cast(date_diff('day', {{ from_date }}, {{ to_date }}) as integer){% endmacro %}
{% macro spark__days_between(from_date, to_date) %}cast(datediff({{ to_date }}, {{ from_date }}) as integer){% endmacro %}

{# Monday 1 .. Sunday 7. #}
{% macro weekday(date) %}{{ adapter.dispatch('weekday')(date) }}{% endmacro %}
{% macro default__weekday(date) %}cast(extract(isodow from {{ date }}) as integer){% endmacro %}
{% macro spark__weekday(date) %}cast(weekday({{ date }}) + 1 as integer){% endmacro %}

{# The year that an ISO week belongs to: 2012-01-01 is in week 52 of 2011. #}
{% macro iso_year(date) %}{{ adapter.dispatch('iso_year')(date) }}{% endmacro %}
{% macro default__iso_year(date) %}cast(extract(isoyear from {{ date }}) as integer){% endmacro %}
{% macro spark__iso_year(date) %}cast(extract(yearofweek from {{ date }}) as integer){% endmacro %}

{# One row per day, column `date`, both ends included; no row when an end is null. #}
{% macro date_spine(first_date, last_date) %}{{ adapter.dispatch('date_spine')(first_date, last_date) }}{% endmacro %}
{% macro default__date_spine(first_date, last_date) %}select cast(unnest(generate_series(cast({{ first_date }} as timestamp), cast({{ last_date }} as timestamp), interval 1 day)) as date) as business_date{% endmacro %}
{% macro spark__date_spine(first_date, last_date) %}select explode(sequence({{ first_date }}, {{ last_date }}, interval 1 day)) as business_date{% endmacro %}
