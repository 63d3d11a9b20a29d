{# The definitions behind every figure, in one place. They apply to rows with kind_key and amount.
   A line is priced when its amount is not 0; a null amount (a source without prices) counts as priced. #}

{% macro kind_key(kind) %}cast(case {{ kind }} when 'sale' then 1 when 'return' then 2 when 'cancellation' then 3 when 'adjustment' then 4 when 'fee' then 5 end as tinyint){% endmacro %}

{% macro is_priced() %}(amount is null or amount <> 0){% endmacro %}

{# Gross sales: sale and fee lines with a price. #}
{% macro is_sold() %}(kind_key in (1, 5) and {{ is_priced() }}){% endmacro %}

{# Taken back: return and cancellation lines with a price. Write-offs at price 0 are not returns. #}
{% macro is_returned() %}(kind_key in (2, 3) and {{ is_priced() }}){% endmacro %}

{# `value` on the lines of each sort, null on others: {{ money_sum(sold('amount')) }}. Every line is in exactly one of
   sold, returned and other. #}
{% macro sold(value) %}case when {{ is_sold() }} then {{ value }} end{% endmacro %}

{% macro returned(value) %}case when {{ is_returned() }} then {{ value }} end{% endmacro %}

{% macro other(value) %}case when not {{ is_sold() }} and not {{ is_returned() }} then {{ value }} end{% endmacro %}

{# Sums as decimals; 0 when there is nothing to add. `digits` 18 within an order or a day, 38 for totals. #}
{% macro money_sum(expression, digits=18) %}cast(coalesce(sum({{ expression }}), 0) as decimal({{ digits }}, 4)){% endmacro %}

{% macro units_sum(expression, digits=18) %}cast(coalesce(sum({{ expression }}), 0) as decimal({{ digits }}, 3)){% endmacro %}

{% macro count_of(expression) %}cast(count({{ expression }}) as bigint){% endmacro %}

{# Dividing money: exact to 4 places, null when there is nothing to divide by. #}
{% macro money_per(amount, count) %}cast({{ amount }} / nullif({{ count }}, 0) as decimal(18, 4)){% endmacro %}

{% macro ratio(part, whole) %}cast({{ part }} as double) / nullif(cast({{ whole }} as double), 0){% endmacro %}
