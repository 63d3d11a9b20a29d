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
-- An order that comes in two files has its line numbers twice, so the sale's own words tell its lines apart.
taken_back as (
    select sale_order_key, sale_line_no, product_key, customer_key, unit_price, sum(units) as units
    from {{ ref('fact_return') }}
    where is_linked and sale_order_key <> 0
    group by sale_order_key, sale_line_no, product_key, customer_key, unit_price
),
sold as (
    select sale.order_key, sale.line_no, sale.product_key, sale.customer_key, sale.unit_price, sum(sale.quantity) as units
    from {{ ref('fact_sale_line') }} as sale
    inner join (select distinct sale_order_key, sale_line_no from taken_back) as wanted
        on wanted.sale_order_key = sale.order_key and wanted.sale_line_no = sale.line_no
    where sale.kind_key = 1
    group by sale.order_key, sale.line_no, sale.product_key, sale.customer_key, sale.unit_price
),
overdrawn as (
    select count(*) as sales
    from taken_back
    inner join sold
        on sold.order_key = taken_back.sale_order_key
        and sold.line_no = taken_back.sale_line_no
        and sold.product_key = taken_back.product_key
        and sold.customer_key = taken_back.customer_key
        and sold.unit_price = taken_back.unit_price
    where taken_back.units > sold.units
)
select lines.*, returns.lines as return_lines, returns.units as return_units, returns.amount as return_amount, overdrawn.sales as overdrawn_sales
from lines
cross join returns
cross join overdrawn
where lines.lines <> returns.lines or lines.units <> returns.units or lines.amount <> returns.amount or overdrawn.sales > 0
