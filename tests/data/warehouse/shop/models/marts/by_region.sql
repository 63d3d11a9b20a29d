-- ephemeral models become CTEs
with sums as (
  select region, {{ total('amount') }} as amount from {{ ref('stg_sales') }} group by region
)
select r.name as region, s.amount, '{{ var("greeting") }}' as greeting
from sums as s join {{ ref('eph_regions') }} as r on r.code = s.region
