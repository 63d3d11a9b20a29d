-- Every stated store day is in sales_daily once, with its sales.
with silver as (
    select count(*) as days, {{ money_sum('sales', 38) }} as sales from {{ source('silver', 'store_day') }}
),
gold as (
    select count(*) as days, {{ money_sum('sales', 38) }} as sales from {{ ref('sales_daily') }} where is_stated
)
select silver.days, gold.days as gold_days, silver.sales, gold.sales as gold_sales
from silver
cross join gold
where silver.days <> gold.days or silver.sales <> gold.sales
