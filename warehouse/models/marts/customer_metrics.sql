-- Recency, frequency and money per identified customer as of var as_of_date (default: the last day of the data), with
-- scores 1..5 (5 = best fifth) and a tier by rank of net spend. Customers without a sale by then have no row.
with as_of as (
    select
        {% if var('as_of_date', '') %}max(cast('{{ var("as_of_date") }}' as date)){% else %}max(business_date){% endif %} as as_of_date
    from {{ ref('stg_sale') }}
),
spent as (
    select
        sale.customer_key,
        min(as_of.as_of_date) as as_of_date,
        min(case when sale.units > 0 then sale.business_date end) as first_order_date,
        max(case when sale.units > 0 then sale.business_date end) as last_order_date,
        cast(sum(sale.orders) as bigint) as orders,
        {{ units_sum('sale.units', 38) }} as units,
        {{ money_sum('sale.gross_amount', 38) }} as gross_spend,
        {{ money_sum('sale.returned_amount', 38) }} as returned_amount,
        {{ money_sum('sale.net_amount', 38) }} as net_spend
    from {{ ref('stg_sale') }} as sale
    inner join as_of on sale.business_date <= as_of.as_of_date
    where sale.customer_key <> 0
    group by sale.customer_key
),
active as (
    select
        *,
        {{ days_between('last_order_date', 'as_of_date') }} as recency_days,
        {{ days_between('first_order_date', 'as_of_date') }} as tenure_days,
        row_number() over (order by case when net_spend > 0 then 0 else 1 end asc nulls last, net_spend desc nulls last, customer_key asc nulls last) as spend_rank,
        count(case when net_spend > 0 then 1 end) over () as spenders
    from spent
    where last_order_date is not null
)
select
    customer_key,
    as_of_date,
    first_order_date,
    last_order_date,
    recency_days,
    tenure_days,
    orders,
    units,
    gross_spend,
    returned_amount,
    net_spend,
    {{ money_per('gross_spend', 'orders') }} as average_order_value,
    cast(ntile(5) over (order by recency_days desc nulls first, customer_key asc nulls last) as integer) as recency_score,
    cast(ntile(5) over (order by orders asc nulls first, customer_key asc nulls last) as integer) as frequency_score,
    cast(ntile(5) over (order by net_spend asc nulls first, customer_key asc nulls last) as integer) as monetary_score,
    cast(spend_rank as integer) as spend_rank,
    case
        when net_spend <= 0 then 'none'
        when spend_rank - 1 < spenders * {{ var('tier_platinum_share', 0.05) }} then 'platinum'
        when spend_rank - 1 < spenders * {{ var('tier_gold_share', 0.20) }} then 'gold'
        when spend_rank - 1 < spenders * {{ var('tier_silver_share', 0.50) }} then 'silver'
        else 'bronze'
    end as tier,
    recency_days > {{ var('lapsed_after_days', 180) }} as is_lapsed
from active
