-- Every priced return line is in fact_return once, and no sale is taken back by more units than it sold.
with lines as (
    select count(*) as lines, {{ units_sum('-quantity', 38) }} as units, {{ money_sum('-amount', 38) }} as amount
    from {{ ref('fact_sale_line') }}
    where {{ is_returned() }}
),
returns as (
    select count(*) as lines, {{ units_sum('units', 38) }} as units, {{ money_sum('returned_amount', 38) }} as amount
    from {{ ref('fact_return') }}
),
taken_back as (
    select sale_order_key, sale_line_no, sum(units) as units
    from {{ ref('fact_return') }}
    where is_linked and sale_order_key <> 0
    group by sale_order_key, sale_line_no
),
overdrawn as (
    select count(*) as sales
    from taken_back
    inner join {{ ref('fact_sale_line') }} as sale
        on sale.order_key = taken_back.sale_order_key and sale.line_no = taken_back.sale_line_no
    where taken_back.units > sale.quantity
)
select lines.*, returns.lines as return_lines, returns.units as return_units, returns.amount as return_amount, overdrawn.sales as overdrawn_sales
from lines
cross join returns
cross join overdrawn
where lines.lines <> returns.lines or lines.units <> returns.units or lines.amount <> returns.amount or overdrawn.sales > 0
