# Sourced by ./dev: formatting, clang-tidy, layering, style rules.

tracked_cpp() { git ls-files -- '*.h' '*.cpp'; }

lint_format() {
  tracked_cpp | xargs -r clang-format-19 --dry-run -Werror --ferror-limit=3 &&
    echo "$(tracked_cpp | wc -l) files are formatted"
}

# All .cpp files on --all. Else those that differ from LINT_BASE, newest change first; without LINT_BASE from where
# the branch left origin/main, and on main itself those of the last ten commits to src/.
lint_tidy_files() {
  if [ "${1:-}" = --all ]; then
    git ls-files -- 'src/**.cpp'
    return
  fi
  local base=${LINT_BASE:-} range=(-n 10 HEAD)
  if [ -z "$base" ]; then
    base=$(git merge-base HEAD origin/main 2>/dev/null || true)
    if [ "$base" = "$(git rev-parse HEAD)" ]; then base=; fi
  fi
  if [ -n "$base" ]; then range=("$base..HEAD"); fi
  # A changed header is checked through the .cpp of the same name.
  {
    git diff --name-only HEAD -- src
    git ls-files --others --exclude-standard -- src
    git log --format= --name-only "${range[@]}" -- src
  } | sed -n 's/\.\(h\|cpp\)$/.cpp/p' | awk '!seen[$0]++' | while read -r file; do if [ -f "$file" ]; then echo "$file"; fi; done
}

# clang-tidy takes about ten seconds a file, and the whole tree many minutes; the changed files must not.
lint_files_max=30

lint_tidy() {
  local files count scope="${1:-}" failed=0
  files=$(lint_tidy_files "$scope") || return 1
  if [ -z "$files" ]; then
    echo "clang-tidy: no changed files (./dev lint --all checks every one)"
    return 0
  fi
  count=$(wc -l <<<"$files")
  if [ "$scope" = --all ]; then
    echo "clang-tidy: all $count files"
  else
    files=$(head -n "$lint_files_max" <<<"$files")
    echo "clang-tidy: the $(wc -l <<<"$files") newest of $count changed files (./dev lint --all checks every one)"
  fi
  mkdir -p build && cmake --preset test -Wno-dev >build/test.configure.log || return 1
  # RapidJSON 1.1 assigns to a const member in a template that nobody uses; clang 19 accepts that only unparsed.
  xargs -P "${TILLCAST_JOBS:-$(nproc)}" -n 1 clang-tidy-19 -p build/test --quiet --warnings-as-errors='*' \
    --extra-arg=-Wno-unknown-warning-option --extra-arg=-fdelayed-template-parsing \
    --extra-arg=-Wno-delayed-template-parsing-in-cxx20 <<<"$files" >build/tidy.log 2>&1 || failed=1
  grep -v -E '^[0-9]+ (warnings?|errors?)( and [0-9]+ errors?)? (generated|treated)|^Suppressed|^Use -header-filter' build/tidy.log || true
  if [ "$failed" -ne 0 ]; then return 1; fi
  echo "clang-tidy: $(wc -l <<<"$files") files clean"
}

format() {
  debian_packages lint
  tracked_cpp | xargs -r clang-format-19 -i
}

lint() {
  setup build lint
  try_step "lint: layers" python3 scripts/check_layers.py
  try_step "lint: style" python3 scripts/check_style.py
  try_step "lint: clang-format" lint_format
  try_step "lint: clang-tidy" lint_tidy "${1:-}"
  require_steps
}
