"""pandas (C parser, calamine for xlsx): Online Retail to typed columns, or to bronze, silver, star schema and gold.

Usage: pandas_import.py {columns|gold} FILE OUT
"""
import pathlib
import sys

import expected
import pandas as pd

TYPES = {"InvoiceNo": "str", "StockCode": "str", "Description": "str", "Country": "str"}


def read(file: str) -> pd.DataFrame:
    if file.endswith(".xlsx"):
        frame = pd.read_excel(file, engine="calamine", dtype=TYPES)
    else:
        frame = pd.read_csv(file, dtype=TYPES | {"CustomerID": "Int64"}, keep_default_na=False,
                            na_values={"CustomerID": [""], "Description": [""]})
        frame["InvoiceDate"] = pd.to_datetime(frame["InvoiceDate"], format="%m/%d/%Y %H:%M")
    frame["CustomerID"] = frame["CustomerID"].astype("Int64")
    return frame


def silver_of(bronze: pd.DataFrame) -> pd.DataFrame:
    silver = bronze.copy()
    silver["is_repeat"] = bronze.duplicated()
    silver["StockCode"] = silver["StockCode"].str.strip().str.upper()
    silver["Description"] = silver["Description"].str.strip().replace("", None)
    silver["is_cancellation"] = silver["InvoiceNo"].str.startswith("C")
    silver["is_adjustment"] = silver["InvoiceNo"].str.startswith("A")
    silver["is_service"] = silver["StockCode"].isin(expected.SERVICE_CODES)
    silver["line_no"] = silver.groupby("InvoiceNo").cumcount() + 1
    silver["amount"] = (silver["Quantity"] * silver["UnitPrice"]).round(4)
    silver["business_date"] = silver["InvoiceDate"].dt.normalize()
    return silver


def star_of(silver: pd.DataFrame) -> dict[str, pd.DataFrame]:
    names = silver.dropna(subset=["Description"]).groupby(["StockCode", "Description"]).size().reset_index(name="lines")
    names = names.sort_values(["StockCode", "lines", "Description"], ascending=[True, False, True])
    names = names.drop_duplicates("StockCode").drop(columns="lines")
    product = silver[["StockCode", "is_service"]].drop_duplicates("StockCode").sort_values("StockCode")
    product = product.merge(names, on="StockCode", how="left")
    product["product_key"] = range(1, len(product) + 1)
    customer = silver.dropna(subset=["CustomerID"]).groupby("CustomerID").agg(
        first=("InvoiceDate", "min"), country=("Country", "first")).reset_index()
    customer["customer_key"] = range(1, len(customer) + 1)
    country = pd.DataFrame({"Country": sorted(silver["Country"].unique())})
    country["country_key"] = range(1, len(country) + 1)
    date = pd.DataFrame({"date": pd.date_range(silver["business_date"].min(), silver["business_date"].max())})
    date["year"], date["month"], date["weekday"] = date["date"].dt.year, date["date"].dt.month, date["date"].dt.weekday
    fact = silver.merge(product[["StockCode", "product_key"]], on="StockCode", how="left")
    fact = fact.merge(customer[["CustomerID", "customer_key"]], on="CustomerID", how="left")
    fact = fact.merge(country, on="Country", how="left")
    fact["customer_key"] = fact["customer_key"].fillna(0).astype("int64")
    fact = fact.drop(columns=["StockCode", "Description", "CustomerID", "Country", "is_service"])
    sold = silver[~silver["is_cancellation"] & ~silver["is_adjustment"] & (silver["UnitPrice"] != 0)]
    month = sold["business_date"].dt.to_period("M").dt.start_time.rename("month")
    summary = sold.groupby([month, "Country"]).agg(
        revenue=("amount", "sum"), orders=("InvoiceNo", "nunique"), units=("Quantity", "sum"),
        customers=("CustomerID", "nunique")).reset_index()
    return {"dim_product": product, "dim_customer": customer, "dim_country": country, "dim_date": date,
            "fact_sale_line": fact, "sales_monthly_country": summary}


def main() -> None:
    task, file, out = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    bronze = read(file)
    if task == "columns":
        return expected.columns(len(bronze), float((bronze["Quantity"] * bronze["UnitPrice"]).sum()))
    silver = silver_of(bronze)
    tables = {"bronze": bronze, "silver": silver, **star_of(silver)}
    for name, table in tables.items():
        table.to_parquet(out / f"{name}.parquet", compression="zstd", index=False)
    summary = tables["sales_monthly_country"]
    uk = summary[(summary["Country"] == "United Kingdom") & (summary["month"] == "2011-11-01")].iloc[0]
    expected.gold(len(tables["fact_sale_line"]), len(tables["dim_product"]), len(tables["dim_customer"]),
                  len(tables["dim_country"]), len(summary), float(uk["revenue"]), int(uk["orders"]))


if __name__ == "__main__":
    main()
