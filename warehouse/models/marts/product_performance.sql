-- One row per product that was sold or taken back at a price, service codes marked. An order, or a customer, that has a
-- product on several lines counts once. Sums and distinct counts are separate passes over few columns each:
-- grouping by product and order with the sums in tow costs three times as much.
with by_kind as (
    select
        product_key,
        kind_key,
        sum(quantity) as quantity,
        sum(amount) as amount,
        min(business_date) as first_date,
        max(business_date) as last_date
    from {{ ref('fact_sale_line') }}
    where {{ is_priced() }}
    group by product_key, kind_key
),
totals as (
    select
        product_key,
        {{ units_sum('case when kind_key in (1, 5) then quantity end', 38) }} as units,
        {{ money_sum('case when kind_key in (1, 5) then amount end', 38) }} as revenue,
        {{ units_sum('case when kind_key in (2, 3) then -quantity end', 38) }} as returned_units,
        {{ money_sum('case when kind_key in (2, 3) then -amount end', 38) }} as returned_amount,
        min(case when kind_key in (1, 5) then first_date end) as first_sold_on,
        max(case when kind_key in (1, 5) then last_date end) as last_sold_on
    from by_kind
    where kind_key <> 4
    group by product_key
),
orders as (
    select product_key, count(*) as orders
    from (
        select product_key, order_key
        from {{ ref('fact_sale_line') }}
        where {{ is_sold() }} and order_key <> 0
        group by product_key, order_key
    ) as per_order
    group by product_key
),
customers as (
    select product_key, count(*) as customers
    from (
        select product_key, customer_key
        from {{ ref('fact_sale_line') }}
        where {{ is_sold() }} and customer_key <> 0
        group by product_key, customer_key
    ) as per_customer
    group by product_key
)
select
    product.product_key,
    product.product_id,
    product.product_name,
    product.category,
    product.is_service,
    cast(coalesce(orders.orders, 0) as bigint) as orders,
    cast(coalesce(customers.customers, 0) as bigint) as customers,
    totals.units,
    totals.revenue,
    {{ money_per('nullif(totals.revenue, 0)', 'totals.units') }} as average_price,
    totals.returned_units,
    totals.returned_amount,
    {{ ratio('totals.returned_units', 'totals.units') }} as return_rate,
    cast(totals.units - totals.returned_units as decimal(38, 3)) as net_units,
    cast(totals.revenue - totals.returned_amount as decimal(38, 4)) as net_revenue,
    totals.first_sold_on,
    totals.last_sold_on,
    cast(row_number() over (
        partition by product.is_service
        order by totals.revenue desc nulls last, product.product_id asc nulls last
    ) as integer) as revenue_rank
from totals
inner join {{ ref('dim_product') }} as product on product.product_key = totals.product_key
left join orders on orders.product_key = totals.product_key
left join customers on customers.product_key = totals.product_key
