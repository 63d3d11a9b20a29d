{{ config(tags=['heavy']) }}
-- Products bought together: every unordered pair in at least min_pair_count orders, both directions of confidence.
-- Services do not count. Orders with more than max_basket_size products are used for no figure here: such wholesale
-- orders say little about affinity and hold most of the pairs.
with products as (
    select product_key, product_id
    from {{ ref('dim_product') }}
    where not is_service
),
items as (
    select line.order_key, line.product_key
    from {{ ref('fact_sale_line') }} as line
    inner join products on products.product_key = line.product_key
    where line.kind_key = 1 and line.order_key <> 0 and {{ is_priced() }}
    group by line.order_key, line.product_key
),
baskets as (
    select order_key
    from items
    group by order_key
    having count(*) <= {{ var('max_basket_size', 100) }}
),
basket_items as (
    select items.order_key, items.product_key
    from items
    inner join baskets on baskets.order_key = items.order_key
),
frequent as (
    select
        product_key,
        count(*) as orders,
        cast(row_number() over (order by product_key asc nulls last) as integer) as item
    from basket_items
    group by product_key
    having count(*) >= {{ var('min_pair_count', 30) }}
),
frequent_items as (
    select basket_items.order_key, frequent.item
    from basket_items
    inner join frequent on frequent.product_key = basket_items.product_key
),
pairs as (
    select
        a.item as item_a,
        b.item as item_b,
        count(*) as orders
    from frequent_items as a
    inner join frequent_items as b on b.order_key = a.order_key and b.item > a.item
    group by a.item, b.item
    having count(*) >= {{ var('min_pair_count', 30) }}
),
total as (
    select count(*) as orders from baskets
)
select
    a.product_key as product_key_a,
    b.product_key as product_key_b,
    cast(pairs.orders as bigint) as orders,
    cast(a.orders as bigint) as orders_a,
    cast(b.orders as bigint) as orders_b,
    cast(total.orders as bigint) as orders_total,
    {{ ratio('pairs.orders', 'total.orders') }} as support,
    {{ ratio('pairs.orders', 'a.orders') }} as confidence_a_to_b,
    {{ ratio('pairs.orders', 'b.orders') }} as confidence_b_to_a,
    (cast(pairs.orders as double) * cast(total.orders as double)) / nullif(cast(a.orders as double) * cast(b.orders as double), 0) as lift
from pairs
inner join frequent as a on a.item = pairs.item_a
inner join frequent as b on b.item = pairs.item_b
cross join total
