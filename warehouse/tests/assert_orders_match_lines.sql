-- Orders and the lines without an order add up to all lines: rows, units of every sort, money of every sort.
with lines as (
    select
        count(*) as lines,
        {{ units_sum('quantity', 38) }} as units,
        {{ money_sum(sold('amount'), 38) }} as gross_amount,
        {{ money_sum(returned('-amount'), 38) }} as returned_amount,
        {{ money_sum('amount', 38) }} as net_amount
    from {{ ref('fact_sale_line') }}
    where order_key <> 0
),
orders as (
    select
        coalesce(sum(lines), 0) as lines,
        {{ units_sum('units - returned_units + other_units', 38) }} as units,
        {{ money_sum('gross_amount', 38) }} as gross_amount,
        {{ money_sum('returned_amount', 38) }} as returned_amount,
        {{ money_sum('net_amount', 38) }} as net_amount,
        {{ money_sum('gross_amount - returned_amount + adjustment_amount', 38) }} as parts_amount
    from {{ ref('fact_order') }}
)
select lines.*, orders.lines as order_lines, orders.units as order_units, orders.net_amount as order_net_amount
from lines
cross join orders
where lines.lines <> orders.lines
    or lines.units <> orders.units
    or lines.gross_amount <> orders.gross_amount
    or lines.returned_amount <> orders.returned_amount
    or lines.net_amount <> orders.net_amount
    or orders.parts_amount <> orders.net_amount
