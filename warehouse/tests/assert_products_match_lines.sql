-- Product performance adds up to the priced lines, in units and money.
with lines as (
    select
        {{ units_sum(sold('quantity'), 38) }} as units,
        {{ money_sum(sold('amount'), 38) }} as revenue,
        {{ units_sum(returned('-quantity'), 38) }} as returned_units,
        {{ money_sum(returned('-amount'), 38) }} as returned_amount
    from {{ ref('fact_sale_line') }}
),
products as (
    select
        {{ units_sum('units', 38) }} as units,
        {{ money_sum('revenue', 38) }} as revenue,
        {{ units_sum('returned_units', 38) }} as returned_units,
        {{ money_sum('returned_amount', 38) }} as returned_amount
    from {{ ref('product_performance') }}
)
select lines.*, products.units as product_units, products.revenue as product_revenue
from lines
cross join products
where lines.units <> products.units
    or lines.revenue <> products.revenue
    or lines.returned_units <> products.returned_units
    or lines.returned_amount <> products.returned_amount
