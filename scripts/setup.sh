#!/bin/sh
# Brings what this checkout needs, says each thing it does, and does nothing when all is in place.
#
#   scripts/setup.sh          to build, check and run
#   scripts/setup.sh test     also what the tests use: real servers of several kinds, container runtimes
#   scripts/setup.sh bench    also the load generator
set -eu

# The newest long-term Node, for systems whose own is older than 24. The sums pin the packages' content.
node_version=24.21.0
node_sha256_x64=61ecf27ad70afee991b671c28561eb497028294a67d132f9bbaac9ad73f81d3b
node_sha256_arm64=fba3076c16d21e5d814577436bdcb782b9b66bed09c6fa8278298e8933288bbb

# Libraries and command-line programs, and servers whose services are kept from starting: see forbid_services.
packages='clang llvm libbpf-dev libbpf1 libelf1 make'
commands='clang llvm-strip make'
mode=${1:-build}
case $mode in
  build) ;;
  test)
    packages="$packages php-cli apache2-bin python3 python3-pymysql redis-tools mariadb-server-core openssl curl wget"
    packages="$packages gnutls-bin dnsmasq-base iproute2 golang-go python3-uvicorn python3-uvloop nginx php-fpm"
    # Guests that run other kernels, and what their kernels and first roots are made with.
    packages="$packages busybox-static debian-archive-keyring kmod xz-utils"
    [ "$(uname -m)" != x86_64 ] || packages="$packages qemu-system-x86"
    # What ordinary work of a host is, for the rules that must not fire on it.
    packages="$packages postgresql"
    # Containers, whose image is made of that busybox.
    packages="$packages docker.io containerd runc podman"
    commands="$commands php python3 openssl dnsmasq ip go nginx dockerd containerd runc podman busybox"
    ;;
  bench) packages="$packages wrk" commands="$commands wrk" ;;
  *) echo "usage: scripts/setup.sh [test|bench]" >&2; exit 2 ;;
esac

say() { echo "setup: $*"; }
fail() { echo "setup: error: $*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# slowly WHAT COMMAND...: runs a command that says nothing of itself, wherever its output goes, and says every so often that it
# still does.
exec 9>&1
slowly() {
  what=$1
  shift
  # Neither this nor its sleep keeps anything open that is not its own: a lock, or our output when we are gone.
  (
    exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&-
    sleeping=
    trap '[ -z "$sleeping" ] || kill "$sleeping"; exit' TERM
    waited=0
    while kill -0 $$ 2>/dev/null; do
      sleep 15 9>&- >/dev/null 2>&1 &
      sleeping=$!
      wait "$sleeping"
      waited=$((waited + 15))
      say "still $what ($waited s)" >&9
    done
  ) >/dev/null 2>&1 &
  heartbeat=$!
  outcome=0
  "$@" 9>&- || outcome=$?
  stop_heartbeat
  return "$outcome"
}
stop_heartbeat() {
  kill "$heartbeat" 2>/dev/null || :
  wait "$heartbeat" 2>/dev/null || :
  heartbeat=
}

# However this ends.
policy=
heartbeat=
clean_up() {
  [ -z "$policy" ] || rm -f "$policy"
  [ -z "$heartbeat" ] || stop_heartbeat
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

cd "$(dirname "$0")/.."
mkdir -p .cache
# Two calls at once (say, `make run` and `make test`) take turns; the lock goes with the process.
if [ "${THROUGHLINE_SETUP_LOCKED:-}" != 1 ] && has flock; then
  THROUGHLINE_SETUP_LOCKED=1 exec flock .cache/setup.lock sh scripts/setup.sh "$mode"
fi

# Under sudo, what root makes here belongs to whoever owns the checkout.
give_back() {
  [ "$(id -u)" != 0 ] || [ "$(stat -c %u .)" = 0 ] || chown -R --no-dereference --reference=. "$@"
}

# --- Debian packages

missing_packages() {
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' 2>/dev/null | sed -n 's/ installed$//p')
  for package in $packages; do
    # Newer releases carry some libraries under a name with a suffix (libelf1t64).
    printf '%s\n' "$installed" | grep -qxE "$package(t64)?" || printf '%s ' "$package"
  done
}

# Neither a question, nor a restart of the user's services by needrestart, nor a failure when apt is busy.
apt_get() {
  slowly "at apt-get $1" env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
    apt-get -q -y -o DPkg::Lock::Timeout=300 "$@"
}

# The tests start their own servers, on their own ports: those of the packages must not start by themselves.
forbid_services() {
  [ ! -e /usr/sbin/policy-rc.d ] || return 0
  policy=/usr/sbin/policy-rc.d
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
}

if has apt-get && has dpkg-query; then
  missing=$(missing_packages)
  if [ -n "$missing" ]; then
    [ "$(id -u)" = 0 ] || fail "these Debian packages are missing: $missing
  install them with: sudo apt-get install --no-install-recommends $missing"
    say "installing Debian packages: $missing"
    [ "$mode" != test ] || forbid_services
    # shellcheck disable=SC2086  # a list of words on purpose
    apt_get install --no-install-recommends $missing >.cache/apt.log 2>&1 || {
      say "refreshing the package lists"
      apt_get update >.cache/apt.log 2>&1 || { cat .cache/apt.log >&2; fail "apt-get update failed"; }
      apt_get install --no-install-recommends $missing >.cache/apt.log 2>&1 || {
        cat .cache/apt.log >&2
        fail "apt-get could not install: $missing"
      }
    }
  fi
else
  for command in $commands; do
    has "$command" || fail "'$command' is missing and there is no apt-get here; install what your system calls: $packages"
  done
fi

# --- Node

node_major() { "$1" -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0; }

need_npm() {
  has npm && return
  has apt-get || fail "npm is missing; install Node.js with npm"
  [ "$(id -u)" = 0 ] || fail "npm is missing; install it with: sudo apt-get install --no-install-recommends npm"
  say "installing Debian's npm"
  apt_get install --no-install-recommends npm >.cache/apt.log 2>&1 || {
    apt_get update >.cache/apt.log 2>&1 && apt_get install --no-install-recommends npm >.cache/apt.log 2>&1
  } || { cat .cache/apt.log >&2; fail "apt-get could not install npm"; }
}

fetch_node() {
  case $(uname -m) in
    x86_64) arch=x64 sha256=$node_sha256_x64 ;;
    aarch64) arch=arm64 sha256=$node_sha256_arm64 ;;
    *) fail "Node.js 24 or newer is needed; install it (no package is pinned for $(uname -m))" ;;
  esac
  need_npm
  say "fetching Node $node_version for $arch (the system has $(node -v 2>/dev/null || echo none), 24 is needed)"
  rm -rf .cache/node .cache/node.new
  mkdir -p .cache/node.new
  slowly "fetching Node" npm pack --loglevel=error --pack-destination .cache/node.new "node-linux-$arch@$node_version" >/dev/null ||
    fail "npm could not fetch node-linux-$arch@$node_version"
  archive=.cache/node.new/node-linux-$arch-$node_version.tgz
  echo "$sha256  $archive" | sha256sum --check --quiet || fail "the fetched Node package is not the pinned one"
  tar -xzf "$archive" -C .cache/node.new --strip-components=1 package/bin/node package/LICENSE
  rm "$archive"
  echo "$node_version" >.cache/node.new/version
  give_back .cache/node.new
  mv .cache/node.new .cache/node
}

if [ -e .cache/node/version ] && [ "$(cat .cache/node/version)" = "$node_version" ]; then
  :
elif has node && [ "$(node_major node)" -ge 24 ]; then
  rm -rf .cache/node
else
  fetch_node
fi
[ ! -d .cache/node/bin ] || PATH="$PWD/.cache/node/bin:$PATH"

# --- npm packages

key=$(cat package-lock.json package.json .npmrc | sha256sum | cut -d' ' -f1)-$(uname -m)
if [ "$(cat .cache/setup.stamp 2>/dev/null)" != "$key" ] || [ ! -e node_modules/.package-lock.json ]; then
  need_npm
  say "installing npm packages"
  rm -f .cache/setup.stamp
  # No package's own code runs while it is installed: the binaries that we use come ready in packages.
  slowly "installing npm packages" npm ci --ignore-scripts --no-progress --loglevel=error >/dev/null
  give_back .cache node_modules
  echo "$key" >.cache/setup.stamp # last: an interrupted set-up starts over
  give_back .cache/setup.stamp
  say "done"
fi
