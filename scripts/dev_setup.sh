# Sourced by ./dev: what the machine needs before a build.

package_present() {  # PACKAGE [COMMAND]
  if [ -n "${2:-}" ] && command -v "$2" >/dev/null 2>&1; then return 0; fi
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# debian_packages GROUP...: installs what the groups of scripts/debian_packages.txt lack.
debian_packages() {
  local group package command wanted missing=() as_root=()
  while read -r group package command; do
    case "$group" in '' | '#'*) continue ;; esac
    for wanted in "$@"; do
      if [ "$group" = "$wanted" ] && ! package_present "$package" "$command"; then missing+=("$package"); fi
    done
  done <"$root/scripts/debian_packages.txt"
  if [ "${#missing[@]}" -eq 0 ]; then
    echo "Debian packages for $*: all present"
    return 0
  fi
  echo "installing ${#missing[@]} Debian packages: ${missing[*]}"
  if ! command -v apt-get >/dev/null; then
    echo "dev: there is no apt-get here; install these yourself (names of Debian 12): ${missing[*]}" >&2
    return 1
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "dev: root is needed for: apt-get install ${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
    -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-unsafe-io "${missing[@]}"
}

setup() {  # GROUP...
  step "setup: Debian packages ($*)" debian_packages "$@"
  step "setup: prebuilt libraries" "$root/scripts/fetch_deps.sh"
}

# build PRESET [TARGET]...: configures where needed, compiles what changed.
configure_and_build() {
  local targets=("${@:2}")
  cmake --preset "$1" -Wno-dev >"$root/build/$1.configure.log" 2>&1 || {
    cat "$root/build/$1.configure.log" >&2
    return 1
  }
  cmake --build --preset "$1" --parallel "${TILLCAST_JOBS:-$(nproc)}" --target "${targets[@]:-all}"
}
build() {
  mkdir -p "$root/build"
  step "build: $*" configure_and_build "$@"
}
