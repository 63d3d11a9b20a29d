-- Keys grow in the order of loading, so that a later load never changes the key of a known country.
with seen as (
    select country, min(load_seq) as first_load_seq
    from {{ source('silver', 'sale_line') }}
    where country <> 'Unknown'
    group by country
)
select
    cast(row_number() over (order by first_load_seq asc nulls first, country asc nulls first) as smallint) as country_key,
    country
from seen
union all
select cast(0 as smallint) as country_key, 'Unknown' as country
