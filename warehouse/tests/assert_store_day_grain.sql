-- A store states a day once.
select store_id, business_date, count(*) as occurrences
from {{ source('silver', 'store_day') }}
group by store_id, business_date
having count(*) > 1
