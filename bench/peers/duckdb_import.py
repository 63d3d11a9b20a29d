"""DuckDB: Online Retail csv to typed columns, or to bronze, silver, star schema and gold in a database file.

Its excel extension is not part of the package, so xlsx is left to the others.
Usage: duckdb_import.py {columns|gold} FILE OUT [THREADS]
"""
import pathlib
import sys

import duckdb
import expected

READ = """read_csv(?, header = true, types = {'InvoiceNo': 'VARCHAR', 'StockCode': 'VARCHAR', 'Description': 'VARCHAR',
  'Quantity': 'INTEGER', 'InvoiceDate': 'TIMESTAMP', 'UnitPrice': 'DOUBLE', 'CustomerID': 'INTEGER', 'Country': 'VARCHAR'},
  timestampformat = '%m/%d/%Y %H:%M')"""

SILVER = """
CREATE TABLE silver AS
SELECT InvoiceNo AS order_id, row_number() OVER (PARTITION BY InvoiceNo ORDER BY row_no) AS line_no,
  upper(trim(StockCode)) AS product_id, nullif(trim(Description), '') AS product_name,
  CAST(Quantity AS DECIMAL(18,3)) AS quantity, CAST(UnitPrice AS DECIMAL(18,4)) AS unit_price,
  CAST(CAST(Quantity AS DECIMAL(9,0)) * CAST(UnitPrice AS DECIMAL(9,3)) AS DECIMAL(18,4)) AS amount,
  InvoiceDate AS ordered_at, CAST(InvoiceDate AS DATE) AS business_date, CustomerID AS customer_id, Country AS country,
  starts_with(InvoiceNo, 'C') AS is_cancellation, starts_with(InvoiceNo, 'A') AS is_adjustment,
  upper(trim(StockCode)) IN ({codes}) AS is_service,
  row_number() OVER (PARTITION BY InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID, Country
    ORDER BY row_no) > 1 AS is_repeat
FROM bronze"""

STAR = """
CREATE TABLE dim_product AS
  WITH names AS (SELECT product_id, product_name, row_number() OVER (PARTITION BY product_id ORDER BY count(*) DESC, product_name) AS place
    FROM silver WHERE product_name IS NOT NULL GROUP BY product_id, product_name),
  codes AS (SELECT product_id, any_value(is_service) AS is_service FROM silver GROUP BY product_id)
  SELECT row_number() OVER (ORDER BY product_id) AS product_key, product_id, product_name, is_service
  FROM codes LEFT JOIN (FROM names WHERE place = 1) USING (product_id);
CREATE TABLE dim_customer AS
  SELECT row_number() OVER (ORDER BY customer_id) AS customer_key, customer_id, min(ordered_at) AS first, any_value(country) AS country
  FROM silver WHERE customer_id IS NOT NULL GROUP BY customer_id UNION ALL SELECT 0, NULL, NULL, 'Unknown';
CREATE TABLE dim_country AS SELECT row_number() OVER (ORDER BY country) AS country_key, country FROM (SELECT DISTINCT country FROM silver);
CREATE TABLE dim_date AS SELECT CAST(d AS DATE) AS date, year(d) AS year, month(d) AS month, isodow(d) AS weekday
  FROM (SELECT min(business_date) AS a, max(business_date) AS b FROM silver), generate_series(a, b, INTERVAL 1 DAY) AS t(d);
CREATE TABLE fact_sale_line AS
  SELECT order_id, line_no, product_key, coalesce(customer_key, 0) AS customer_key, country_key, ordered_at, business_date,
    quantity, unit_price, amount, is_cancellation, is_adjustment, is_repeat
  FROM silver JOIN dim_product USING (product_id) JOIN dim_country USING (country)
    LEFT JOIN (SELECT customer_id, customer_key FROM dim_customer) USING (customer_id);
CREATE TABLE sales_monthly_country AS
  SELECT date_trunc('month', business_date) AS month, country, sum(amount) AS revenue, count(DISTINCT order_id) AS orders,
    sum(quantity) AS units, count(DISTINCT customer_id) AS customers
  FROM silver WHERE NOT is_cancellation AND NOT is_adjustment AND unit_price <> 0 GROUP BY ALL;"""


def main() -> None:
    task, file, out = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    database = duckdb.connect(str(out / "peer.duckdb") if task == "gold" else ":memory:")
    database.execute(f"SET threads = {int(sys.argv[4]) if len(sys.argv) > 4 else 1}")
    # The gold task needs the order of rows within an invoice; the import alone does not pay for it.
    row_number = ", row_number() OVER () AS row_no" if task == "gold" else ""
    database.execute(f"CREATE TABLE bronze AS SELECT *{row_number} FROM {READ}", [file])
    if task == "columns":
        return expected.columns(*database.execute("SELECT count(*), sum(Quantity * UnitPrice) FROM bronze").fetchone())
    database.execute(SILVER.format(codes=", ".join(f"'{code}'" for code in expected.SERVICE_CODES)))
    database.execute(STAR)

    def one(query: str):
        return database.execute(query).fetchone()

    def count(table: str) -> int:
        return one(f"SELECT count(*) FROM {table}")[0]

    revenue, orders = one("SELECT revenue, orders FROM sales_monthly_country WHERE country = 'United Kingdom' AND month = DATE '2011-11-01'")
    expected.gold(count("fact_sale_line"), count("dim_product"), count("dim_customer") - 1, count("dim_country"),
                  count("sales_monthly_country"), float(revenue), orders)
    database.close()


if __name__ == "__main__":
    main()
