-- Customer metrics add up to the sales of the same customers up to the same day.
select metrics.customer_key, metrics.net_spend, metrics.orders, sales.net_spend as sales_net_spend, sales.orders as sales_orders
from {{ ref('customer_metrics') }} as metrics
left join (
    select sale.customer_key, sum(sale.net_amount) as net_spend, sum(sale.orders) as orders
    from {{ ref('stg_sale') }} as sale
    where sale.business_date <= (select max(as_of_date) from {{ ref('customer_metrics') }})
    group by sale.customer_key
) as sales on sales.customer_key = metrics.customer_key
where sales.customer_key is null or sales.net_spend <> metrics.net_spend or sales.orders <> metrics.orders
