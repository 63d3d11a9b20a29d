-- A key stands for one id. Two ids that hash to one key, or an identified line without a key, are shown here.
select 'product' as id_of, product_key as id_key, min(product_id) as one_id, max(product_id) as other_id
from {{ source('silver', 'sale_line') }}
group by product_key
having min(product_id) <> max(product_id)
union all
select 'customer', customer_key, min(customer_id), max(customer_id)
from {{ source('silver', 'sale_line') }}
group by customer_key
having min(customer_id) <> max(customer_id) or (coalesce(customer_key, 0) = 0 and max(customer_id) is not null)
union all
select 'order', order_key, min(order_id), max(order_id)
from {{ source('silver', 'sale_line') }}
group by order_key
having min(order_id) <> max(order_id) or (coalesce(order_key, 0) = 0 and max(order_id) is not null)
