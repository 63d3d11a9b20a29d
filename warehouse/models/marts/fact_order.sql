-- One row per order with all its lines, even where their timestamps differ: the order's time and day are its earliest.
-- Lines are summed per kind first: nearly every order has one, so that few rows are left for the sums by case.
with by_kind as (
    select
        order_key,
        kind_key,
        {{ is_priced() }} as is_priced,
        min(ordered_at) as ordered_at,
        min(business_date) as business_date,
        min(store_key) as store_key,
        min(customer_key) as customer_key,
        min(country_key) as country_key,
        count(*) as lines,
        sum(quantity) as quantity,
        sum(amount) as amount
    from {{ ref('fact_sale_line') }}
    where order_key <> 0
    group by order_key, kind_key, {{ is_priced() }}
),
orders as (
    select
        order_key,
        min(ordered_at) as ordered_at,
        min(business_date) as business_date,
        min(store_key) as store_key,
        min(customer_key) as customer_key,
        min(country_key) as country_key,
        min(kind_key) as kind_key,
        max(case when is_priced and kind_key in (1, 5) then 1 else 0 end) = 1 as is_sale,
        cast(sum(lines) as integer) as lines,
        {{ units_sum('case when is_priced and kind_key in (1, 5) then quantity end') }} as units,
        {{ money_sum('case when is_priced and kind_key in (1, 5) then amount end') }} as gross_amount,
        {{ units_sum('case when is_priced and kind_key in (2, 3) then -quantity end') }} as returned_units,
        {{ money_sum('case when is_priced and kind_key in (2, 3) then -amount end') }} as returned_amount,
        {{ units_sum('case when not is_priced or kind_key = 4 then quantity end') }} as other_units,
        {{ money_sum('case when kind_key = 4 then amount end') }} as adjustment_amount,
        {{ money_sum('amount') }} as net_amount
    from by_kind
    group by order_key
),
ids as (
    select order_key, min(order_id) as order_id
    from {{ source('silver', 'sale_line') }}
    group by order_key
)
select
    orders.order_key,
    ids.order_id,
    orders.ordered_at,
    orders.business_date,
    orders.store_key,
    orders.customer_key,
    orders.country_key,
    orders.kind_key,
    orders.is_sale,
    orders.lines,
    orders.units,
    orders.gross_amount,
    orders.returned_units,
    orders.returned_amount,
    orders.other_units,
    orders.adjustment_amount,
    orders.net_amount
from orders
left join ids on ids.order_key = orders.order_key
