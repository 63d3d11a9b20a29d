#!/usr/bin/env python3
"""Forecast speed against the peers, on the same generated series, in the same run, one thread and one core each.

  forecast_speed.py --ours BIN [--seconds 1.5]

BIN is bench_forecast_speed, which checks its own answers and writes the series. Peers: statsforecast, mlforecast (lag and
rolling features) and Prophet from this Python, R's forecast where Rscript has it. CPU seconds (user + system, children
included) after a warm-up call, median of three rounds; a peer gets its values as plain arrays, so no data frame is counted
but mlforecast's and Prophet's own. Every forecast must be finite. One JSON line per figure on stdout, with our ratio to the
peer's speed; a table with the ratios and their medians on stderr. A peer that is missing is said on stderr, and fails the
run only where TILLCAST_FAIL_ON_SKIP is set.
"""
import argparse
import collections
import importlib.metadata
import json
import logging
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import warnings

import one_thread
from one_thread import cpu, skip

HORIZON = 42
ROUNDS = 3
DATA = (("shop", 942), ("item", 1826), ("rare", 942), ("rare", 1826))


def measure(series: list, forecast, seconds: float) -> float:
    """Series per CPU second of forecast(values) -> array: the median of three rounds, each with the next series."""
    import numpy as np
    forecast(series[0])
    started = cpu()
    forecast(series[1])
    # The clock is read once for many calls of a fast model.
    batch = max(1, min(len(series), int(seconds / 30 / max(cpu() - started, 1e-6))))
    rates, at = [], 0
    for _ in range(ROUNDS):
        means, started, spent = [], cpu(), 0.0
        while spent < seconds / ROUNDS:
            for _ in range(batch):
                means.append(forecast(series[at % len(series)]))
                at += 1
            spent = cpu() - started
        rates.append(len(means) / spent)
        for mean in means:
            values = np.asarray(mean, dtype=float)
            if values.shape != (HORIZON,) or not np.isfinite(values).all():
                raise RuntimeError(f"a forecast is not {HORIZON} finite numbers")
    return statistics.median(rates)


RARE = {"croston", "sba", "tsb", "adida", "imapa"}


def statsforecast_models() -> dict:
    from statsforecast import models as m
    mean = lambda model: lambda y: model.forecast(y=y, h=HORIZON)["mean"]
    return {"seasonal_naive": mean(m.SeasonalNaive(7)), "moving_average": mean(m.WindowAverage(28)),
            "seasonal_average": mean(m.SeasonalWindowAverage(7, 4)), "ses": mean(m.SimpleExponentialSmoothingOptimized()),
            "seasonal_ses": mean(m.SeasonalExponentialSmoothingOptimized(7)), "holt_winters": mean(m.HoltWinters(7)),
            "theta": mean(m.Theta(7)), "dynamic_theta": mean(m.DynamicOptimizedTheta(7)), "auto_ets": mean(m.AutoETS(7)),
            "ces": mean(m.AutoCES(7)), "mstl": mean(m.MSTL([7, 365])), "croston": mean(m.CrostonClassic()),
            "sba": mean(m.CrostonSBA()), "tsb": mean(m.TSB(0.1, 0.1)), "adida": mean(m.ADIDA()), "imapa": mean(m.IMAPA())}


R_CODE = """
suppressMessages(library(forecast)); args <- commandArgs(TRUE)
series <- lapply(strsplit(trimws(readLines(args[1])), " +"), function(v) ts(as.numeric(v), frequency = 7))
models <- list(seasonal_naive = function(y) snaive(y, 42)$mean, ses = function(y) ses(y, 42)$mean,
  holt_winters = function(y) hw(y, 42)$mean, auto_ets = function(y) forecast(ets(y), 42)$mean,
  theta = function(y) thetaf(y, 42)$mean, mstl = function(y) forecast(mstl(y), h = 42)$mean,
  croston = function(y) croston(y, 42)$mean)
cpu <- function() sum(proc.time()[1:2])
for (name in strsplit(args[2], ",")[[1]]) {
  run <- models[[name]]; invisible(run(series[[1]])); at <- 0; rates <- c()
  for (round in 1:3) {
    done <- 0; t0 <- cpu()
    repeat {
      m <- run(series[[at %% length(series) + 1]]); at <- at + 1; done <- done + 1
      stopifnot(length(m) == 42, all(is.finite(m)))
      if (cpu() - t0 > as.numeric(args[3]) / 3) break
    }
    rates <- c(rates, done / (cpu() - t0))
  }
  cat(name, median(rates), "\\n")
}
"""


def r_version(rscript: str | None) -> str | None:
    """Of its package forecast; None without it."""
    if rscript is None:
        return None
    answer = subprocess.run([rscript, "-e", 'cat(as.character(packageVersion("forecast")))'], capture_output=True, text=True)
    return answer.stdout.strip() if answer.returncode == 0 else None


def r_speeds(rscript: str, file: pathlib.Path, models: list, seconds: float) -> dict:
    answer = subprocess.run([rscript, "-e", R_CODE, str(file), ",".join(models), str(seconds)], capture_output=True, text=True)
    if answer.returncode != 0:
        raise RuntimeError(answer.stderr.strip()[-400:])
    return {line.split()[0]: float(line.split()[1]) for line in answer.stdout.splitlines() if line.strip()}


def prophet_speed(series: list, seconds: float) -> float:
    import pandas as pd
    for logger in ("prophet", "prophet.plot", "cmdstanpy"):
        logging.getLogger(logger).disabled = True
    from prophet import Prophet

    def forecast(values):
        days = pd.date_range("2020-01-06", periods=len(values))
        model = Prophet(uncertainty_samples=0)
        model.fit(pd.DataFrame({"ds": days, "y": values}))
        return model.predict(model.make_future_dataframe(HORIZON))["yhat"].to_numpy()[-HORIZON:]
    return measure(series, forecast, seconds)


def mlforecast_values(series: list) -> float:
    """Values of lags, rolling means, deviations, extremes and medians per CPU second beyond the fixed cost."""
    import numpy as np
    import pandas as pd
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import RollingMax, RollingMean, RollingMin, RollingQuantile, RollingStd
    days = len(series[0])
    frame = pd.DataFrame({"unique_id": np.repeat(np.arange(len(series)), days), "y": np.concatenate(series),
                          "ds": np.tile(pd.date_range("2020-01-06", periods=days), len(series))})

    def run(lags, transforms):
        maker = MLForecast(models=[], freq="D", lags=lags, lag_transforms=transforms, num_threads=1)
        started = cpu()
        made = maker.preprocess(frame, dropna=False)
        return cpu() - started, made.shape[1] - 3
    windows = {42: [RollingMean(w) for w in (7, 14, 28, 91, 182, 364)] +
               [kind(28) for kind in (RollingStd, RollingMin, RollingMax)] + [RollingQuantile(p=0.5, window_size=28)]}
    run([1], windows)
    rates = []
    for _ in range(ROUNDS):
        fixed, base = run([1], {})
        spent, columns = run(list(range(1, 15)), windows)
        rates.append((columns - base) * len(frame) / max(spent - fixed, 1e-3))
    return statistics.median(rates)


class Report:
    """Ratios as they are measured: JSON lines at once, the table at the end."""

    def __init__(self):
        self.rows = collections.defaultdict(dict)  # (what, our figure) -> {peer: (figure, ratio)}

    def put(self, name: str, own: float, peer: str, figure: float, ratio: float, unit: str) -> None:
        self.rows[name, own][peer] = (figure, ratio)
        print(json.dumps({"name": f"forecast_speed/{name}", unit: own, "peer": peer, f"peer_{unit}": round(figure, 2),
                          "ratio": round(ratio, 3)}), flush=True)

    def print_table(self) -> None:
        peers = sorted({peer for row in self.rows.values() for peer in row})
        print(f"\n{'a CPU second':28} {'tillcast':>11}" + "".join(f" {peer:>22}" for peer in peers), file=sys.stderr)
        for (name, own), row in self.rows.items():
            cells = [f"{row[peer][0]:,.4g} ({row[peer][1]:,.3g}x)" if peer in row else "" for peer in peers]
            print(f"{name:28} {own:11,.5g}" + "".join(f" {cell:>22}" for cell in cells), file=sys.stderr)
        for peer in peers:
            ratios = [row[peer][1] for (name, _), row in self.rows.items() if peer in row and name not in ("features", "chain")]
            if not ratios:
                continue
            print(f"{peer}: tillcast is {statistics.median(ratios):,.3g} times as fast in the median of {len(ratios)} figures, "
                  f"{min(ratios):,.3g} to {max(ratios):,.3g}", file=sys.stderr)
            print(json.dumps({"name": f"forecast_speed/median/{peer}", "ratio": round(statistics.median(ratios), 3),
                              "least": round(min(ratios), 3), "most": round(max(ratios), 3), "figures": len(ratios)}))


def run_ours(binary: str, failures: list) -> list:
    run = subprocess.run([binary], stdout=subprocess.PIPE, text=True)
    if run.returncode != 0:
        failures.append("tillcast's own answers or speeds are off")
    try:
        return json.loads(run.stdout)["results"]
    except ValueError:
        raise SystemExit(f"{binary} ended with {run.returncode} and without its figures") from None


def read_series(file: pathlib.Path) -> list:
    import numpy as np
    return [np.array(line.split(), dtype=float) for line in file.read_text(encoding="ascii").splitlines()]


def run_statsforecast(report: Report, ours: dict, file: pathlib.Path, data: str, days: int, seconds: float) -> None:
    try:
        models = statsforecast_models()
    except ImportError as error:
        return skip("statsforecast", error)
    series = read_series(file)
    for model, forecast in models.items():
        if (model in RARE) != (data == "rare"):
            continue
        try:
            speed = measure(series, forecast, seconds)
        except Exception as error:  # a peer's fault is no fault of ours: said, and the others go on
            print(f"statsforecast {model} on {data}, {days} days: {error}", file=sys.stderr)
            continue
        own = ours[model, data, days]
        report.put(f"{model}/{data}_{days}", own, "statsforecast", speed, own / speed, "series_per_cpu_s")


def run_r(report: Report, ours: dict, rscript: str, file: pathlib.Path, data: str, days: int, seconds: float) -> None:
    models = ["croston"] if data == "rare" else ["seasonal_naive", "ses", "holt_winters", "auto_ets", "theta", "mstl"]
    try:
        speeds = r_speeds(rscript, file, models, seconds)
    except RuntimeError as error:
        print(f"R forecast on {data}, {days} days: {error}", file=sys.stderr)
        return
    for model, speed in speeds.items():
        own = ours[model, data, days]
        report.put(f"{model}/{data}_{days}", own, "R forecast", speed, own / speed, "series_per_cpu_s")


def run_prophet(report: Report, ours: dict, chain: dict, file: pathlib.Path, data: str, days: int, seconds: float) -> None:
    try:
        speed = prophet_speed(read_series(file), seconds)
    except ImportError as error:
        return skip("prophet", error)
    own = ours["auto_ets", data, days]
    report.put(f"auto_ets/{data}_{days}", own, "prophet", speed, own / speed, "series_per_cpu_s")
    if data == "shop":
        # As many fits as the chain's origins and its forecast need, at the speed just measured.
        fits = chain["series"] * (chain["origins"] + 1)
        report.put("chain", chain["cpu_seconds"], "prophet", fits / speed, fits / speed / chain["cpu_seconds"], "cpu_s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", required=True, help="bench_forecast_speed")
    parser.add_argument("--seconds", type=float, default=1.5, help="CPU seconds per peer, model and data, at least")
    arguments = parser.parse_args()
    one_thread.pin()
    warnings.filterwarnings("ignore")
    failures = []
    results = run_ours(arguments.ours, failures)
    ours = {(r["model"], r["data"], r["days"]): r["series_per_cpu_second"] for r in results if "model" in r}
    chain = next(r for r in results if "chain" in r)
    features = next(r for r in results if "features" in r)["values_per_cpu_second"]
    rscript = shutil.which("Rscript")
    version = r_version(rscript)
    if version is None:
        skip("R forecast", "no Rscript with the package forecast (Debian: r-cran-forecast)")
    versions = {"R forecast": version} if version else {}
    for peer in ("statsforecast", "mlforecast", "prophet"):
        try:
            versions[peer] = importlib.metadata.version(peer)
        except importlib.metadata.PackageNotFoundError:
            skip(peer, f"not installed for {sys.executable}")
    print(json.dumps({"name": "forecast_speed/peers", **versions}), flush=True)
    report = Report()
    with tempfile.TemporaryDirectory(prefix="tillcast-bench-") as folder:
        subprocess.run([arguments.ours, "--write", folder], check=True)
        for data, days in DATA:
            file = pathlib.Path(folder) / f"{data}_{days}.txt"
            if "statsforecast" in versions:
                run_statsforecast(report, ours, file, data, days, arguments.seconds)
            if version:
                run_r(report, ours, rscript, file, data, days, arguments.seconds)
            if "prophet" in versions and data != "rare":
                run_prophet(report, ours, chain, file, data, days, arguments.seconds)
        if "mlforecast" in versions:
            try:
                speed = mlforecast_values(read_series(pathlib.Path(folder) / "item_1826.txt") * 10)
                report.put("features", features, "mlforecast", speed, features / speed, "values_per_cpu_s")
            except ImportError as error:
                skip("mlforecast", error)
    report.print_table()
    print(json.dumps({"name": "forecast_speed/chain", "stores": chain["series"], "origins": chain["origins"],
                      "cpu_s": chain["cpu_seconds"], "most_cpu_s": 120, "check": "off" if failures else "ok"}))
    return one_thread.exit_status(failures)


if __name__ == "__main__":
    sys.exit(main())
