-- Sale lines as the marts read them: kind as a small integer, no null keys. order_key 0 = the source has no orders.
select
    cast(coalesce(order_key, 0) as bigint) as order_key,
    line_no,
    {{ kind_key('kind') }} as kind_key,
    business_date,
    ordered_at,
    store_id,
    cast(coalesce(product_key, 0) as bigint) as product_key,
    cast(coalesce(customer_key, 0) as bigint) as customer_key,
    customer_id,
    country,
    quantity,
    unit_price,
    amount,
    promotion,
    is_repeat,
    source_row,
    load_seq
from {{ source('silver', 'sale_line') }}
