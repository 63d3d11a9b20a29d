-- No event is in silver twice. Grouping 64-bit hashes finds suspects at a third of the price of grouping the ids; only
-- suspects are then compared as they are.
select event_id, count(*) as occurrences
from {{ source('silver', 'sale_line') }}
where {{ text_hash('event_id') }} in (
    select {{ text_hash('event_id') }}
    from {{ source('silver', 'sale_line') }}
    group by {{ text_hash('event_id') }}
    having count(*) > 1
)
group by event_id
having count(*) > 1
