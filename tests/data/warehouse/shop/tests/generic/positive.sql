{% test positive(model, column_name, at_least=0) %}
select {{ column_name }} from {{ model }} where {{ column_name }} < {{ at_least }}
{% endtest %}

{% test dbt_like_pair(model, columns) %}
select {{ columns | join(', ') }} from {{ model }} group by {{ columns | join(', ') }} having count(*) > 1
{% endtest %}
