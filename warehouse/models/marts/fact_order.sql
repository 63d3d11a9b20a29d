-- One row per order with all its lines, even where their timestamps differ: the order's time and day are its earliest.
select
    lines.order_key,
    ids.order_id,
    lines.ordered_at,
    lines.business_date,
    lines.store_key,
    lines.customer_key,
    lines.country_key,
    lines.kind_key,
    lines.is_sale,
    lines.lines,
    lines.units,
    lines.gross_amount,
    lines.returned_units,
    lines.returned_amount,
    lines.other_units,
    lines.adjustment_amount,
    lines.net_amount
from (
    select
        order_key,
        min(ordered_at) as ordered_at,
        min(business_date) as business_date,
        min(store_key) as store_key,
        min(customer_key) as customer_key,
        min(country_key) as country_key,
        min(kind_key) as kind_key,
        count({{ sold('1') }}) > 0 as is_sale,
        cast(count(*) as integer) as lines,
        {{ units_sum(sold('quantity')) }} as units,
        {{ money_sum(sold('amount')) }} as gross_amount,
        {{ units_sum(returned('-quantity')) }} as returned_units,
        {{ money_sum(returned('-amount')) }} as returned_amount,
        {{ units_sum(other('quantity')) }} as other_units,
        {{ money_sum(other('amount')) }} as adjustment_amount,
        {{ money_sum('amount') }} as net_amount
    from {{ ref('fact_sale_line') }}
    where order_key <> 0
    group by order_key
) as lines
left join (
    select order_key, min(order_id) as order_id
    from {{ source('silver', 'sale_line') }}
    group by order_key
) as ids on ids.order_key = lines.order_key
