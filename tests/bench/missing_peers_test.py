#!/usr/bin/env python3
"""A benchmark without its peers still gives tillcast's own figures and says loudly what is missing."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path.cwd()
SPEED = ROOT / "bench/peers/forecast_speed.py"
RSCRIPTS = {
    "works": 'case "$2" in *packageVersion*) echo 8.20 ;; *) for m in $(echo "$4" | tr , " "); do echo "$m 50"; done ;; esac',
    "fails": 'case "$2" in *packageVersion*) echo 8.20 ;; *) echo "no such series" >&2; exit 1 ;; esac',
}
# Stands in for bench_forecast_speed: every model at 100 series a CPU second.
MODELS = ("seasonal_naive", "ses", "holt_winters", "auto_ets", "theta", "mstl", "croston")
FIGURES = {"results": [{"model": m, "data": d, "days": n, "series_per_cpu_second": 100} for m in MODELS
                       for d, n in (("shop", 942), ("item", 1826), ("rare", 942), ("rare", 1826))] +
           [{"features": "panel", "values_per_cpu_second": 1e6}, {"chain": "all", "series": 10, "origins": 5, "cpu_seconds": 2}]}


class MissingPeers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.environment = {k: v for k, v in os.environ.items() if k not in ("TILLCAST_FAIL_ON_SKIP", "PYTHONPATH")}
        self.environment["PATH"] = f"{self.folder}:/usr/bin:/bin"
        (self.folder / "series.txt").write_text("1 2\n", encoding="ascii")
        self.program("ours", f"""[ "$1" = --write ] || {{ cat <<'TEXT'\n{json.dumps(FIGURES)}\nTEXT\n}}""")

    def program(self, name: str, script: str) -> str:
        path = self.folder / name
        path.write_text("#!/bin/sh\n" + script + "\n", encoding="utf-8")
        path.chmod(0o755)
        return str(path)

    def speed(self, rscript: str, **environment: str) -> tuple[int, list, str]:
        self.program("Rscript", rscript)
        # -S: no installed packages, so no Python peer whatever this machine has.
        done = subprocess.run([sys.executable, "-S", SPEED, "--ours", self.folder / "ours"], capture_output=True, text=True,
                              env=self.environment | environment, check=False)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    def test_all_peers_missing_is_said_once_each_and_the_chain_is_still_printed(self):
        code, lines, said = self.speed("exit 127")
        self.assertEqual(code, 0, said)
        for peer in ("statsforecast", "mlforecast", "prophet", "R forecast"):
            self.assertEqual(said.count(f"MISSING PEER {peer}:"), 1, said)
        self.assertEqual([line["name"] for line in lines], ["forecast_speed/peers", "forecast_speed/chain"])

    def test_all_peers_missing_fails_where_skips_fail(self):
        code, _, said = self.speed("exit 127", TILLCAST_FAIL_ON_SKIP="1")
        self.assertEqual(code, 1)
        self.assertIn("FAILED: missing peers: R forecast, statsforecast, mlforecast, prophet", said)

    def test_the_peer_that_is_there_gets_its_ratios_and_their_median(self):
        code, lines, said = self.speed(RSCRIPTS["works"])
        self.assertEqual(code, 0, said)
        self.assertNotIn("MISSING PEER R forecast", said)
        ratios = {line["name"]: line["ratio"] for line in lines if line.get("peer") == "R forecast"}
        self.assertEqual(ratios["forecast_speed/auto_ets/shop_942"], 2)
        self.assertEqual(len(ratios), 14)
        self.assertIn({"name": "forecast_speed/median/R forecast", "ratio": 2, "least": 2, "most": 2, "figures": 14}, lines)

    def test_a_peer_that_fails_is_said_with_its_words_and_fails_nothing(self):
        code, _, said = self.speed(RSCRIPTS["fails"])
        self.assertEqual(code, 0, said)
        self.assertIn("R forecast on shop, 942 days: no such series", said)

    def test_own_program_without_figures_fails(self):
        self.program("ours", "exit 3")
        code, _, said = self.speed("exit 127")
        self.assertEqual(code, 1)
        self.assertIn("ended with 3 and without its figures", said)

    def test_import_runs_without_its_peers(self):
        for file in ("online-retail/online-retail.csv", "online-retail/Online Retail.xlsx"):
            (self.folder / file).parent.mkdir(exist_ok=True)
            (self.folder / file).touch()
        command = [sys.executable, "-S", ROOT / "bench/peers/run.py", "--datasets", self.folder, "--repeat", "1", "--ours",
                   "csv_columns=i=0; while [ $i -lt 30000 ]; do i=$((i + 1)); done"]
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('"name": "import/csv_columns/tillcast', done.stdout)
        for peer in ("polars", "pandas", "duckdb"):
            self.assertEqual(done.stderr.count(f"MISSING PEER {peer}:"), 1, done.stderr)

    def venv(self, **environment: str) -> subprocess.CompletedProcess:
        self.program("python3", f'mkdir -p "$3"; exit 1')
        script = f'root={self.folder}; . scripts/dev_bench.sh; bench_venv forecast-peers && echo went on'
        return subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=self.environment | environment,
                              check=False)

    def test_packages_that_cannot_be_installed_stop_nothing_and_leave_no_half_environment(self):
        done = self.venv()
        self.assertIn("went on", done.stdout, done.stderr)
        self.assertIn("MISSING: the packages of bench/peers/forecast-peers.txt", done.stderr)
        self.assertFalse((self.folder / "build/bench/forecast-peers-venv").exists())

    def test_packages_that_cannot_be_installed_fail_where_skips_fail(self):
        self.assertNotIn("went on", self.venv(TILLCAST_FAIL_ON_SKIP="1").stdout)

    def test_an_unknown_benchmark_is_refused_with_the_list(self):
        done = subprocess.run(["./dev", "bench", "speed"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no benchmark 'speed'", done.stderr)
        self.assertIn("forecast_quantiles", done.stderr)


if __name__ == "__main__":
    unittest.main()
