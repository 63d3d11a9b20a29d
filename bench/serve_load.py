#!/usr/bin/env python3
"""Requests per CPU second of `tillcast serve` for one stored forecast, with wrk over loopback.

Usage: serve_load.py [--binary PATH] [--data DIR] [--seconds N]

Without --data a small chain of shops is generated and forecast for 42 days first. The server runs in a network
namespace of its own where the system allows it. Before and after the load, answers are compared point by point with
the forecasts in the database; under load wrk counts every answer that is not 200. Prints one JSON line:
requests_per_cpu_second is requests / (user + system time of the server process), the machine may be busy.
Cases: forecast (one series, kept answer), mixed (all series); CPU each of adhoc (a horizon beyond the stored one), unseen (ids
that no series has) and explained.
"""
import argparse
import csv
import http.client
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLAN = '[[forecast.plan]]\nname = "stores"\nmeasure = "revenue"\nby = ["store"]\nfrequency = "daily"\nhorizon = 42\n'


def own_network() -> None:
    """Starts this script again with a loopback network of its own, once."""
    if os.environ.get("SERVE_LOAD_INSIDE") or shutil.which("unshare") is None:
        return
    inside = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", sys.executable, *sys.argv]
    if subprocess.run(["unshare", "-n", "true"], stderr=subprocess.DEVNULL).returncode == 0:
        os.environ["SERVE_LOAD_INSIDE"] = "1"
        os.execvp(inside[0], inside)


def make_shop(binary: str, folder: pathlib.Path) -> pathlib.Path:
    sales, shop = folder / "sales.csv", folder / "shop"
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([binary, "generate", "--stores", "30", "--products", "5", "--days", "500", "--out", sales], **quiet)
    subprocess.run([binary, "init", shop], **quiet)
    with open(shop / "tillcast.toml", "a", encoding="utf-8") as settings:
        settings.write(PLAN)
    subprocess.run([binary, "run", "--data", shop, "--input", sales], **quiet)
    return shop


class Server:
    def __init__(self, binary: str, shop: pathlib.Path):
        self.process = subprocess.Popen([binary, "serve", "--port", "0", "--data", shop], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().strip()
        self.port = int(self.url.rsplit(":", 1)[1])

    def cpu_seconds(self) -> float:
        return sum(self.user_and_system())

    def user_and_system(self) -> tuple[float, float]:
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        ticks = os.sysconf("SC_CLK_TCK")
        return int(fields[11]) / ticks, int(fields[12]) / ticks

    def ask(self, target: str, body: dict | None = None) -> dict:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        if body is None:
            connection.request("GET", target)
        else:
            connection.request("POST", target, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{target}: {answer.status} {content[:300]!r}")
        return json.loads(content)

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=30)


def target_of(series_id: str) -> str:
    return f"/api/v1/series/{urllib.parse.quote(series_id, safe='')}?history=0"


def stored_points(binary: str, shop: pathlib.Path) -> dict[str, list[tuple]]:
    statement = ("SELECT series_id, CAST(business_date AS VARCHAR), mean, lo80, hi80, lo95, hi95 FROM forecast_point "
                 "ORDER BY series_id, business_date")
    text = subprocess.run([binary, "sql", "--data", shop, "--format", "csv", statement], check=True,
                          capture_output=True, text=True).stdout
    points: dict[str, list[tuple]] = {}
    for row in list(csv.reader(io.StringIO(text)))[1:]:
        points.setdefault(row[0], []).append((row[1], *map(float, row[2:])))
    return points


def check_answers(server: Server, ids: list[str], points: dict[str, list[tuple]]) -> int:
    for series_id in ids:
        forecast = server.ask(target_of(series_id))["forecast"]
        got = [(p["date"], p["mean"], p["intervals"][0]["low"], p["intervals"][0]["high"], p["intervals"][1]["low"],
                p["intervals"][1]["high"]) for p in forecast["points"]]
        want = points[series_id]
        same = len(got) == len(want) and all(
            g[0] == w[0] and all(abs(a - b) <= 1e-9 * max(1, abs(b)) for a, b in zip(g[1:], w[1:]))
            for g, w in zip(got, want))
        if not same:
            raise SystemExit(f"wrong answer for {series_id}: {got[:2]} instead of {want[:2]}")
    return len(ids)


def load(server: Server, targets: list[str], seconds: int, script: pathlib.Path) -> dict:
    script.write_text("local t = {" + ",".join(json.dumps(t) for t in targets) + "}\nlocal n = 0\n"
                      "function request() n = n + 1; return wrk.format('GET', t[n % #t + 1]) end\n", encoding="utf-8")
    before = server.user_and_system()
    report = subprocess.run(["wrk", "-t1", "-c32", f"-d{seconds}s", "--latency", "-s", script, server.url], check=True,
                            capture_output=True, text=True).stdout
    user, system = (after - earlier for after, earlier in zip(server.user_and_system(), before))
    cpu = user + system
    requests = int(re.search(r"(\d+) requests in", report).group(1))
    if "Non-2xx" in report or "Socket errors" in report:
        raise SystemExit("not every request was answered:\n" + report)
    return {"requests": requests, "user": round(user, 2), "system": round(system, 2), "requests_per_cpu_second": round(requests / cpu)}


def adhoc(server: Server, ids: list[str], stored: int) -> dict:
    """A longer horizon for each series, one request each: its first points are the stored ones."""
    horizon = stored + 30

    def ask(one: str) -> None:
        item = server.ask("/api/v1/forecast", {"items": [{"series_id": one}], "horizon": horizon})["items"][0]
        if item["status"] != "ok" or len(item["forecast"]["points"]) != horizon:
            raise SystemExit(f"{one}: {item}")
        if item["forecast"].get("extension", {}).get("refitted"):
            raise SystemExit(f"{one} was fitted for the answer: {item['forecast']['extension']}")

    return cpu_each(server, ask, ids)


def cpu_each(server: Server, ask, ids: list[str]) -> dict:
    """CPU of the first question, which reads version and histories, and of each later one."""
    before = server.cpu_seconds()
    ask(ids[0])
    first = server.cpu_seconds() - before
    before = server.cpu_seconds()
    rounds = 0
    while rounds < 5 or server.cpu_seconds() - before < 0.5 and rounds < 50:
        for one in ids:
            ask(one)
        rounds += 1
    return {"requests": rounds * len(ids), "cpu_ms_first": round(1000 * first),
            "cpu_ms_each": round(1000 * (server.cpu_seconds() - before) / (rounds * len(ids)), 2)}


def unseen(server: Server, plan: str, stored: int) -> dict:
    """Ids that no series has, within the stored horizon."""
    def ask(one: str) -> None:
        forecast = server.ask("/api/v1/forecast", {"items": [{"series_id": one}], "horizon": stored})["items"][0]["forecast"]
        if forecast["model"] != "cold_start" or len(forecast["points"]) != stored:
            raise SystemExit(f"{one}: {forecast}")
    return cpu_each(server, ask, [f"{plan}/never seen {i}" for i in range(10)])


def explained(server: Server, ids: list[str]) -> dict:
    """Why the stored forecasts are what they are; parts must add up."""
    count = 0

    def ask(one: str) -> None:
        nonlocal count
        count += 1  # another question each time: answers are kept
        found = server.ask(f"/api/v1/series/{urllib.parse.quote(one, safe='')}/explanation?history={count}")
        for point in found["points"]:
            if abs(sum(part["value"] for part in point["parts"]) - point["value"]) > 1e-4 * max(1, point["value"]):
                raise SystemExit(f"{one}: parts do not add up: {point}")
    return cpu_each(server, ask, ids)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=str(ROOT / "build/release/bin/tillcast"))
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=10)
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing: ./dev setup bench")
    own_network()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shop = options.data or make_shop(options.binary, folder)
        points = stored_points(options.binary, shop)
        ids = sorted(one for one in points if len(points[one]) == 42) or sorted(points)
        server = Server(options.binary, shop)
        try:
            checked = check_answers(server, ids[:20], points)
            one = load(server, [target_of(ids[0])], options.seconds, folder / "one.lua")
            mixed = load(server, [target_of(i) for i in ids], options.seconds, folder / "mixed.lua")
            checked += check_answers(server, ids[:20], points)
            longer = adhoc(server, ids[:10], len(points[ids[0]]))
            new = unseen(server, ids[0].split("/")[0], len(points[ids[0]]))
            why = explained(server, ids[:10])
        finally:
            stopped = server.stop()
        if stopped != 0:
            raise SystemExit(f"the server ended with {stopped}")
    print(json.dumps({"bench": "serve_load", "points": len(points[ids[0]]), "series": len(ids), "answers_checked": checked,
                      "forecast": one, "mixed": mixed, "adhoc": longer, "unseen": new, "explained": why,
                      "anchors": {"bar": 25000, "beast_prepared": 42000, "nginx_file": 53000},
                      "measured_at": time.strftime("%Y-%m-%d")}))


if __name__ == "__main__":
    main()
