{# Everything positive. #}
select id, day, region, amount
from {{ source('raw', 'sales') }}
where amount >= {{ var('minimum') }}
