-- All tables of docs/formats/silver.md, empty. Tests load it first, then insert the rows they need.
CREATE SCHEMA IF NOT EXISTS bronze;
CREATE SCHEMA IF NOT EXISTS silver;

CREATE TABLE silver.sale_line (
  source VARCHAR, order_id VARCHAR, line_no INTEGER, kind VARCHAR, ordered_at TIMESTAMPTZ, business_date DATE,
  store_id VARCHAR, product_id VARCHAR, product_name VARCHAR, quantity DECIMAL(18,3), unit_price DECIMAL(18,4),
  amount DECIMAL(18,4), currency VARCHAR, customer_id VARCHAR, country VARCHAR, channel VARCHAR, promotion BOOLEAN,
  event_id VARCHAR, order_key BIGINT, product_key BIGINT, customer_key BIGINT, is_repeat BOOLEAN, source_row BIGINT,
  load_seq BIGINT);

CREATE TABLE silver.store_day (
  source VARCHAR, store_id VARCHAR, business_date DATE, sales DECIMAL(18,4), customers BIGINT, is_open BOOLEAN,
  promotion BOOLEAN, state_holiday VARCHAR, school_holiday BOOLEAN, event_id VARCHAR, source_row BIGINT, load_seq BIGINT);

CREATE TABLE silver.store_plan (
  source VARCHAR, store_id VARCHAR, business_date DATE, is_open BOOLEAN, promotion BOOLEAN, state_holiday VARCHAR,
  school_holiday BOOLEAN, source_row BIGINT, load_seq BIGINT);

CREATE TABLE silver.store (
  source VARCHAR, store_id VARCHAR, store_name VARCHAR, store_type VARCHAR, assortment VARCHAR, country VARCHAR,
  region VARCHAR, competition_distance_m DECIMAL(18,3), competition_since DATE, promo2_since DATE, promo2_months VARCHAR,
  source_row BIGINT, load_seq BIGINT);

CREATE TABLE silver.rejects (
  source VARCHAR, dataset VARCHAR, file VARCHAR, file_sha256 VARCHAR, source_row BIGINT, column_name VARCHAR,
  reason VARCHAR, message VARCHAR, raw VARCHAR, load_seq BIGINT);
