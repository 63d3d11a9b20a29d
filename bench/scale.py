#!/usr/bin/env python3
"""Import and gold at 1, 10 and 100 times the lines of UCI Online Retail: CPU seconds, wall seconds and peak memory of
each stage's whole process, and rows per CPU second. One JSON line per stage and size on stdout.

The copies get order numbers of their own (536365 becomes 536365-7), so orders grow with the size and products and
customers do not. The answer is checked: rows, and net revenue to the penny. `gold_set` is what the peers' figure for
gold at 54 million lines means: orders, revenue by month and country, by product and by customer, with distinct counts.
`slowest` are the seconds of the dearest models and checks of a build.

  scale.py --tillcast BIN [--datasets DIR] [--sizes 1,10,100] [--scratch DIR]
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROWS = 541_909
NET = 9_747_747.934


def write_copies(source: pathlib.Path, copies: int, target: pathlib.Path) -> None:
    header, *lines = source.read_bytes().split(b"\n")
    lines = [line for line in lines if line]
    with target.open("wb", buffering=1 << 22) as out:
        out.write(header + b"\n")
        for copy in range(copies):
            suffix = b"-%d," % copy
            out.write(b"".join(line.replace(b",", suffix, 1) + b"\n" for line in lines))


def measure(command: list[str]) -> dict:
    started = time.monotonic()
    pid = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
    return {"cpu_s": round(usage.ru_utime + usage.ru_stime, 2), "wall_s": round(time.monotonic() - started, 2),
            "peak_mb": round(usage.ru_maxrss / 1024)}


def slowest(data: pathlib.Path) -> dict:
    """The dearest steps of the last build: {name: seconds}."""
    results = json.loads((data / "runs/latest/run_results.json").read_text(encoding="utf-8"))["results"]
    results.sort(key=lambda result: -result["execution_time"])
    return {result["unique_id"].split(".", 2)[-1][:60]: round(result["execution_time"], 2) for result in results[:8]}


def check(tillcast: str, data: pathlib.Path, copies: int) -> None:
    query = "SELECT count(*), sum(amount) FROM fact_sale_line"
    answer = subprocess.run([tillcast, "sql", "--data", str(data), "--format", "csv", query], capture_output=True, text=True,
                            check=True).stdout.split()[-1].split(",")
    if int(answer[0]) != ROWS * copies or abs(float(answer[1]) - NET * copies) > 0.005:
        raise SystemExit(f"wrong answer at {copies}x: {answer}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tillcast", required=True)
    parser.add_argument("--datasets", default=os.environ.get("TILLCAST_DATASETS", "../shared/data"))
    parser.add_argument("--sizes", default="1,10,100")
    parser.add_argument("--scratch", help="folder with room for 5 GB at 100x")
    arguments = parser.parse_args()
    source = pathlib.Path(arguments.datasets) / "online-retail/online-retail.csv"
    if not source.exists():
        print(f"scale: {source} is missing; set TILLCAST_DATASETS", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="tillcast-scale-", dir=arguments.scratch) as scratch:
        for copies in map(int, arguments.sizes.split(",")):
            file = pathlib.Path(scratch) / "sales.csv"
            data = pathlib.Path(scratch) / "shop"
            write_copies(source, copies, file)
            subprocess.run([arguments.tillcast, "init", str(data)], check=True, capture_output=True)
            stages = {
                "ingest": [arguments.tillcast, "ingest", "--quiet", "--data", str(data), "--mapping", "online-retail", str(file)],
                "gold": [arguments.tillcast, "build", "--quiet", "--data", str(data), "--exclude", "tag:heavy"],
                "gold_set": [arguments.tillcast, "build", "--quiet", "--data", str(data), "--full-refresh", "--set",
                             "warehouse.threads=1", "--select",
                             "fact_order sales_monthly_country product_performance customer_metrics"],
            }
            for stage, command in stages.items():
                figures = measure(command)
                if stage != "ingest":
                    figures["slowest"] = slowest(data)
                rows = ROWS * copies
                print(json.dumps({"bench": "scale", "size": copies, "stage": stage, "rows": rows, **figures,
                                  "rows_per_cpu_s": round(rows / figures["cpu_s"])}), flush=True)
            check(arguments.tillcast, data, copies)
            shutil.rmtree(data)
            file.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
