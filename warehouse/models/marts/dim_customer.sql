-- One row per customer and one Unknown member (key 0) for all anonymous sales. The country is the one of most orders,
-- of equals the one of the latest order.
with identified as (
    select customer_key, min(customer_id) as customer_id
    from {{ ref('stg_sale_line') }}
    where customer_key <> 0
    group by customer_key
),
places as (
    select
        customer_key,
        country_key,
        count(*) as sales,
        max(business_date) as last_date
    from {{ ref('stg_sale') }}
    where customer_key <> 0
    group by customer_key, country_key
),
ranked as (
    select
        customer_key,
        country_key,
        row_number() over (
            partition by customer_key
            order by sales desc nulls last, last_date desc nulls last, country_key asc nulls last
        ) as place
    from places
),
ordered as (
    select
        customer_key,
        min(business_date) as first_order_date,
        max(business_date) as last_order_date
    from {{ ref('stg_sale') }}
    where customer_key <> 0 and (orders > 0 or units > 0)
    group by customer_key
)
select
    identified.customer_key,
    identified.customer_id,
    ranked.country_key,
    ordered.first_order_date,
    ordered.last_order_date
from identified
inner join ranked on ranked.customer_key = identified.customer_key and ranked.place = 1
left join ordered on ordered.customer_key = identified.customer_key
union all
select
    cast(0 as bigint) as customer_key,
    'Unknown' as customer_id,
    cast(0 as smallint) as country_key,
    cast(null as date) as first_order_date,
    cast(null as date) as last_order_date
