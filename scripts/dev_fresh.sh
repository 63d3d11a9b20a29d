# Sourced by ./dev: a bare Debian 12 that has only this machine's network and registry settings, a clone of HEAD, and
# the two commands of README.md. What they need must come from the project itself.

fresh_bootstrap() {
  local sources=() file
  # This machine's own package sources, where it names any for Debian; mmdebstrap's default otherwise.
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources; do
    if [ -s "$file" ] && grep -qi bookworm "$file"; then sources+=("$file"); fi
  done
  mmdebstrap --quiet --variant=apt --include=ca-certificates bookworm "$fresh_root" "${sources[@]}"
}

# Copies a file or folder to the same place in the root, where it exists here.
fresh_copy() {
  local path
  for path in "$@"; do
    [ -e "$path" ] || continue
    mkdir -p "$fresh_root$(dirname "$path")"
    cp -aL "$path" "$fresh_root$(dirname "$path")/"
  done
}

fresh_hand_over() {
  fresh_copy /etc/resolv.conf /etc/hosts /etc/ssl/certs /usr/local/share/ca-certificates /etc/pip.conf /etc/npmrc
  mkdir -p "$fresh_root/root"
  for file in .npmrc .config/pip .pip; do
    if [ -e "$HOME/$file" ]; then
      mkdir -p "$fresh_root/root/$(dirname "$file")"
      cp -aL "$HOME/$file" "$fresh_root/root/$file"
    fi
  done
  git clone -q --no-hardlinks "$root" "$fresh_root/src"
}

fresh_mount() {
  mount -t proc proc "$fresh_root/proc" && mount --rbind /dev "$fresh_root/dev" && mount --make-rslave "$fresh_root/dev" &&
    mount -t tmpfs tmpfs "$fresh_root/tmp"
  if [ -d "$TILLCAST_DATASETS" ]; then
    mkdir -p "$fresh_root/shared/data"
    mount --bind "$TILLCAST_DATASETS" "$fresh_root/shared/data" && mount -o remount,ro,bind "$fresh_root/shared/data"
  fi
}

fresh_clean() {
  local at
  for at in "$fresh_root/shared/data" "$fresh_root/tmp" "$fresh_root/dev" "$fresh_root/proc"; do
    if mountpoint -q "$at"; then umount -R "$at" || umount -R -l "$at"; fi
  done
  # Nothing is removed through a mount that stayed: that would be this machine's own /dev.
  if grep -q " $fresh_root/" /proc/self/mounts; then
    echo "dev: something is still mounted under $fresh_root; left as it is" >&2
  else
    rm -rf --one-file-system "$fresh_root"
  fi
  print_steps
}

fresh_command() {
  local variable settings=()
  # Certificates, proxies and registries are settings of this machine; nothing else of the environment goes in.
  for variable in SSL_CERT_FILE SSL_CERT_DIR NODE_EXTRA_CA_CERTS PIP_CERT CURL_CA_BUNDLE REQUESTS_CA_BUNDLE GIT_SSL_CAINFO \
    http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST \
    NPM_CONFIG_REGISTRY npm_config_registry; do
    if [ -n "${!variable:-}" ]; then settings+=("$variable=${!variable}"); fi
  done
  chroot "$fresh_root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb \
    LANG=C.UTF-8 "${settings[@]}" bash -c "cd /src && $1"
}

fresh() {
  if [ "$(id -u)" -ne 0 ]; then
    echo "dev: fresh needs root (chroot and mounts)" >&2
    exit 1
  fi
  local commands=("$@")
  if [ $# -eq 0 ]; then commands=('./dev demo --no-serve' './dev test'); fi
  if [ -n "$(git status --porcelain --untracked-files=no)" ]; then
    echo "dev: uncommitted changes are not part of what is tried" >&2
  fi
  step "setup: Debian packages (fresh)" debian_packages fresh
  fresh_root=$(mktemp -d "${TMPDIR:-/var/tmp}/tillcast-fresh-XXXXXX")
  chmod 755 "$fresh_root"
  trap fresh_clean EXIT
  step "fresh: bare Debian 12" fresh_bootstrap
  step "fresh: network settings and a clone of HEAD" fresh_hand_over
  step "fresh: mounts" fresh_mount
  local command
  for command in "${commands[@]}"; do step "fresh: $command" fresh_command "$command"; done
  echo "fresh: all commands passed on a bare Debian 12"
}
