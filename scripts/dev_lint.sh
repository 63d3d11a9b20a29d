# Sourced by ./dev: formatting, clang-tidy, layering, style rules.

tracked_cpp() { git ls-files -- '*.h' '*.cpp'; }

lint_format() {
  tracked_cpp | xargs -r clang-format-19 --dry-run -Werror --ferror-limit=3 &&
    echo "$(tracked_cpp | wc -l) files are formatted"
}

# The .cpp files that differ from LINT_BASE (the main branch, or the last commit on it), and all on --all.
lint_tidy_files() {
  if [ "$1" = --all ]; then
    git ls-files -- 'src/**.cpp'
    return
  fi
  local base=${LINT_BASE:-}
  if [ -z "$base" ]; then
    base=$(git merge-base HEAD origin/main 2>/dev/null || true)
    if [ -z "$base" ] || [ "$base" = "$(git rev-parse HEAD)" ]; then base=$(git rev-parse -q --verify HEAD~1 || echo HEAD); fi
  fi
  # A changed header is checked through the .cpp of the same name.
  { git diff --name-only "$base" -- src; git ls-files --others --exclude-standard -- src; } |
    sed -n 's/\.\(h\|cpp\)$/.cpp/p' | sort -u | while read -r file; do if [ -f "$file" ]; then echo "$file"; fi; done
}

lint_tidy() {
  local files
  files=$(lint_tidy_files "${1:-}")
  if [ -z "$files" ]; then
    echo "no changed files (./dev lint --all checks every one)"
    return 0
  fi
  mkdir -p build && cmake --preset test -Wno-dev >build/test.configure.log || return 1
  echo "$files" | xargs -P "${TILLCAST_JOBS:-$(nproc)}" -n 1 clang-tidy-19 -p build/test --quiet \
    --extra-arg=-Wno-unknown-warning-option --warnings-as-errors='*' 2>&1 |
    { grep -v -E '^[0-9]+ warnings? (generated|treated)|^Suppressed|^Use -header-filter' || true; }
  [ "${PIPESTATUS[1]}" -eq 0 ] && echo "clang-tidy: $(echo "$files" | wc -l) files clean"
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
