"""What every program of the import benchmark must find in UCI Online Retail; a fast wrong answer is none."""
import json

ROWS = 541_909
TOTAL = 9_747_747.934
PRODUCTS = 3_958
CUSTOMERS = 4_372
COUNTRIES = 38
SUMMARY_ROWS = 302
UK_2011_11 = (1_325_346.21, 2_490)

# Codes that are not goods: postage, fees, manual entries.
SERVICE_CODES = ["AMAZONFEE", "B", "BANK CHARGES", "C2", "CRUK", "D", "DOT", "M", "PADS", "POST", "S"]


def columns(rows: int, total: float) -> None:
    """Checks a typed import and prints it as one JSON line."""
    assert rows == ROWS, f"{rows} rows, expected {ROWS}"
    assert abs(total - TOTAL) < 0.001, f"total {total}, expected {TOTAL}"
    print(json.dumps({"rows": rows, "total": round(total, 3)}))


def gold(rows: int, products: int, customers: int, countries: int, summary: int, revenue: float, orders: int) -> None:
    """Checks the star schema and the monthly summary; customers without the Unknown member."""
    found = (rows, products, customers, countries, summary, round(revenue, 2), orders)
    expected = (ROWS, PRODUCTS, CUSTOMERS, COUNTRIES, SUMMARY_ROWS, *UK_2011_11)
    assert found == expected, f"found {found}, expected {expected}"
    print(json.dumps({"rows": rows, "uk_2011_11": [round(revenue, 2), orders]}))
