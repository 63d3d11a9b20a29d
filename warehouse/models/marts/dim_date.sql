-- Every day of every year that the data touch.
with ends as (
    select min(business_date) as first_date, max(business_date) as last_date from {{ source('silver', 'sale_line') }}
    union all
    select min(business_date) as first_date, max(business_date) as last_date from {{ source('silver', 'store_day') }}
),
years as (
    select
        cast(extract(year from min(first_date)) as integer) as first_year,
        cast(extract(year from max(last_date)) as integer) as last_year
    from ends
),
days as (
    {{ date_spine('(select make_date(first_year, 1, 1) from years)', '(select make_date(last_year, 12, 31) from years)') }}
)
select
    business_date,
    cast(extract(year from business_date) as integer) as year,
    cast(extract(quarter from business_date) as integer) as quarter,
    cast(extract(month from business_date) as integer) as month,
    {{ month_start('business_date') }} as month_start,
    {{ iso_year('business_date') }} as iso_year,
    cast(extract(week from business_date) as integer) as iso_week,
    {{ week_start('business_date') }} as week_start,
    cast(extract(day from business_date) as integer) as day_of_month,
    cast(extract(doy from business_date) as integer) as day_of_year,
    {{ weekday('business_date') }} as weekday,
    {{ weekday('business_date') }} >= 6 as is_weekend
from days
