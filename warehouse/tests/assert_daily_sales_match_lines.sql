-- kpi_daily, sales_daily and sales_monthly_country add up to the lines of silver.
with silver as (
    select
        {{ money_sum("case when kind in ('sale', 'fee') then amount end", 38) }} as gross,
        {{ money_sum("case when kind in ('return', 'cancellation') then -amount end", 38) }} as returned,
        {{ money_sum('amount', 38) }} as net
    from {{ source('silver', 'sale_line') }}
),
gold as (
    select 'kpi_daily' as mart, {{ money_sum('gross_sales', 38) }} as gross, {{ money_sum('returned_amount', 38) }} as returned, {{ money_sum('net_sales', 38) }} as net
    from {{ ref('kpi_daily') }}
    union all
    select 'sales_daily', {{ money_sum('gross_sales', 38) }}, {{ money_sum('returned_amount', 38) }}, {{ money_sum('net_sales', 38) }}
    from {{ ref('sales_daily') }}
    union all
    select 'sales_monthly_country', {{ money_sum('monthly.revenue', 38) }}, min(silver.returned), min(silver.net)
    from silver
    left join {{ ref('sales_monthly_country') }} as monthly on 1 = 1
)
select gold.mart, gold.gross, silver.gross as silver_gross, gold.returned, silver.returned as silver_returned, gold.net, silver.net as silver_net
from gold
cross join silver
where gold.gross <> silver.gross or gold.returned <> silver.returned or gold.net <> silver.net
