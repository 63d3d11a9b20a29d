-- The kinds of sale lines. Text costs the fact table more than all its numbers, so facts hold the key.
select cast(1 as tinyint) as kind_key, 'sale' as kind, 'goods sold' as meaning
union all select cast(2 as tinyint), 'return', 'goods taken back'
union all select cast(3 as tinyint), 'cancellation', 'a sale undone, on a document of its own'
union all select cast(4 as tinyint), 'adjustment', 'a correction in the books, not a sale'
union all select cast(5 as tinyint), 'fee', 'a charge for something that is not goods'
