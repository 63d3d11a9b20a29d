-- both marts hold the same money
select * from (select sum(amount) as a from {{ ref('daily') }}) as d, (select sum(amount) as b from {{ ref('by_region') }}) as r
where d.a <> r.b
