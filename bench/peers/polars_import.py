"""polars: Online Retail to typed columns, or to bronze, silver, star schema and gold as zstd Parquet.

Usage: polars_import.py {columns|gold} FILE OUT
"""
import pathlib
import sys

import expected
import polars as pl

TYPES = {"InvoiceNo": pl.String, "StockCode": pl.String, "Description": pl.String, "Quantity": pl.Int64,
         "UnitPrice": pl.Float64, "CustomerID": pl.Int64, "Country": pl.String}


def read(file: str) -> pl.DataFrame:
    if file.endswith(".xlsx"):
        return pl.read_excel(file, schema_overrides=TYPES | {"InvoiceDate": pl.Datetime("us")})
    text = pl.scan_csv(file, schema_overrides=TYPES | {"InvoiceDate": pl.String})
    return text.with_columns(pl.col("InvoiceDate").str.to_datetime("%m/%d/%Y %H:%M", time_unit="us")).collect()


def silver_of(bronze: pl.DataFrame) -> pl.DataFrame:
    order, code = pl.col("InvoiceNo"), pl.col("StockCode")
    return (
        bronze.with_columns(
            code.str.strip_chars().str.to_uppercase(),
            pl.col("Description").str.strip_chars().replace("", None),
            is_cancellation=order.str.starts_with("C"),
            is_adjustment=order.str.starts_with("A"),
            is_repeat=~bronze.select(pl.struct(pl.all()).is_first_distinct()).to_series(),
            amount=(pl.col("Quantity") * pl.col("UnitPrice")).round(4),
        )
        .with_columns(
            line_no=pl.int_range(1, pl.len() + 1).over("InvoiceNo"),
            is_service=pl.col("StockCode").is_in(expected.SERVICE_CODES),
            business_date=pl.col("InvoiceDate").dt.date(),
        )
    )


def star_of(silver: pl.DataFrame) -> dict[str, pl.DataFrame]:
    names = (
        silver.drop_nulls("Description").group_by("StockCode", "Description").len()
        .sort(["StockCode", "len", "Description"], descending=[False, True, False])
        .group_by("StockCode", maintain_order=True).first().drop("len")
    )
    codes = silver.select("StockCode", "is_service").unique("StockCode").sort("StockCode")
    product = codes.join(names, on="StockCode", how="left").with_row_index("product_key", 1)
    customer = (
        silver.drop_nulls("CustomerID").group_by("CustomerID")
        .agg(first=pl.col("InvoiceDate").min(), country=pl.col("Country").first())
        .sort("CustomerID").with_row_index("customer_key", 1)
    )
    country = silver.select(pl.col("Country").unique().sort()).with_row_index("country_key", 1)
    days = pl.date_range(silver["business_date"].min(), silver["business_date"].max(), "1d", eager=True)
    date = pl.DataFrame({"date": days}).with_columns(
        year=pl.col("date").dt.year(), month=pl.col("date").dt.month(), weekday=pl.col("date").dt.weekday())
    fact = (
        silver.join(product.select("StockCode", "product_key"), on="StockCode", how="left")
        .join(customer.select("CustomerID", "customer_key"), on="CustomerID", how="left")
        .join(country, on="Country", how="left")
        .with_columns(pl.col("customer_key").fill_null(0))
        .drop("StockCode", "Description", "CustomerID", "Country", "is_service")
    )
    summary = (
        silver.filter(~pl.col("is_cancellation") & ~pl.col("is_adjustment") & (pl.col("UnitPrice") != 0))
        .group_by(pl.col("business_date").dt.truncate("1mo").alias("month"), "Country")
        .agg(revenue=pl.col("amount").sum(), orders=pl.col("InvoiceNo").n_unique(), units=pl.col("Quantity").sum(),
             customers=pl.col("CustomerID").drop_nulls().n_unique())
    )
    return {"dim_product": product, "dim_customer": customer, "dim_country": country, "dim_date": date,
            "fact_sale_line": fact, "sales_monthly_country": summary}


def main() -> None:
    task, file, out = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    bronze = read(file)
    if task == "columns":
        return expected.columns(bronze.height, bronze.select((pl.col("Quantity") * pl.col("UnitPrice")).sum()).item())
    silver = silver_of(bronze)
    tables = {"bronze": bronze, "silver": silver, **star_of(silver)}
    for name, table in tables.items():
        table.write_parquet(out / f"{name}.parquet", compression="zstd")
    summary = tables["sales_monthly_country"]
    uk = summary.filter((pl.col("Country") == "United Kingdom") & (pl.col("month") == pl.date(2011, 11, 1)))
    expected.gold(tables["fact_sale_line"].height, tables["dim_product"].height, tables["dim_customer"].height,
                  tables["dim_country"].height, summary.height, uk["revenue"].item(), uk["orders"].item())


if __name__ == "__main__":
    main()
