-- Demand, its returns and what demand leaves out (services, fees, adjustments, lines without a price) add up to silver.
with excluded as (
    select
        count(*) as lines,
        {{ units_sum('line.quantity', 38) }} as units,
        {{ money_sum('line.amount', 38) }} as amount
    from {{ source('silver', 'sale_line') }} as line
    inner join {{ ref('dim_product') }} as product on product.product_key = coalesce(line.product_key, 0)
    where product.is_service or line.kind in ('adjustment', 'fee') or line.amount = 0
),
demand as (
    select
        {{ units_sum('units - returned_units', 38) }} as units,
        {{ money_sum('revenue - returned_amount', 38) }} as amount
    from {{ ref('demand_daily') }}
),
silver as (
    select {{ units_sum('quantity', 38) }} as units, {{ money_sum('amount', 38) }} as amount
    from {{ source('silver', 'sale_line') }}
)
select demand.units, excluded.units as excluded_units, silver.units as silver_units, demand.amount, excluded.amount as excluded_amount, silver.amount as silver_amount
from demand
cross join excluded
cross join silver
where demand.units + excluded.units <> silver.units or demand.amount + excluded.amount <> silver.amount
