-- Every day of the facts is in dim_date, and dim_date has no gap.
select 'day of the data missing from dim_date' as fault, days.business_date
from (
    select business_date from {{ ref('kpi_daily') }} group by business_date
    union all
    select business_date from {{ ref('sales_daily') }} group by business_date
) as days
left join {{ ref('dim_date') }} as dates on dates.business_date = days.business_date
where dates.business_date is null
union all
select 'gap in dim_date', max(business_date)
from {{ ref('dim_date') }}
having count(*) <> {{ days_between('min(business_date)', 'max(business_date)') }} + 1 and count(*) > 0
