-- Days that a source states per store, with the store's key.
select
    store.store_key,
    day.business_date,
    day.sales,
    day.customers,
    day.is_open,
    day.promotion,
    day.state_holiday,
    day.school_holiday
from {{ source('silver', 'store_day') }} as day
inner join {{ ref('dim_store') }} as store on store.store_id = day.store_id
