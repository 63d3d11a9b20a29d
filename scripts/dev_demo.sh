# Sourced by ./dev: the main job on a file of the user's, or on generated data.

demo_init() { [ -f "$demo_dir/tillcast.toml" ] || "$tillcast" init "$demo_dir"; }

demo_generate() {
  if [ -s "$1" ]; then
    echo "$1 is there already"
    return 0
  fi
  # Under another name first: an interrupted run must not leave half a file that the next one takes for whole.
  "$tillcast" generate --stores 5 --products 40 --days 730 --seed 42 --out "$demo_dir/generated-partial.csv"
  mv "$demo_dir/generated-partial.csv" "$1"
}

demo() {
  local file='' serve=yes port=8080
  while [ $# -gt 0 ]; do
    case "$1" in
      --no-serve) serve=no ;;
      --port)
        port=${2:?dev: --port needs a number}
        shift
        ;;
      -*)
        echo "dev: demo has no option '$1' (try ./dev help)" >&2
        exit 2
        ;;
      *) file=$1 ;;
    esac
    shift
  done
  if [ -n "$file" ] && [ ! -r "$file" ]; then
    echo "dev: cannot read $file" >&2
    exit 2
  fi
  setup build
  build release
  tillcast=$root/build/release/bin/tillcast
  demo_dir=${TILLCAST_DEMO_DIR:-$root/demo}
  step "demo: data directory" demo_init
  if [ -z "$file" ]; then
    file=$demo_dir/generated-sales.csv
    step "demo: generate sales" demo_generate "$file"
  fi
  step "demo: import, warehouse, checks, forecast" "$tillcast" run --data "$demo_dir" --input "$file"
  if [ "$serve" = no ]; then return 0; fi
  print_steps
  trap - EXIT
  printf '\nServing %s on http://127.0.0.1:%s/ (Ctrl-C stops it)\n' "$demo_dir" "$port"
  exec "$tillcast" serve --data "$demo_dir" --port "$port"
}
