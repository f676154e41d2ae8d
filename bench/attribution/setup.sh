#!/bin/sh
# Brings what `make bench-attribution` needs beside the product's own set-up: real servers, databases and drivers out of
# Debian's archive, and a few npm packages in a folder of their own. Says each thing it does, does nothing the second time.
# What cannot be had is no failure here: the bench lists the servers that it could not start, with the reason.
set -eu

databases='postgresql redis-server'
python='python3 gunicorn python3-uvicorn python3-aiohttp python3-asyncpg python3-psycopg2 python3-redis'
php='nginx php-fpm php-pgsql php-redis apache2-bin libapache2-mod-php'
ruby='puma ruby-rack ruby-pg ruby-redis'
java='default-jdk-headless libpostgresql-jdbc-java libtomcat10-embed-java libtomcat10-java'
go='golang-go golang-github-lib-pq-dev golang-github-gomodule-redigo-dev'
packages="$databases $python $php $ruby $java $go strace"

say() { echo "bench-attribution: $*"; }

cd "$(dirname "$0")/../.."
cache=.cache/bench-attribution
mkdir -p "$cache"

# Under sudo, what root makes here belongs to whoever owns the checkout.
give_back() {
  [ "$(id -u)" != 0 ] || [ "$(stat -c %u .)" = 0 ] || chown -R --no-dereference --reference=. "$@"
}

# --- Debian packages

apt_get() {
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -q -y -o DPkg::Lock::Timeout=300 "$@"
}

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# The bench starts its own servers, on its own ports, as children: the packages' services must not start by themselves.
policy=/usr/sbin/policy-rc.d
forbid_services() {
  [ ! -e "$policy" ] || return 0
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
  trap 'exit 130' INT TERM HUP
}

install_packages() {
  if ! command -v apt-get >/dev/null 2>&1; then
    say "there is no apt-get here: only servers that are installed are measured"
    return
  fi
  missing=
  for package in $packages; do is_installed "$package" || missing="$missing $package"; done
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" != 0 ]; then
    say "these Debian packages are missing:$missing"
    return
  fi
  forbid_services
  say "installing Debian packages:$missing"
  # shellcheck disable=SC2086  # a list of words on purpose
  apt_get install --no-install-recommends $missing >"$cache/apt.log" 2>&1 && return
  say "refreshing the package lists"
  apt_get update >"$cache/apt.log" 2>&1 || true
  # One by one now: a package that this release does not have costs its own server only.
  for package in $missing; do
    apt_get install --no-install-recommends "$package" >>"$cache/apt.log" 2>&1 ||
      say "NOT installed: $package (see $cache/apt.log)"
  done
}

# --- npm packages

# Pinned by a lock file of their own: they are no part of the product.
install_npm() {
  key=$(cat bench/attribution/npm/package.json bench/attribution/npm/package-lock.json | sha256sum | cut -d' ' -f1)
  [ "$(cat "$cache/npm.stamp" 2>/dev/null)" != "$key" ] || return 0
  say "installing npm packages into $cache/npm"
  rm -rf "$cache/npm" "$cache/npm.stamp"
  mkdir -p "$cache/npm"
  cp bench/attribution/npm/package.json bench/attribution/npm/package-lock.json .npmrc "$cache/npm/"
  if (cd "$cache/npm" && npm ci --ignore-scripts --no-progress --loglevel=error >/dev/null); then
    echo "$key" >"$cache/npm.stamp"
  else
    say "NOT installed: npm packages"
  fi
}

install_packages
install_npm
give_back "$cache"
