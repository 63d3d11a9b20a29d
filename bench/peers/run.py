#!/usr/bin/env python3
"""Import benchmark against the peers: CPU seconds and peak memory of whole processes, start-up included.

Every program does the same work on UCI Online Retail and checks its own answer (expected.py). One JSON line per
program on stdout, a table with ratios on stderr. CPU seconds (user + system) are the figure: wall time on shared
machines says little. A peer that is missing is said, and fails the run only where TILLCAST_FAIL_ON_SKIP is set.

  run.py --datasets DIR [--repeat 3] [--only TEXT] [--tillcast BIN] [--ours 'TASK=COMMAND' ...]

TASK is csv_columns, xlsx_columns, csv_gold or xlsx_gold; COMMAND is run by the shell with {input} and {out} (an empty
folder) filled in and must exit 0 only when its answer is right. --tillcast adds `tillcast run` for the gold tasks.
"""
import argparse
import importlib.util
import json
import os
import pathlib
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile

from one_thread import exit_status, skip

HERE = pathlib.Path(__file__).resolve().parent
FILES = {"csv": "online-retail/online-retail.csv", "xlsx": "online-retail/Online Retail.xlsx"}
TASKS = ["csv_columns", "xlsx_columns", "csv_gold", "xlsx_gold"]
UK_QUERY = ("SELECT count(*) AS rows FROM sales_monthly_country WHERE country = 'United Kingdom' "
            "AND month_start = DATE '2011-11-01' AND round(revenue, 2) = 1325346.21 AND orders = 2490")


def peers(task: str) -> dict[str, list[str]]:
    kind, work = task.split("_")
    found = {}
    for name in ("polars", "pandas", "duckdb") if kind == "csv" else ("polars", "pandas"):
        if importlib.util.find_spec(name):
            found[name] = [sys.executable, str(HERE / f"{name}_import.py"), work, "{input}", "{out}"]
        else:
            skip(name, f"not installed for {sys.executable}")
    return found


def measure(command: list[str], out: pathlib.Path) -> tuple[float, float]:
    """Runs a process tree to its end: (CPU seconds, peak MB of its largest process)."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    # wait4 gives the usage of exactly this child and what it waited for, which getrusage does not.
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, str(out) + ".log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2)])
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        raise RuntimeError(pathlib.Path(str(out) + ".log").read_text(encoding="utf-8", errors="replace")[-2000:])
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def check_tillcast(binary: str, data: pathlib.Path) -> None:
    answer = subprocess.run([binary, "sql", "--data", str(data), "--format", "csv", UK_QUERY], capture_output=True,
                            text=True, check=True).stdout.split()
    if answer[-1:] != ["1"]:
        raise RuntimeError(f"gold differs from the known numbers: {answer}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", default=os.environ.get("TILLCAST_DATASETS", "../shared/data"))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", default="", help="tasks and programs whose 'task/name' contains this")
    parser.add_argument("--tillcast", help="the tillcast binary")
    parser.add_argument("--ours", action="append", default=[], metavar="TASK=COMMAND")
    arguments = parser.parse_args()
    failures = []
    with tempfile.TemporaryDirectory(prefix="tillcast-bench-") as scratch:
        for task in TASKS:
            file = pathlib.Path(arguments.datasets) / FILES[task.split("_")[0]]
            if not file.exists():
                print(f"import benchmark: {file} is missing; set TILLCAST_DATASETS", file=sys.stderr)
                return 1
            programs = peers(task)
            if arguments.tillcast and task.endswith("gold"):
                binary = shlex.quote(str(pathlib.Path(arguments.tillcast).resolve()))
                start = f"{binary} init {{out}}/data && "
                # All tables and checks; and without the product pairs, which no peer computes.
                programs["tillcast"] = ["sh", "-c", start + f"{binary} run --quiet --data {{out}}/data --input {{input}} "
                                        "--no-forecast"]
                programs["tillcast, no pairs"] = ["sh", "-c", start + f"{binary} ingest --quiet --data {{out}}/data {{input}} && "
                                                  f"{binary} build --quiet --data {{out}}/data --exclude tag:heavy"]
            for ours in arguments.ours:
                name, command = ours.split("=", 1)
                if name == task:
                    programs["tillcast " + shlex.split(command)[0].rsplit("/", 1)[-1]] = ["sh", "-c", command]
            results = {}
            for name, template in programs.items():
                if arguments.only not in f"{task}/{name}":
                    continue
                out = pathlib.Path(scratch) / "out"
                in_shell = template[0] == "sh"
                filled = [part.replace("{input}", shlex.quote(str(file)) if in_shell else str(file))
                          .replace("{out}", str(out)) for part in template]
                try:
                    runs = [measure(filled, out) for _ in range(arguments.repeat)]
                    if name.startswith("tillcast") and task.endswith("gold"):
                        check_tillcast(arguments.tillcast, out / "data")
                except (RuntimeError, subprocess.CalledProcessError) as error:
                    failures.append(f"{task} {name}: {error}")
                    continue
                cpu = statistics.median(run[0] for run in runs)
                peak = statistics.median(run[1] for run in runs)
                results[name] = (cpu, peak)
                print(json.dumps({"name": f"import/{task}/{name}", "cpu_s": round(cpu, 3), "peak_mb": round(peak, 1),
                                  "rows_per_cpu_s": round(541_909 / cpu), "runs": len(runs), "check": "ok"}), flush=True)
            best = min((cpu for name, (cpu, _) in results.items() if not name.startswith("tillcast")), default=None)
            for name, (cpu, peak) in sorted(results.items(), key=lambda item: item[1][0]):
                ratio = f"{cpu / best:6.2f}x the best peer" if best else ""
                print(f"{task:14} {name:28} {cpu:7.2f} CPU s {peak:7.0f} MB {ratio}", file=sys.stderr)
    return exit_status(failures)


if __name__ == "__main__":
    sys.exit(main())
