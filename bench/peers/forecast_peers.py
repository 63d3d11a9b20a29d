#!/usr/bin/env python3
"""Forecast speed against the peers, on the same generated series, in the same run, one thread each.

  forecast_peers.py --ours BIN [--seconds 1.5]

BIN is bench_forecast_speed, which checks its own answers and writes the series. Peers: statsforecast, mlforecast (lag and
rolling features) and Prophet from this Python, R's forecast (ets, thetaf) where Rscript has it. CPU seconds (user + system,
children included) after a warm-up call; a peer gets its values as plain arrays, so no data frame is counted but mlforecast's
own. Every forecast must be finite. One JSON line per figure, with our ratio to the peer's speed. A peer that is missing is
said on stderr, and fails the run only where TILLCAST_FAIL_ON_SKIP is set.
"""
import argparse
import json
import logging
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import warnings

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")
HORIZON = 42
missing = []
failures = []


def cpu() -> float:
    uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)


def skip(peer: str, why: object) -> None:
    missing.append(peer)
    print(f"MISSING PEER {peer}: {why}; its ratios are left out", file=sys.stderr)


def measure(series: list, forecast, seconds: float) -> float:
    """Series per CPU second of forecast(values) -> array."""
    import numpy as np
    forecast(series[0])
    done, started = 0, cpu()
    while done < len(series) and (done == 0 or cpu() - started < seconds):
        mean = np.asarray(forecast(series[done]), dtype=float)
        if mean.shape != (HORIZON,) or not np.isfinite(mean).all():
            raise RuntimeError(f"series {done}: the forecast is not {HORIZON} finite numbers")
        done += 1
    return done / (cpu() - started)


def statsforecast_models() -> dict:
    from statsforecast import models as m
    mean = lambda model: lambda y: model.forecast(y=y, h=HORIZON)["mean"]
    return {"seasonal_naive": mean(m.SeasonalNaive(7)), "moving_average": mean(m.WindowAverage(28)),
            "seasonal_average": mean(m.SeasonalWindowAverage(7, 4)), "ses": mean(m.SimpleExponentialSmoothingOptimized()),
            "seasonal_ses": mean(m.SeasonalExponentialSmoothingOptimized(7)), "holt_winters": mean(m.HoltWinters(7)),
            "theta": mean(m.Theta(7)), "dynamic_theta": mean(m.DynamicOptimizedTheta(7)), "auto_ets": mean(m.AutoETS(7)),
            "ces": mean(m.AutoCES(7)), "mstl": mean(m.MSTL([7, 365])), "croston": mean(m.CrostonClassic()),
            "sba": mean(m.CrostonSBA()), "tsb": mean(m.TSB(0.1, 0.1)), "adida": mean(m.ADIDA()), "imapa": mean(m.IMAPA())}


RARE = {"croston", "sba", "tsb", "adida", "imapa"}
R_CODE = """
suppressMessages(library(forecast)); args <- commandArgs(TRUE)
series <- lapply(strsplit(trimws(readLines(args[1])), " +"), function(v) ts(as.numeric(v), frequency = 7))
for (name in c("auto_ets", "theta", "mstl")) {
  run <- switch(name, auto_ets = function(y) forecast(ets(y), 42)$mean, theta = function(y) thetaf(y, 42)$mean,
                mstl = function(y) forecast(mstl(y), h = 42)$mean)
  invisible(run(series[[1]])); done <- 0; t0 <- sum(proc.time()[1:2])
  for (y in series) {
    m <- run(y); stopifnot(length(m) == 42, all(is.finite(m))); done <- done + 1
    if (sum(proc.time()[1:2]) - t0 > as.numeric(args[2])) break
  }
  cat(name, done / (sum(proc.time()[1:2]) - t0), "\\n")
}
"""


def r_speeds(file: pathlib.Path, seconds: float) -> dict:
    answer = subprocess.run(["Rscript", "-e", R_CODE, str(file), str(seconds)], capture_output=True, text=True, check=True)
    return {line.split()[0]: float(line.split()[1]) for line in answer.stdout.splitlines()}


def prophet_speed(series: list, seconds: float) -> float:
    import pandas as pd
    from prophet import Prophet
    for logger in ("prophet", "cmdstanpy"):
        logging.getLogger(logger).disabled = True

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
    fixed, base = run([1], {})
    spent, columns = run(list(range(1, 15)), windows)
    return (columns - base) * len(frame) / max(spent - fixed, 1e-3)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", required=True, help="bench_forecast_speed")
    parser.add_argument("--seconds", type=float, default=1.5, help="CPU seconds per peer, model and data")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    run = subprocess.run([arguments.ours], stdout=subprocess.PIPE, text=True)
    if run.returncode != 0:
        failures.append("tillcast's own answers or speeds are off")
    results = json.loads(run.stdout)["results"]
    ours = {(r["model"], r["data"], r["days"]): r for r in results if "model" in r}

    def put(peer, model, data, days, speed):
        own = ours[model, data, days]["series_per_cpu_second"]
        print(json.dumps({"name": f"forecast_speed/{model}/{data}_{days}", "series_per_cpu_s": own, "peer": peer,
                          "peer_series_per_cpu_s": round(speed, 2), "ratio": round(own / speed, 2), "check": "ok"}), flush=True)

    try:
        import numpy as np
        models = statsforecast_models()
    except ImportError as error:
        skip("statsforecast", error)
        models = {}
    rscript = shutil.which("Rscript")
    if rscript and subprocess.run([rscript, "-e", "library(forecast)"], capture_output=True).returncode != 0:
        rscript = None
    if rscript is None:
        skip("R forecast", "no Rscript with the package forecast (Debian: r-cran-forecast)")
    with tempfile.TemporaryDirectory(prefix="tillcast-bench-") as folder:
        subprocess.run([arguments.ours, "--write", folder], check=True)
        for data, days in (("shop", 942), ("item", 1826), ("rare", 942), ("rare", 1826)):
            file = pathlib.Path(folder) / f"{data}_{days}.txt"
            series = [np.array(line.split(), dtype=float) for line in file.read_text().splitlines()] if models else []
            for model, forecast in models.items():
                if (model in RARE) != (data == "rare"):
                    continue
                try:
                    put("statsforecast", model, data, days, measure(series, forecast, arguments.seconds))
                except Exception as error:  # a peer's fault is no fault of ours: said, and the others go on
                    print(f"statsforecast {model} on {data}, {days} days: {error}", file=sys.stderr)
            if data == "rare":
                continue
            if rscript:
                for model, speed in r_speeds(file, arguments.seconds).items():
                    put("R forecast", model, data, days, speed)
            if series:
                try:
                    speed = prophet_speed(series, arguments.seconds)
                    for model in ("auto_ets", "driver_median"):
                        put("prophet", model, data, days, speed)
                except ImportError as error:
                    skip("prophet", error)
        own = next(r for r in results if "features" in r)
        try:
            lines = (pathlib.Path(folder) / "item_1826.txt").read_text().splitlines() if models else []
            speed = mlforecast_values([np.array(line.split(), dtype=float) for line in lines] * 10)
            print(json.dumps({"name": "forecast_speed/features", "values_per_cpu_s": own["values_per_cpu_second"],
                              "peer": "mlforecast", "peer_values_per_cpu_s": round(speed), "check": "ok",
                              "ratio": round(own["values_per_cpu_second"] / speed, 3)}))
        except (ImportError, NameError) as error:
            skip("mlforecast", error)
    chain = next(r for r in results if "chain" in r)
    print(json.dumps({"name": "forecast_speed/chain", "stores": chain["series"], "origins": chain["origins"],
                      "cpu_s": chain["cpu_seconds"], "most_cpu_s": 120,
                      "check": "off" if failures else "ok"}))
    for failure in failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    if missing and os.environ.get("TILLCAST_FAIL_ON_SKIP"):
        failures.append("missing peers")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
