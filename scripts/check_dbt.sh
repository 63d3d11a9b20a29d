#!/bin/sh
# Builds warehouse/ with dbt itself from the silver datasets of a warehouse file and compares every gold table row by
# row with that file. Exit: 0 the same, 1 different or dbt failed, 2 usage.
set -eu

usage() {
  echo "usage: scripts/check_dbt.sh WAREHOUSE.duckdb   (made by 'tillcast run'; no process may have it open)" >&2
  exit 2
}
[ $# -eq 1 ] || usage
[ -f "$1" ] || { echo "check_dbt: no such file: $1" >&2; usage; }
given=$(CDPATH='' cd -- "$(dirname -- "$1")" && pwd)/$(basename -- "$1")
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
venv=${TILLCAST_DBT_VENV:-$root/.venv-dbt}

# dbt-core 1.12 and later need a parser that is not in the package index; dbt-duckdb alone would take DuckDB 2.
pins="dbt-core==1.11.16 dbt-duckdb==1.11.1 duckdb==1.5.6"
if [ "$(cat "$venv/pins" 2>/dev/null || true)" != "$pins" ]; then
  echo "check_dbt: installing $pins into $venv" >&2
  python3 -m venv "$venv"
  # shellcheck disable=SC2086
  "$venv/bin/pip" install --quiet --disable-pip-version-check $pins
  echo "$pins" >"$venv/pins"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
"$venv/bin/python" "$root/scripts/compare_gold.py" copy-silver "$given" "$work/dbt.duckdb"

cd "$root/warehouse"
export DO_NOT_TRACK=1 DBT_SEND_ANONYMOUS_USAGE_STATS=0 TILLCAST_DBT_DATABASE="$work/dbt.duckdb"
"$venv/bin/dbt" --no-version-check --no-use-colors --warn-error-options '{"error": ["Deprecations"]}' build --quiet --profiles-dir . \
  --target-path "$work/target" --log-path "$work/logs" || { echo "check_dbt: dbt build failed" >&2; exit 1; }

cd "$root"
"$venv/bin/python" scripts/compare_gold.py compare "$given" "$work/dbt.duckdb" "$work/target/manifest.json"
