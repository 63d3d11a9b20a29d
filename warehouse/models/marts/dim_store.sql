-- Every store that sold, stated a day or was described. Keys grow in the order of loading (see dim_country);
-- of several descriptions the newest load wins.
with seen as (
    select store_id, min(load_seq) as load_seq from {{ source('silver', 'sale_line') }} group by store_id
    union all
    select store_id, min(load_seq) as load_seq from {{ source('silver', 'store_day') }} group by store_id
    union all
    select store_id, load_seq from {{ source('silver', 'store') }}
),
stores as (
    select store_id, min(load_seq) as first_load_seq from seen group by store_id
),
described as (
    select
        *,
        row_number() over (partition by store_id order by load_seq desc nulls last, source_row desc nulls last) as age
    from {{ source('silver', 'store') }}
)
select
    cast(row_number() over (order by stores.first_load_seq asc nulls first, stores.store_id asc nulls first) as integer) as store_key,
    stores.store_id,
    coalesce(described.store_name, stores.store_id) as store_name,
    described.store_type,
    described.assortment,
    described.country,
    described.region,
    described.competition_distance_m,
    described.competition_since,
    described.promo2_since,
    described.promo2_months
from stores
left join described on described.store_id = stores.store_id and described.age = 1
