-- Headline figures per day, store and country. All columns add up over rows but `customers`, which is per row.
select
    business_date,
    store_key,
    country_key,
    cast(sum(orders) as bigint) as orders,
    cast(count(distinct case when orders > 0 and customer_key <> 0 then customer_key end) as bigint) as customers,
    {{ units_sum('units') }} as units,
    {{ money_sum('gross_amount') }} as gross_sales,
    {{ units_sum('returned_units') }} as returned_units,
    {{ money_sum('returned_amount') }} as returned_amount,
    {{ money_sum('adjustment_amount') }} as adjustment_amount,
    {{ money_sum('net_amount') }} as net_sales
from {{ ref('stg_sale') }}
group by business_date, store_key, country_key
