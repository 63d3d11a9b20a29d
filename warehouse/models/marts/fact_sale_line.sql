{{ config(materialized='incremental', incremental_strategy='append') }}
-- Every line of silver with integer keys. Appended by load; order_id is in fact_order, names are in the dimensions.
select
    line.order_key,
    line.line_no,
    line.kind_key,
    line.business_date,
    line.ordered_at,
    store.store_key,
    line.product_key,
    line.customer_key,
    cast(coalesce(country.country_key, 0) as smallint) as country_key,
    line.quantity,
    line.unit_price,
    line.amount,
    line.promotion,
    line.is_repeat,
    line.source_row,
    line.load_seq
from {{ ref('stg_sale_line') }} as line
left join {{ ref('dim_store') }} as store on store.store_id = line.store_id
left join {{ ref('dim_country') }} as country on country.country = line.country
{% if is_incremental() %}
where line.load_seq > (select coalesce(max(load_seq), 0) from {{ this }})
{% endif %}
