{{ config(severity='warn') }}
-- Gold adds amounts up as they are: sums over several currencies mean nothing.
select min(currency) as one_currency, max(currency) as other_currency
from {{ source('silver', 'sale_line') }}
having min(currency) <> max(currency)
