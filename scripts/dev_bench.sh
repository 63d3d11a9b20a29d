# Sourced by ./dev: the benchmarks. Each prints JSON lines; all of them land in build/bench/results.jsonl.

bench_one() {  # COMMAND...: output to the screen and the file
  "$@" | tee -a "$root/build/bench/results.jsonl"
  return "${PIPESTATUS[0]}"
}

bench_venv() {  # [NAME]: the virtual environment NAME-venv with bench/peers/requirements NAME
  local name=${1:-peers} list=bench/peers/requirements.txt venv stamp
  venv=$root/build/bench/$name-venv
  if [ "$name" = forecast-peers ]; then list=bench/peers/requirements-forecast.txt; fi
  stamp=$(sha256sum "$list")
  if [ -f "$venv/installed" ] && [ "$(<"$venv/installed")" = "$stamp" ]; then
    echo "peers are installed"
    return 0
  fi
  rm -rf "$venv" && python3 -m venv "$venv" &&
    "$venv/bin/pip" install -q --disable-pip-version-check -r "$list" &&
    echo "$stamp" >"$venv/installed"
}

bench_python() {  # VENV SCRIPT...: by that environment's Python, or the system's where it is not there
  local python=$root/build/bench/$1-venv/bin/python
  shift
  if [ -x "$python" ]; then "$python" "$@"; else python3 "$@"; fi
}

bench() {
  local only=${1:-} program name
  setup build bench
  build bench
  : >"$root/build/bench/results.jsonl"
  for program in "$root"/build/bench/bin/bench_*; do
    [ -x "$program" ] || continue
    name=$(basename "$program")
    # These two run beside their peers below.
    case "$name" in bench_import_read | bench_forecast_speed) continue ;; esac
    case "$name" in *"$only"*) step "bench: $name" bench_one "$program" ;; esac
  done
  case forecast_speed in *"$only"*)
    # Without a package index the peers are missing: said loudly, a failure only where TILLCAST_FAIL_ON_SKIP is set.
    bench_venv forecast-peers || echo "MISSING: the Python peers could not be installed" >&2
    step "bench: forecast_speed against the peers" bench_one bench_python forecast-peers \
      bench/peers/forecast_peers.py --ours build/bench/bin/bench_forecast_speed
    ;;
  esac
  case peers in *"$only"*) ;; *) return 0 ;; esac
  step "bench: install the peers" bench_venv
  step "bench: import against the peers" bench_one build/bench/peers-venv/bin/python bench/peers/run.py \
    --datasets "$TILLCAST_DATASETS" --tillcast build/bench/bin/tillcast \
    --ours "csv_columns=build/bench/bin/bench_import_read {input}" \
    --ours "xlsx_columns=build/bench/bin/bench_import_read {input}"
  step "bench: 1, 10 and 100 times the lines" bench_one python3 bench/scale.py --datasets "$TILLCAST_DATASETS" \
    --tillcast build/bench/bin/tillcast --scratch "$root/build/bench"
  echo "results: build/bench/results.jsonl"
}
