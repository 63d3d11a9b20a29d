# Sourced by ./dev: the benchmarks. Each prints JSON lines; all of them land in build/bench/results.jsonl.

bench_one() {  # COMMAND...: output to the screen and the file
  "$@" | tee -a "$root/build/bench/results.jsonl"
  return "${PIPESTATUS[0]}"
}

bench_venv() {
  local venv=$root/build/bench/peers-venv stamp
  stamp=$(sha256sum bench/peers/requirements.txt)
  if [ -f "$venv/installed" ] && [ "$(<"$venv/installed")" = "$stamp" ]; then
    echo "peers are installed"
    return 0
  fi
  rm -rf "$venv" && python3 -m venv "$venv" &&
    "$venv/bin/pip" install -q --disable-pip-version-check -r bench/peers/requirements.txt &&
    echo "$stamp" >"$venv/installed"
}

bench() {
  local only=${1:-} program name
  setup build bench
  build bench
  : >"$root/build/bench/results.jsonl"
  for program in "$root"/build/bench/bin/bench_*; do
    [ -x "$program" ] || continue
    name=$(basename "$program")
    if [ "$name" = bench_import_read ]; then continue; fi  # runs beside its peers below
    case "$name" in *"$only"*) step "bench: $name" bench_one "$program" ;; esac
  done
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
