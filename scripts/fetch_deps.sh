#!/usr/bin/env bash
# Fetches the prebuilt libraries that Debian lacks into .deps/, each pinned and verified by hash.
# A second run verifies what is there and downloads nothing, so it works offline.
set -euo pipefail
cd "$(dirname "$0")/.."
deps="${TILLCAST_DEPS_DIR:-$PWD/.deps}"

duckdb_version=1.5.6
duckdb_npm="@duckdb/node-bindings-linux-x64@${duckdb_version}-r.1"
duckdb_so_sha256=3f4962cdd266eab2b479a5b5a4a6d063d279b2954ae814ed00385d553b747633
duckdb_h_sha256=e85f70155b5948c8575e59f66e60d43575cec8b252293534c9e8598eb313a293

duckdb_verified() {
  [ -f "$deps/duckdb/lib/libduckdb.so" ] && sha256sum --quiet -c - >/dev/null 2>&1 <<EOF
$duckdb_so_sha256  $deps/duckdb/lib/libduckdb.so
$duckdb_h_sha256  $deps/duckdb/include/duckdb.h
EOF
}

if duckdb_verified; then
  echo "deps: duckdb $duckdb_version present and verified"
  exit 0
fi
echo "deps: fetching duckdb $duckdb_version"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent "$duckdb_npm" >/dev/null && tar xzf duckdb-node-*.tgz)
(cd "$work" && python3 -m venv venv >/dev/null && ./venv/bin/pip download -q --disable-pip-version-check \
  --no-deps --no-binary duckdb "duckdb==$duckdb_version" &&
  tar xzf "duckdb-$duckdb_version.tar.gz" "duckdb-$duckdb_version/external/duckdb/src/include/duckdb.h")
mkdir -p "$deps/duckdb/include" "$deps/duckdb/lib"
install -m644 "$work/package/LICENSE" "$deps/duckdb/"
install -m644 "$work/duckdb-$duckdb_version/external/duckdb/src/include/duckdb.h" "$deps/duckdb/include/"
install -m755 "$work/package/libduckdb.so" "$deps/duckdb/lib/"
if ! duckdb_verified; then
  rm -rf "$deps/duckdb"
  echo "deps: duckdb $duckdb_version did not match its pinned sha256; nothing was kept. Run again, or check the registry." >&2
  exit 1
fi
echo "deps: duckdb $duckdb_version fetched and verified"
