# Sourced by ./dev: the tests, plain or under a sanitizer, and the fuzz targets.

# Runs a command with a loopback of its own, so that servers in tests clash with nothing and reach nothing.
in_private_network() {
  if unshare -n true 2>/dev/null; then
    unshare -n sh -c 'ip link set lo up && exec "$@"' sh "$@"
  elif unshare -Urn true 2>/dev/null; then
    unshare -Urn sh -c 'ip link set lo up && exec "$@"' sh "$@"
  else
    echo "dev: no private network here (unshare -n refused); servers in tests use the machine's loopback" >&2
    "$@"
  fi
}

ctest_run() {  # BUILD_DIR FILTER
  local dir=$1 filter=${2:-} select=() status=0
  if [ -n "$filter" ]; then
    if ctest --test-dir "$dir" -N -R "$filter" | grep -q 'Total Tests: 0'; then
      export GTEST_FILTER="*$filter*"
    else
      select=(-R "$filter")
    fi
  fi
  rm -f "$dir/junit.xml"
  in_private_network ctest --test-dir "$dir" --output-on-failure --parallel "${TILLCAST_TEST_JOBS:-$(nproc)}" \
    --test-output-size-passed 4000000 --test-output-size-failed 4000000 --output-junit "$dir/junit.xml" \
    --no-tests=error "${select[@]}" || status=$?
  python3 "$root/scripts/test_summary.py" "$dir/junit.xml" || status=1
  return "$status"
}

run_tests() {  # PRESET [FILTER]
  local preset=$1 dir=$root/build/$1 filter=${2:-} target=all
  # A dash would mean "all but" to GoogleTest, so that a mistyped option would run everything.
  if [[ $filter == -* ]]; then
    echo "dev: $preset takes the name of a test program or of a case, not the option '$filter'" >&2
    exit 2
  fi
  # libduckdb.so is not instrumented; the suppressions say what that hides.
  export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}
  export LSAN_OPTIONS=${LSAN_OPTIONS:-suppressions=$root/scripts/lsan.supp:print_suppressions=0}
  export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
  export TSAN_OPTIONS=${TSAN_OPTIONS:-suppressions=$root/scripts/tsan.supp:halt_on_error=1}
  if [ ! -d "$TILLCAST_DATASETS" ]; then
    echo "dev: no real data sets in $TILLCAST_DATASETS; the tests that need them will be skipped (set TILLCAST_DATASETS)" >&2
  fi
  setup build test
  # The name of a folder of tests/ needs only that program.
  if [ -n "$filter" ] && grep -q "^tillcast_test($filter " "$root/tests/$filter/CMakeLists.txt" 2>/dev/null; then
    target=${filter}_test
    filter="^${target}\$"
  fi
  build "$preset" "$target"
  step "tests: $preset ${2:-}" ctest_run "$dir" "$filter"
}

fuzz_one() {  # PROGRAM SECONDS
  local name corpus
  name=$(basename "$1")
  corpus=$root/build/fuzz/corpus/$name
  mkdir -p "$corpus"
  # The folder that the fuzzer writes to comes first, the seeds of the repository after it.
  local seeds=$root/tests/fuzz/corpus/$name
  [ -d "$seeds" ] || seeds=
  "$1" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
    -artifact_prefix="$root/build/fuzz/$name-" "$corpus" ${seeds:+"$seeds"}
}

fuzz() {
  local seconds=${1:-60} program found=0
  setup build fuzz
  build fuzz fuzz_targets
  export ASAN_SYMBOLIZER_PATH
  ASAN_SYMBOLIZER_PATH=$(command -v llvm-symbolizer-19 || true)
  for program in "$root"/build/fuzz/bin/fuzz_*; do
    [ -x "$program" ] || continue
    found=$((found + 1))
    try_step "fuzz: $(basename "$program") ${seconds}s" fuzz_one "$program" "$seconds"
  done
  if [ "$found" -eq 0 ]; then
    echo "dev: no fuzz target was built in build/fuzz/bin (fuzz_*)" >&2
    exit 1
  fi
  require_steps
  echo "$found fuzz targets clean"
}
