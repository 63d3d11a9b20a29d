# Sourced by ./dev: the benchmarks. Each checks its answers and prints a table, and its figures as JSON lines, which
# land in build/bench/results.jsonl.

bench_usage() {
  cat <<'TEXT'
usage: ./dev bench [NAME]...        without NAME all of them, some 40 CPU minutes; CPU seconds are the figures

  forecast_speed      each model's series per CPU second, beside statsforecast, R's forecast, Prophet, mlforecast
  forecast_accuracy   the four below, and Prophet on 51 Rossmann stores
    forecast_rossmann   42 days of 1,115 stores at five origins, beside naive models, medians, Theta; coverage
    forecast_datasets   store-item demand (two quarters), M5 subset, Online Retail by week, beside their peers' figures
    forecast_monthly    store-item demand by month, three years
    forecast_quantiles  scaled pinball loss on M5, coverage and width of intervals on Rossmann, sums of days
  forecast_scale      1,000 series of M5's shape (30,490 with --series 30490): CPU seconds and memory of each step
  peers               import and gold of Online Retail, beside polars, DuckDB and pandas
  scale               import and gold at 1, 10 and 100 times the lines
  serve_load          forecast reads per CPU second of the server

Python peers come from PyPI into build/bench/*-venv, R from Debian. A peer that cannot be had is said loudly and its
columns stay empty; with TILLCAST_FAIL_ON_SKIP=1 it fails the run.
TEXT
}
bench_names=(forecast_speed forecast_accuracy forecast_scale peers scale serve_load)
bench_accuracy_programs=(forecast_rossmann forecast_datasets forecast_monthly forecast_quantiles)

bench_table() {  # COMMAND...: its table to the screen, its JSON lines to the file
  local line
  "$@" | while IFS= read -r line; do
    case "$line" in
      '{"'*) printf '%s\n' "$line" >>"$root/build/bench/results.jsonl" ;;
      *) printf '%s\n' "$line" ;;
    esac
  done
  return "${PIPESTATUS[0]}"
}

bench_one() {  # COMMAND...: the same for one that prints JSON lines alone: to the screen and the file
  "$@" | tee -a "$root/build/bench/results.jsonl"
  return "${PIPESTATUS[0]}"
}

bench_missing() {  # WHAT: said loudly, a failure only where TILLCAST_FAIL_ON_SKIP is set
  echo "MISSING: $1" >&2
  [ -z "${TILLCAST_FAIL_ON_SKIP:-}" ]
}

bench_venv() {  # NAME: the virtual environment build/bench/NAME-venv with what bench/peers/NAME.txt lists
  local list=bench/peers/$1.txt venv=$root/build/bench/$1-venv stamp
  stamp=$(sha256sum <"$list")
  if [ -f "$venv/installed" ] && [ "$(<"$venv/installed")" = "$stamp" ]; then
    echo "installed: $(grep -c == "$list") packages of $list"
    return 0
  fi
  rm -rf "$venv"
  if python3 -m venv "$venv" && "$venv/bin/pip" install -q --disable-pip-version-check -r "$list"; then
    echo "$stamp" >"$venv/installed"
  else
    rm -rf "$venv"
    bench_missing "the packages of $list could not be installed from PyPI: those peers' figures are left out"
  fi
}

bench_python() {  # VENV SCRIPT...: by that environment's Python, or the system's where it is not there
  local python=$root/build/bench/$1-venv/bin/python
  shift
  if [ -x "$python" ]; then "$python" "$@"; else python3 "$@"; fi
}

bench_debian() { debian_packages bench || bench_missing "Debian packages for the peers could not be installed"; }

bench_forecast_speed() {
  build bench bench_forecast_speed
  step "bench: R and other Debian packages" bench_debian
  step "bench: the forecasting peers from PyPI" bench_venv forecast-peers
  step "bench: forecast_speed" bench_table bench_python forecast-peers bench/peers/forecast_speed.py \
    --ours build/bench/bin/bench_forecast_speed
}

bench_forecast_accuracy() {
  local program
  build bench "${bench_accuracy_programs[@]/#/bench_}"
  # A figure that is off stops none of the others: all are printed, and the command fails at the end.
  for program in "${bench_accuracy_programs[@]}"; do
    try_step "bench: $program" bench_table "build/bench/bin/bench_$program"
  done
  try_step "bench: the forecasting peers from PyPI" bench_venv forecast-peers
  try_step "bench: Prophet on 51 Rossmann stores" bench_table bench_python forecast-peers bench/peers/prophet_rossmann.py \
    --datasets "$TILLCAST_DATASETS" --results build/bench/results.jsonl
}

bench_peers() {
  build bench tillcast bench_import_read
  step "bench: the import peers from PyPI" bench_venv import-peers
  step "bench: import against the peers" bench_table bench_python import-peers bench/peers/run.py \
    --datasets "$TILLCAST_DATASETS" --tillcast build/bench/bin/tillcast \
    --ours "csv_columns=build/bench/bin/bench_import_read {input}" \
    --ours "xlsx_columns=build/bench/bin/bench_import_read {input}"
}

bench_scale() {
  build bench tillcast
  step "bench: 1, 10 and 100 times the lines" bench_one python3 bench/scale.py --datasets "$TILLCAST_DATASETS" \
    --tillcast build/bench/bin/tillcast --scratch "$root/build/bench"
}

bench_serve_load() {
  build bench tillcast
  step "bench: wrk and other Debian packages" bench_debian
  step "bench: forecast reads" bench_one python3 bench/serve_load.py --binary build/bench/bin/tillcast
}

bench() {
  local name names=("$@")
  case "${1:-}" in
    help | -h | --help) bench_usage && return 0 ;;
    '') names=("${bench_names[@]}") ;;
  esac
  for name in "${names[@]}"; do
    if ! [[ " ${bench_names[*]} " == *" $name "* || -f bench/$name.cpp ]]; then
      echo "dev: there is no benchmark '$name'" >&2
      bench_usage >&2
      exit 2
    fi
  done
  setup build
  mkdir -p "$root/build/bench"
  : >"$root/build/bench/results.jsonl"
  for name in "${names[@]}"; do
    if declare -F "bench_$name" >/dev/null; then
      "bench_$name"
    else
      build bench "bench_$name"
      try_step "bench: $name" bench_table "build/bench/bin/bench_$name"
    fi
  done
  echo "figures as JSON lines: build/bench/results.jsonl"
  require_steps
}
