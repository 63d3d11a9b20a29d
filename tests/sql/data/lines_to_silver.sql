-- Moves the rows of `line` to silver.sale_line as one load, with keys, amounts and event ids.
INSERT INTO silver.sale_line
SELECT
  source, order_id, line_no, kind, sold_at AT TIME ZONE 'UTC', CAST(sold_at AS DATE), store_id, product_id, product_name, quantity, unit_price,
  CAST(quantity * unit_price AS DECIMAL(18,4)), 'EUR', customer_id, country, NULL, promotion, 'event ' || source_row,
  CASE WHEN order_id IS NOT NULL THEN CAST(hash(source || order_id) >> 1 AS BIGINT) END, CAST(hash(product_id) >> 1 AS BIGINT),
  CASE WHEN customer_id IS NULL THEN 0 ELSE CAST(hash(customer_id) >> 1 AS BIGINT) END, is_repeat, source_row,
  (SELECT coalesce(max(load_seq), 0) + 1 FROM silver.sale_line)
FROM (SELECT *, row_number() OVER () + (SELECT count(*) FROM silver.sale_line) AS source_row FROM line) AS numbered;
DELETE FROM line;
