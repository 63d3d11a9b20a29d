-- The currencies of the lines, mostly one; sources without prices state none.
select
    currency,
    count(*) as lines
from {{ source('silver', 'sale_line') }}
where currency is not null
group by currency
