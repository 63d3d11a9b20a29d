{# Fails for every combination of `columns` (a comma-separated list) that occurs more than once. #}
{% test unique_combination(model, columns) %}
select {{ columns }}, count(*) as occurrences
from {{ model }}
group by {{ columns }}
having count(*) > 1
{% endtest %}
