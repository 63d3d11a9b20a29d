{{ config(materialized='incremental', unique_key='day', incremental_strategy='delete+insert', tags=['daily']) }}
select day, {{ total('amount') }} as amount, count(*) as sales
from {{ ref('stg_sales') }}
{% if is_incremental() %}
where day >= (select max(day) from {{ this }})
{% endif %}
group by day
