-- A short form of silver.sale_line for tests: a file inserts into `line`, then data/lines_to_silver.sql moves the rows.
CREATE TABLE line (
  sold_at TIMESTAMP, order_id VARCHAR, line_no INTEGER, kind VARCHAR, product_id VARCHAR, quantity DECIMAL(18,3), unit_price DECIMAL(18,4),
  customer_id VARCHAR, product_name VARCHAR, country VARCHAR DEFAULT 'France', store_id VARCHAR DEFAULT 'shop', source VARCHAR DEFAULT 'test',
  promotion BOOLEAN, is_repeat BOOLEAN DEFAULT false);
