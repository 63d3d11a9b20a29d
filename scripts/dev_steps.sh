# Sourced by ./dev and .ci/run: runs named steps, and prints at the end what each took.
step_names=()
step_wall=()
step_cpu=()

# User and system seconds of all finished children, in hundredths.
children_cpu() {
  local line
  times >"$steps_file"
  line=$(sed -n 2p "$steps_file")
  awk -v line="$line" 'BEGIN { n = split(line, t, " "); for (i = 1; i <= n; i++) { split(t[i], p, /[ms]/); s += p[1] * 60 + p[2] }; printf "%d", s * 100 }'
}

# step NAME COMMAND...: stops the script when the command fails.
step() {
  try_step "$@"
  require_steps
}

# try_step NAME COMMAND...: goes on after a failure; require_steps stops later if there was one.
failed_steps=()
require_steps() {
  if [ "${#failed_steps[@]}" -eq 0 ]; then return 0; fi
  printf "dev: step '%s' failed\n" "${failed_steps[@]}" >&2
  exit 1
}
try_step() {
  local name=$1 wall=$EPOCHREALTIME cpu status=0
  shift
  children_cpu >"$steps_file.cpu"
  cpu=$(<"$steps_file.cpu")
  printf '\n==> %s\n' "$name"
  "$@" || status=$?
  step_names+=("$name")
  step_wall+=("$(awk -v a="$wall" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')")
  children_cpu >"$steps_file.cpu"
  step_cpu+=("$(awk -v a="$cpu" -v b="$(<"$steps_file.cpu")" 'BEGIN { printf "%.1f", (b - a) / 100 }')")
  if [ "$status" -ne 0 ]; then failed_steps+=("$name"); fi
}

print_steps() {
  local i
  if [ "${#step_names[@]}" -gt 0 ]; then
    printf '\n%-44s %9s %9s\n' step 'seconds' 'CPU s'
    for i in "${!step_names[@]}"; do
      printf '%-44s %9s %9s\n' "${step_names[$i]}" "${step_wall[$i]}" "${step_cpu[$i]}"
    done
  fi
  rm -f "$steps_file" "$steps_file.cpu"
}

steps_file=$(mktemp)
trap print_steps EXIT
