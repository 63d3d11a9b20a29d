-- What customers wanted: one row per store, product and day with sales or returns. Service codes, fees, adjustments and
-- lines without a price are left out; returns stand apart and do not lower the units sold. Returns are few: adding
-- them back to the net sums is cheaper than sums by case over every line.
with net as (
    select
        store_key,
        product_key,
        business_date,
        cast(count(*) as integer) as lines,
        {{ units_sum('quantity') }} as units,
        {{ money_sum('amount') }} as amount,
        bool_or(promotion) as promotion
    from {{ ref('fact_sale_line') }}
    where kind_key in (1, 2, 3) and {{ is_priced() }}
    group by store_key, product_key, business_date
),
back as (
    select
        store_key,
        product_key,
        business_date,
        cast(count(*) as integer) as lines,
        {{ units_sum('-quantity') }} as units,
        {{ money_sum('-amount') }} as amount
    from {{ ref('fact_sale_line') }}
    where {{ is_returned() }}
    group by store_key, product_key, business_date
),
demand as (
    select
        net.store_key,
        net.product_key,
        net.business_date,
        cast(net.lines - coalesce(back.lines, 0) as integer) as lines,
        cast(net.units + coalesce(back.units, 0) as decimal(18, 3)) as units,
        cast(net.amount + coalesce(back.amount, 0) as decimal(18, 4)) as revenue,
        cast(coalesce(back.units, 0) as decimal(18, 3)) as returned_units,
        cast(coalesce(back.amount, 0) as decimal(18, 4)) as returned_amount,
        net.promotion
    from net
    left join back
        on back.store_key = net.store_key
        and back.product_key = net.product_key
        and back.business_date = net.business_date
    where net.product_key not in (select product_key from {{ ref('dim_product') }} where is_service)
)
select
    demand.store_key,
    demand.product_key,
    demand.business_date,
    demand.lines,
    demand.units,
    demand.revenue,
    {{ money_per('nullif(demand.revenue, 0)', 'demand.units') }} as average_price,
    demand.returned_units,
    demand.returned_amount,
    coalesce(demand.promotion, day.promotion) as promotion,
    coalesce(day.is_open, true) as is_open
from demand
left join {{ ref('stg_store_day') }} as day on day.store_key = demand.store_key and day.business_date = demand.business_date
