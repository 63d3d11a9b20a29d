-- One row per return or cancellation line, linked where possible to the sale that it takes back: the latest earlier
-- line of the same customer, product and unit price with enough units. Returns of one sale are linked in order of
-- time until its units are used up; what goes beyond stays unlinked. Anonymous returns cannot be linked.
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
        line.load_seq,
        line.source_row,
        line.order_key,
        line.line_no,
        line.ordered_at,
        line.business_date,
        line.product_key,
        line.customer_key,
        line.unit_price,
        line.quantity
    from {{ ref('fact_sale_line') }} as line
    inner join wanted
        on wanted.customer_key = line.customer_key
        and wanted.product_key = line.product_key
        and wanted.unit_price = line.unit_price
    where line.kind_key = 1 and line.quantity > 0
),
candidates as (
    select
        back.load_seq,
        back.source_row,
        back.ordered_at,
        back.units,
        sales.load_seq as sale_load_seq,
        sales.source_row as sale_source_row,
        sales.order_key as sale_order_key,
        sales.line_no as sale_line_no,
        sales.business_date as sale_date,
        sales.quantity as sold_units,
        row_number() over (
            partition by back.load_seq, back.source_row
            order by sales.ordered_at desc nulls last, sales.load_seq desc nulls last, sales.source_row desc nulls last
        ) as place
    from back
    inner join sales
        on sales.customer_key = back.customer_key
        and sales.product_key = back.product_key
        and sales.unit_price = back.unit_price
        and sales.quantity >= back.units
        and sales.ordered_at <= back.ordered_at
),
used as (
    select
        *,
        sum(units) over (
            partition by sale_load_seq, sale_source_row
            order by ordered_at asc nulls first, load_seq asc nulls first, source_row asc nulls first
            rows between unbounded preceding and current row
        ) as used_units
    from candidates
    where place = 1
),
linked as (
    select load_seq, source_row, sale_order_key, sale_line_no, sale_date
    from used
    where used_units <= sold_units
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
