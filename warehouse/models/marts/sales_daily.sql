-- One row per store and day, from lines, from stated days, or both. `sales` is what the source states, else net sales.
with sold as (
    select
        store_key,
        business_date,
        cast(sum(orders) as bigint) as orders,
        cast(count(distinct case when orders > 0 and customer_key <> 0 then customer_key end) as bigint) as customers,
        {{ units_sum('units') }} as units,
        {{ money_sum('gross_amount') }} as gross_sales,
        {{ units_sum('returned_units') }} as returned_units,
        {{ money_sum('returned_amount') }} as returned_amount,
        {{ money_sum('adjustment_amount') }} as adjustment_amount,
        {{ money_sum('net_amount') }} as net_sales
    from {{ ref('stg_sale') }}
    group by store_key, business_date
)
select
    coalesce(day.store_key, sold.store_key) as store_key,
    coalesce(day.business_date, sold.business_date) as business_date,
    coalesce(day.sales, sold.net_sales) as sales,
    coalesce(day.customers, sold.customers) as customers,
    sold.orders,
    sold.units,
    sold.gross_sales,
    sold.returned_units,
    sold.returned_amount,
    sold.adjustment_amount,
    sold.net_sales,
    coalesce(day.is_open, true) as is_open,
    day.promotion,
    day.state_holiday,
    day.school_holiday,
    day.store_key is not null as is_stated
from sold
full outer join {{ ref('stg_store_day') }} as day
    on day.store_key = sold.store_key and day.business_date = sold.business_date
