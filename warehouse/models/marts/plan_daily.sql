-- What is planned for a store and day: opening, promotion, holidays. No sales: these rows are in no sum and no mart, only
-- forecasts read them. Of several plans for a day the newest load wins; stores without sales have none.
with planned as (
    select
        *,
        row_number() over (
            partition by store_id, business_date
            order by load_seq desc nulls last, source_row desc nulls last
        ) as age
    from {{ source('silver', 'store_plan') }}
)
select
    store.store_key,
    planned.business_date,
    planned.is_open,
    planned.promotion,
    planned.state_holiday,
    planned.school_holiday
from planned
inner join {{ ref('dim_store') }} as store on store.store_id = planned.store_id
where planned.age = 1
