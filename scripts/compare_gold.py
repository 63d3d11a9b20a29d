#!/usr/bin/env python3
"""The two database steps of check_dbt.sh.

compare_gold.py copy-silver GIVEN FRESH            copies schema silver of GIVEN (views or tables) into FRESH
compare_gold.py compare GIVEN DBT MANIFEST.json    compares every table of dbt's manifest, rows with their multiplicity
"""
import json
import os
import sys

import duckdb

EXAMPLES_MAX = 3


def open_both(given, other, read_only):
    connection = duckdb.connect(other, read_only=read_only)
    connection.execute("SET TimeZone = 'UTC'")
    os.chdir(os.path.dirname(given))  # views may name the lake's files relative to the data directory
    try:
        connection.execute(f"ATTACH '{given}' AS given (READ_ONLY)")
    except duckdb.Error as error:
        sys.exit(f"check_dbt: cannot open {given}: {error}\nStop the tillcast process that has it open and repeat.")
    return connection


def copy_silver(given, fresh):
    connection = open_both(given, fresh, read_only=False)
    connection.execute("CREATE SCHEMA silver")
    names = connection.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_catalog = 'given' AND table_schema = 'silver' ORDER BY 1"
    ).fetchall()
    if not names:
        sys.exit(f"check_dbt: {given} has no schema silver; run `tillcast run` first")
    for (name,) in names:
        connection.execute(f"CREATE TABLE silver.{name} AS SELECT * FROM given.silver.{name}")


def columns(connection, table):
    return connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_catalog = ? AND table_schema = 'main' AND table_name = ?"
        " ORDER BY ordinal_position",
        table,
    ).fetchall()


def difference(connection, table, left, right):
    return connection.execute(
        f"SELECT count(*) OVER (), * FROM (SELECT * FROM {left}.main.{table} EXCEPT ALL SELECT * FROM {right}.main.{table}) LIMIT {EXAMPLES_MAX}"
    ).fetchall()


def compare(given, built, manifest):
    connection = open_both(given, built, read_only=True)
    dbt = connection.execute("SELECT current_database()").fetchone()[0]
    with open(manifest, encoding="utf-8") as file:
        nodes = json.load(file)["nodes"].values()
    tables = sorted(
        node["alias"]
        for node in nodes
        if node["resource_type"] == "seed" or (node["resource_type"] == "model" and node["config"]["materialized"] in ("table", "incremental"))
    )
    faults = 0
    for table in tables:
        theirs, ours = columns(connection, [dbt, table]), columns(connection, ["given", table])
        if not ours:
            heavy = any(node["alias"] == table and "heavy" in node["tags"] for node in nodes if node["resource_type"] == "model")
            print(f"{table}: missing in {given}" + (" (tag heavy: not compared)" if heavy else ""))
            faults += not heavy
            continue
        if ours != theirs:
            print(f"{table}: columns differ\n  tillcast {ours}\n  dbt      {theirs}")
            faults += 1
            continue
        only_ours, only_dbt = difference(connection, table, "given", dbt), difference(connection, table, dbt, "given")
        rows = connection.execute(f"SELECT count(*) FROM given.main.{table}").fetchone()[0]
        if not only_ours and not only_dbt:
            print(f"{table}: {rows} rows, the same")
            continue
        faults += 1
        print(f"{table}: DIFFERENT; columns {', '.join(name for name, _ in ours)}")
        for label, found in (("only tillcast", only_ours), ("only dbt", only_dbt)):
            for row in found:
                print(f"  {label} ({row[0]} rows): {', '.join(str(value) for value in row[1:])}")
    if not tables:
        sys.exit("check_dbt: the manifest names no tables")
    if faults:
        sys.exit(f"check_dbt: {faults} of {len(tables)} tables differ")
    print(f"check_dbt: {len(tables)} tables, no difference")


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "copy-silver":
        copy_silver(os.path.abspath(sys.argv[2]), os.path.abspath(sys.argv[3]))
    elif len(sys.argv) == 5 and sys.argv[1] == "compare":
        compare(*[os.path.abspath(path) for path in sys.argv[2:5]])
    else:
        sys.exit(__doc__)
