-- One row per return or cancellation line, linked where possible to the sale that it takes back: the latest earlier
-- line of the same customer, product and unit price with enough units. Returns of one sale are linked in order of
-- time until its units are used up; what goes beyond stays unlinked. Anonymous returns cannot be linked.
-- No join of every return with every earlier sale: per size of sale a running maximum finds the latest one, so that
-- customers with thousands of orders cost no more than others. sale_no grows along the order of that one window, so
-- that thousands of small partitions are not needed: what it finds in a foreign partition is no match.
with back as (
    select
        load_seq,
        source_row,
        order_key,
        line_no,
        kind_key,
        ordered_at,
        business_date,
        store_key,
        product_key,
        customer_key,
        country_key,
        unit_price,
        -quantity as units,
        -amount as returned_amount
    from {{ ref('fact_sale_line') }}
    where {{ is_returned() }}
),
wanted as (
    select distinct customer_key, product_key, unit_price from back where customer_key <> 0
),
sales as (
    select
        line.order_key,
        line.line_no,
        line.ordered_at,
        line.business_date,
        line.product_key,
        line.customer_key,
        line.unit_price,
        line.quantity,
        row_number() over (
            order by line.ordered_at asc nulls first, line.load_seq asc nulls first, line.source_row asc nulls first
        ) as time_no,
        row_number() over (
            order by
                line.customer_key asc nulls first, line.product_key asc nulls first, line.unit_price asc nulls first,
                line.quantity asc nulls first, line.ordered_at asc nulls first, line.load_seq asc nulls first,
                line.source_row asc nulls first
        ) as sale_no
    from {{ ref('fact_sale_line') }} as line
    inner join wanted
        on wanted.customer_key = line.customer_key
        and wanted.product_key = line.product_key
        and wanted.unit_price = line.unit_price
    where line.kind_key = 1 and line.quantity > 0
),
sizes as (
    select distinct customer_key, product_key, unit_price, quantity from sales
),
-- Sales in the order of time per size, with the returns that each size could cover set in after the sales of the same instant.
timeline as (
    select
        customer_key, product_key, unit_price, quantity, ordered_at,
        0 as is_return, sale_no, cast(null as bigint) as load_seq, cast(null as bigint) as source_row
    from sales
    union all
    select
        sizes.customer_key, sizes.product_key, sizes.unit_price, sizes.quantity, back.ordered_at,
        1 as is_return, cast(null as bigint) as sale_no, back.load_seq, back.source_row
    from back
    inner join sizes
        on sizes.customer_key = back.customer_key
        and sizes.product_key = back.product_key
        and sizes.unit_price = back.unit_price
        and sizes.quantity >= back.units
),
latest as (
    select
        customer_key, product_key, unit_price, quantity, is_return, load_seq, source_row,
        max(sale_no) over (
            order by
                customer_key asc nulls first, product_key asc nulls first, unit_price asc nulls first,
                quantity asc nulls first, ordered_at asc nulls first, is_return asc nulls first
            rows between unbounded preceding and current row
        ) as sale_no
    from timeline
),
candidates as (
    select latest.load_seq, latest.source_row, max(sales.time_no) as time_no
    from latest
    inner join sales
        on sales.sale_no = latest.sale_no
        and sales.customer_key = latest.customer_key
        and sales.product_key = latest.product_key
        and sales.unit_price = latest.unit_price
        and sales.quantity = latest.quantity
    where latest.is_return = 1
    group by latest.load_seq, latest.source_row
),
matched as (
    select
        back.load_seq, back.source_row, back.ordered_at, back.units, sales.time_no,
        sales.order_key as sale_order_key, sales.line_no as sale_line_no, sales.business_date as sale_date,
        sales.quantity as sold_units
    from candidates
    inner join back on back.load_seq = candidates.load_seq and back.source_row = candidates.source_row
    inner join sales on sales.time_no = candidates.time_no
),
overdrawn as (
    select time_no from matched group by time_no having sum(units) > min(sold_units)
),
within as (
    select
        matched.load_seq,
        matched.source_row,
        sum(matched.units) over (
            partition by matched.time_no
            order by matched.ordered_at asc nulls first, matched.load_seq asc nulls first, matched.source_row asc nulls first
            rows between unbounded preceding and current row
        ) <= matched.sold_units as is_covered
    from matched
    inner join overdrawn on overdrawn.time_no = matched.time_no
),
linked as (
    select matched.load_seq, matched.source_row, matched.sale_order_key, matched.sale_line_no, matched.sale_date
    from matched
    left join within on within.load_seq = matched.load_seq and within.source_row = matched.source_row
    where coalesce(within.is_covered, true)
)
select
    back.order_key,
    back.line_no,
    back.kind_key,
    back.ordered_at,
    back.business_date,
    back.store_key,
    back.product_key,
    back.customer_key,
    back.country_key,
    back.unit_price,
    cast(back.units as decimal(18, 3)) as units,
    cast(coalesce(back.returned_amount, 0) as decimal(18, 4)) as returned_amount,
    linked.load_seq is not null as is_linked,
    linked.sale_order_key,
    linked.sale_line_no,
    linked.sale_date,
    {{ days_between('linked.sale_date', 'back.business_date') }} as days_to_return,
    back.source_row,
    back.load_seq
from back
left join linked on linked.load_seq = back.load_seq and linked.source_row = back.source_row
