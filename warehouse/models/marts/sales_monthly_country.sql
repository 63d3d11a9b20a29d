-- Sales per month and country, gross: cancellations, returns, adjustments and lines without a price count nowhere here.
-- A country without a sale in a month has no row; net sales of every day and country are in kpi_daily.
with monthly as (
    select
        {{ month_start('business_date') }} as month_start,
        country_key,
        {{ money_sum('gross_amount', 38) }} as revenue,
        cast(sum(orders) as bigint) as orders,
        {{ units_sum('units', 38) }} as units,
        {{ count_of('distinct case when customer_key <> 0 then customer_key end') }} as customers
    from {{ ref('stg_sale') }}
    where units <> 0 or gross_amount <> 0
    group by {{ month_start('business_date') }}, country_key
)
select
    monthly.month_start,
    monthly.country_key,
    country.country,
    monthly.revenue,
    monthly.orders,
    monthly.units,
    monthly.customers,
    {{ money_per('monthly.revenue', 'monthly.orders') }} as average_order_value,
    {{ ratio('monthly.revenue', 'sum(monthly.revenue) over (partition by monthly.month_start)') }} as revenue_share
from monthly
inner join {{ ref('dim_country') }} as country on country.country_key = monthly.country_key
