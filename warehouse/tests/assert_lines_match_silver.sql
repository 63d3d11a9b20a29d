-- Every line of silver is in the fact table, once, with its amount and units.
with silver as (
    select count(*) as lines, sum(amount) as amount, sum(quantity) as units from {{ source('silver', 'sale_line') }}
),
gold as (
    select count(*) as lines, sum(amount) as amount, sum(quantity) as units from {{ ref('fact_sale_line') }}
)
select silver.lines, gold.lines as gold_lines, silver.amount, gold.amount as gold_amount, silver.units, gold.units as gold_units
from silver
cross join gold
where silver.lines <> gold.lines
    or coalesce(silver.amount, 0) <> coalesce(gold.amount, 0)
    or coalesce(silver.units, 0) <> coalesce(gold.units, 0)
