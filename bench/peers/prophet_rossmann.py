#!/usr/bin/env python3
"""Prophet on every 22nd Rossmann store (51 of 1,115) at the origins of bench_forecast_rossmann, beside tillcast's figures on the
same stores and days.

  prophet_rossmann.py [--datasets DIR] [--results FILE] [--origin DATE]...

All stores would take some 13 CPU minutes. One model a store and origin, as a careful user sets it up: logarithms of sales on open
days, Promo and SchoolHoliday as regressors, state holidays with the days beside them; nothing known after the origin but
these. FILE holds the JSON lines of bench_forecast_rossmann. One JSON line per origin on stdout, a table on stderr. Without
Prophet: said on stderr, a failure only where TILLCAST_FAIL_ON_SKIP is set.
"""
import argparse
import json
import logging
import os
import pathlib
import sys
import warnings

import one_thread

ORIGINS = ("2015-01-02", "2015-02-13", "2015-03-27", "2015-05-08", "2015-06-19")
HORIZON, EVERY, ROWS_LAST = 42, 22, 1842
MODELS = ("global_trees", "chosen_of_3", "driver_median", "theta", "seasonal_naive_14", "seasonal_naive")


def forecast(known, ahead, holidays):
    import numpy as np
    from prophet import Prophet
    model = Prophet(holidays=holidays, uncertainty_samples=0)
    for regressor in ("Promo", "SchoolHoliday"):
        model.add_regressor(regressor)
    model.fit(known.assign(y=np.log(known["Sales"]))[["ds", "y", "Promo", "SchoolHoliday"]])
    return np.exp(model.predict(ahead[["ds", "Promo", "SchoolHoliday"]])["yhat"].to_numpy())


def score(stores: list, origin: str) -> dict:
    """RMSPE and WAPE of all stores' days with sales in the horizon, and CPU seconds."""
    import numpy as np
    import pandas as pd
    cut = pd.Timestamp(origin)
    last = cut + pd.Timedelta(days=HORIZON)
    relative, absolute, actual = [], 0.0, 0.0
    started = one_thread.cpu()
    for rows in stores:
        published = rows[rows["ds"] <= last]
        closed_for = published[published["StateHoliday"] != "0"]
        holidays = pd.DataFrame({"holiday": closed_for["StateHoliday"], "ds": closed_for["ds"], "lower_window": -1,
                                 "upper_window": 1})
        selling = published[(published["Open"] == 1) & (published["Sales"] > 0)]
        known, ahead = selling[selling["ds"] <= cut], selling[selling["ds"] > cut]
        if ahead.empty:
            continue
        mean, sales = forecast(known, ahead, holidays), ahead["Sales"].to_numpy()
        relative.append(mean / sales - 1)
        absolute += np.abs(mean - sales).sum()
        actual += sales.sum()
    errors = np.concatenate(relative)
    if not np.isfinite(errors).all():
        raise RuntimeError("Prophet gave a forecast that is not finite")
    return {"rmspe": float(np.sqrt((errors**2).mean())), "wape": float(absolute / actual), "rows": len(errors),
            "cpu_s": one_thread.cpu() - started}


def figures_of(results: pathlib.Path | None) -> dict:
    """(origin, model) -> RMSPE on the sample, from the lines of bench_forecast_rossmann."""
    found = {}
    for line in results.read_text(encoding="utf-8").splitlines() if results and results.exists() else []:
        figure = json.loads(line)
        parts = figure.get("name", "").split("/")
        if parts[0] == "forecast_rossmann" and "rmspe_sample" in figure:
            found[parts[1], parts[2]] = figure["rmspe_sample"]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", default=os.environ.get("TILLCAST_DATASETS", "../shared/data"))
    parser.add_argument("--results", type=pathlib.Path, help="JSON lines of bench_forecast_rossmann")
    parser.add_argument("--origin", action="append", dest="origins")
    arguments = parser.parse_args()
    one_thread.pin()
    warnings.filterwarnings("ignore")
    for logger in ("prophet", "prophet.plot", "cmdstanpy"):
        logging.getLogger(logger).disabled = True
    try:
        import pandas as pd
        import prophet
    except ImportError as error:
        one_thread.skip("prophet", error)
        return one_thread.exit_status([])
    file = pathlib.Path(arguments.datasets) / "rossmann/train.csv"
    if not file.exists():
        print(f"{file} cannot be read: set TILLCAST_DATASETS to the folder of the data sets", file=sys.stderr)
        return 2
    table = pd.read_csv(file, dtype={"StateHoliday": str}, parse_dates=["Date"]).rename(columns={"Date": "ds"})
    table = table[(table["Store"] - 1) % EVERY == 0].sort_values("ds")
    stores = [rows for _, rows in table.groupby("Store")]
    ours, failures = figures_of(arguments.results), []
    print(f"RMSPE, {len(stores)} stores    {'prophet':>8} " + " ".join(f"{name:>17}" for name in MODELS), file=sys.stderr)
    for origin in arguments.origins or ORIGINS:
        found = score(stores, origin)
        own = {model: ours[origin, model] for model in MODELS if (origin, model) in ours}
        print(json.dumps({"name": f"prophet_rossmann/{origin}", "version": prophet.__version__, "stores": len(stores),
                          **{key: round(value, 4) for key, value in found.items()}, "tillcast": own}), flush=True)
        print(f"{origin:21} {found['rmspe']:8.4f} " +
              " ".join(f"{own[model]:17.4f}" if model in own else f"{'':>17}" for model in MODELS) +
              f"   {found['cpu_s']:.0f} CPU s", file=sys.stderr, flush=True)
        if origin == ORIGINS[-1] and found["rows"] != ROWS_LAST:
            failures.append(f"{found['rows']} rows scored at {origin} instead of {ROWS_LAST}")
    return one_thread.exit_status(failures)


if __name__ == "__main__":
    sys.exit(main())
