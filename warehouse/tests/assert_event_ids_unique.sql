-- No event is in silver twice.
select event_id, count(*) as occurrences
from {{ source('silver', 'sale_line') }}
group by event_id
having count(*) > 1
