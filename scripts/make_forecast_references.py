#!/usr/bin/env python3
"""Makes tests/data/forecast/references.txt: what statsforecast and R's forecast compute on generated series.

Usage: make_forecast_references.py OUT   (Python with statsforecast 2.1.1; Rscript with forecast 8.20 if found)
The series come from a small formula that tests/forecast/reference_series.h repeats. Lines are
`name value value ...`; the tests say which tolerance holds for which name.
"""
import shutil
import subprocess
import sys
import tempfile

import numpy as np
from statsforecast.ces import auto_ces, forecast_ces
from statsforecast.ets import ets_f, forecast_ets
from statsforecast.models import (ADIDA, IMAPA, MSTL, TSB, AutoETS, CrostonClassic, CrostonSBA,
                                  SeasonalExponentialSmoothingOptimized, SeasonalWindowAverage)
from statsforecast.theta import auto_theta, forecast_theta

WEEK = [0.8, 0.9, 1.0, 1.1, 1.3, 1.5, 0.6]
YEAR = [0.7, 0.75, 0.9, 0.95, 1.0, 1.05, 1.0, 0.95, 1.0, 1.1, 1.2, 1.4]


def noise(seed):
    """Numerical Recipes' linear congruential generator, as shares of 2^32."""
    state = seed
    while True:
        state = (1664525 * state + 1013904223) % 2**32
        yield state / 2**32


def series(name):
    u = noise({"weekly": 1, "monthly": 2, "rare": 3, "walk": 4, "twice": 5}[name])
    if name == "weekly":
        return np.array([(50 + 0.1 * t) * WEEK[t % 7] * (0.9 + 0.2 * next(u)) for t in range(210)])
    if name == "monthly":
        return np.array([(200 + 1.5 * t) * YEAR[t % 12] * (0.95 + 0.1 * next(u)) for t in range(96)])
    if name == "rare":
        values = []
        for _ in range(120):
            sold = next(u) < 0.3
            size = next(u)
            values.append(1.0 + int(5 * size) if sold else 0.0)
        return np.array(values)
    if name == "twice":  # seasons of 7 and 60 periods
        return np.array([100 + 0.05 * t + 20 * WEEK[t % 7] + 40 * YEAR[t // 5 % 12] + 8 * next(u) for t in range(420)])
    values, level = [], 100.0
    for _ in range(80):
        level += 10 * (next(u) - 0.5)
        values.append(level)
    return np.array(values)


def main():
    out = []

    def put(name, values):
        out.append(name + " " + " ".join(repr(float(v)) for v in np.atleast_1d(values)))

    for name in ("weekly", "monthly", "rare", "walk", "twice"):
        put(f"series.{name}", series(name))
    shapes = {"weekly": (7, ["ANN", "ANA", "AAA", "AAdA", "MNM", "MNA"]), "monthly": (12, ["ANA", "AAA", "MAM", "MAdM"]),
              "walk": (1, ["ANN", "AAN", "AAdN"])}
    for name, (m, models) in shapes.items():
        y = series(name)
        for text in models:
            damped = "d" in text
            fit = ets_f(y, m=m, model=text.replace("d", ""), damped=damped)
            key = f"ets.{name}.{text}"
            alpha, beta, gamma, phi = fit["par"][:4]
            put(f"{key}.weights", [0 if np.isnan(v) else v for v in (alpha, beta, gamma)] + [1 if np.isnan(phi) else phi])
            put(f"{key}.initial", fit["states"][0])  # level, trend, season newest first
            put(f"{key}.likelihood", [-2 * fit["loglik"], fit["aicc"]])
            put(f"{key}.residuals", fit["residuals"][:5])
            put(f"{key}.forecast", forecast_ets(fit, h=14)["mean"])
        put(f"autoets.{name}.aicc", AutoETS(season_length=m, model="AZA" if m > 1 else "AZN").fit(y).model_["aicc"])
    for name, m in (("weekly", 7), ("monthly", 12), ("walk", 1)):
        y = series(name)
        for kind in ("STM", "DOTM"):
            fit = auto_theta(y, m=m, model=kind, decomposition_type="multiplicative")
            put(f"theta.{name}.{kind}.parameters", [fit["par"]["alpha"], fit["par"]["initial_smoothed"], fit["par"]["theta"]])
            put(f"theta.{name}.{kind}.squares", np.sum(fit["residuals"][3:] ** 2))
            put(f"theta.{name}.{kind}.forecast", forecast_theta(fit, h=14)["mean"])
    for name, m in (("weekly", 7), ("monthly", 12), ("walk", 1)):
        y = series(name)
        for season in "NSPF" if m > 1 else "N":
            fit = auto_ces(y, m=m, model=season)
            key = f"ces.{name}.{season}"
            par = [fit["par"][k] for k in ("alpha_0", "alpha_1", "beta_0", "beta_1")]
            put(f"{key}.weights", [0 if np.isnan(v) else v for v in par])
            put(f"{key}.likelihood", [-2 * fit["loglik"], fit["aicc"]])
            put(f"{key}.residuals", fit["residuals"][:5])
            put(f"{key}.forecast", forecast_ces(fit, h=14)["mean"])
        put(f"autoces.{name}", ["NSPF".index(auto_ces(y, m=m)["seasontype"])])
    put("seasonal_ses.weekly", SeasonalExponentialSmoothingOptimized(7).forecast(y=series("weekly"), h=7)["mean"])
    put("seasonal_average.weekly", SeasonalWindowAverage(7, 4).forecast(y=series("weekly"), h=7)["mean"])
    put("mstl.twice.forecast", MSTL([7, 60], trend_forecaster=AutoETS(model="AZN")).forecast(y=series("twice"), h=14)["mean"])
    rare = series("rare")
    for key, which in (("croston", CrostonClassic()), ("sba", CrostonSBA()), ("tsb", TSB(0.1, 0.1)), ("adida", ADIDA()),
                       ("imapa", IMAPA())):
        put(f"rare.{key}", which.forecast(y=rare, h=1)["mean"][0])

    rscript = shutil.which("Rscript")
    if rscript is None:
        print("Rscript not found: the lines of R's forecast are left out", file=sys.stderr)
    else:
        with tempfile.TemporaryDirectory() as folder:
            for name in ("weekly", "monthly", "walk", "rare", "twice"):
                np.savetxt(f"{folder}/{name}.txt", series(name), fmt="%.17g")
            code = """
suppressMessages(library(forecast)); folder <- commandArgs(TRUE)[1]
put <- function(name, v) cat(name, format(v, digits = 15, trim = TRUE), "\\n")
read <- function(name, m) ts(scan(file.path(folder, paste0(name, ".txt")), quiet = TRUE), frequency = m)
for (case in list(list("weekly", 7, c("ANN", "ANA", "AAA", "MNM")), list("monthly", 12, c("ANA", "AAA", "MAM")),
                  list("walk", 1, c("ANN", "AAN")))) for (model in case[[3]]) {
  fit <- ets(read(case[[1]], case[[2]]), model = model, damped = FALSE)
  put(paste0("r.ets.", case[[1]], ".", model, ".likelihood"), c(-2 * fit$loglik, fit$aicc))
  put(paste0("r.ets.", case[[1]], ".", model, ".forecast"), as.numeric(forecast(fit, 14)$mean))
}
put("r.theta.walk.forecast", as.numeric(thetaf(read("walk", 1), 14)$mean))
put("r.theta.monthly.forecast", as.numeric(thetaf(read("monthly", 12), 14)$mean))
some <- function(v) as.numeric(v)[seq(1, length(v), by = 11)]
# An odd count: with an even one the partial sort behind stl's median takes a wrong element.
odd <- ts(head(as.numeric(read("weekly", 7)), 209), frequency = 7)
for (case in list(list("periodic", "periodic", FALSE), list("11", 11, FALSE), list("robust", 11, TRUE))) {
  fit <- stl(odd, s.window = case[[2]], robust = case[[3]])$time.series
  put(paste0("r.stl.weekly.", case[[1]], ".season"), some(fit[, "seasonal"]))
  put(paste0("r.stl.weekly.", case[[1]], ".trend"), some(fit[, "trend"]))
}
twice <- mstl(msts(read("twice", 1), seasonal.periods = c(7, 60)))
for (part in c("Trend", "Seasonal7", "Seasonal60", "Remainder")) put(paste0("r.mstl.twice.", part), some(twice[, part]))
put("r.rare.croston", as.numeric(croston(read("rare", 1), 1)$mean))
"""
            answer = subprocess.run([rscript, "-e", code, folder], capture_output=True, text=True, check=True)
            out.extend(line.strip() for line in answer.stdout.splitlines())
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write("# statsforecast 2.1.1, R forecast 8.20; written by scripts/make_forecast_references.py\n")
        file.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
