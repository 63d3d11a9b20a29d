-- One row per product code. The name is the commonest that its lines carry; of equally common ones the latest, then
-- the first by alphabet. Service codes and categories come from the editable seeds service_codes and category_rules.
with names as (
    select
        product_key,
        product_name,
        min(product_id) as product_id,
        min(source) as source,
        sum(lines) as lines,
        max(last_seen_at) as last_seen_at
    from (
        select
            coalesce(product_key, 0) as product_key,
            product_name,
            product_id,
            source,
            count(*) as lines,
            max(ordered_at) as last_seen_at
        from {{ source('silver', 'sale_line') }}
        group by coalesce(product_key, 0), product_name, product_id, source
    ) as per_source
    group by product_key, product_name
),
ranked as (
    select
        *,
        row_number() over (
            partition by product_key
            order by
                case when product_name is null then 1 else 0 end asc nulls last,
                lines desc nulls last,
                last_seen_at desc nulls last,
                product_name asc nulls last
        ) as place,
        count(product_name) over (partition by product_key) as name_count
    from names
),
products as (
    select product_key, product_id, product_name, source, name_count from ranked where place = 1
),
services as (
    select products.product_key, min(codes.reason) as service_reason
    from products
    inner join {{ ref('service_codes') }} as codes
        on products.product_id like codes.code_pattern and products.source like codes.source_pattern
    group by products.product_key
),
categorised as (
    select
        products.product_key,
        rules.category,
        row_number() over (partition by products.product_key order by rules.position asc nulls last) as place
    from (select product_key, source, upper(product_name) as name from products) as products
    cross join {{ ref('category_rules') }} as rules
    where contains(products.name, rules.name_contains) and products.source like rules.source_pattern
)
select
    products.product_key,
    products.product_id,
    coalesce(products.product_name, products.product_id) as product_name,
    case
        when services.product_key is not null then 'Services'
        else coalesce(categorised.category, 'Uncategorised')
    end as category,
    services.product_key is not null as is_service,
    services.service_reason,
    cast(products.name_count as integer) as name_count
from products
left join services on services.product_key = products.product_key
left join categorised on categorised.product_key = products.product_key and categorised.place = 1
