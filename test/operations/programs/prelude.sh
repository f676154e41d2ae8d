# What every script has.

# ask PATH [OPTIONS OF CURL]: sends a request to the service
ask() {
  ask_path=$1
  shift
  curl -sS -o /dev/null "$@" "http://127.0.0.1:8080$ask_path"
}

# The service, as its own user would start it; ready when this returns.
serve() {
  mkdir -p /srv/site
  python3 -I /ops/service.py 8080 >/tmp/service.log 2>&1 &
  until_answers 8080
}

until_answers() {
  for try in $(seq 100); do
    ! /ops/act answers 127.0.0.1 "$1" || return 0
    sleep 0.2
  done
  echo "nobody answers at port $1" >&2
  return 1
}

# A stand-in: a real program of another name.
stand_in() {
  mkdir -p "$(dirname "$2")"
  cp "$1" "$2"
}

mariadb_starts() {
  mkdir -p /var/lib/mysql /run/mysqld /tmp/work
  chown -R mysql:mysql /var/lib/mysql /run/mysqld
  mariadb='mariadbd --no-defaults --user=mysql --datadir=/var/lib/mysql --innodb-buffer-pool-size=8M'
  # What mariadb-install-db does, which needs more than the server's package.
  if [ ! -e /var/lib/mysql/mysql ]; then
    {
      printf '%s;\n' 'CREATE DATABASE mysql' 'USE mysql'
      cat /usr/share/mysql/mysql_system_tables.sql /usr/share/mysql/mysql_system_tables_data.sql
    } | $mariadb --bootstrap >/tmp/mariadb.log 2>&1
  fi
  $mariadb --bind-address=127.0.0.1 --port=3306 --socket=/run/mysqld/mysqld.sock --plugin-dir=/tmp/work \
    --skip-name-resolve >>/tmp/mariadb.log 2>&1 &
  until_answers 3306
}

# sql STATEMENT...: asks MariaDB
sql() {
  python3 -I /ops/sql.py "$@"
}

redis_starts() {
  mkdir -p /var/lib/redis
  [ -e /usr/bin/redis-server ] || ln -s redis-check-rdb /usr/bin/redis-server
  redis-server --bind 127.0.0.1 --port 6379 --dir /var/lib/redis --enable-debug-command yes >/tmp/redis.log 2>&1 &
  until_answers 6379
}

# apache_logs_to PIPE: Apache is started, with a program for its log, and ended
apache_logs_to() {
  modules=/usr/lib/apache2/modules
  mkdir -p /tmp/apache
  cat >/tmp/apache/apache.conf <<END
ServerRoot /tmp/apache
PidFile /tmp/apache/pid
ServerName localhost
Listen 127.0.0.1:8090
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
ErrorLog /tmp/apache/errors
CustomLog "$1" "%h"
END
  apache2 -f /tmp/apache/apache.conf -k start
  # It listens before it starts the program: this file comes after it. Asked to end again and again: early, it does not listen.
  for try in $(seq 100); do [ ! -s /tmp/apache/pid ] || break; sleep 0.2; done
  for try in $(seq 100); do
    [ -e /tmp/apache/pid ] || return 0
    kill "$(cat /tmp/apache/pid)" 2>/dev/null || true
    sleep 0.2
  done
  return 1
}

# log_in_wrongly TIMES [OPTIONS OF CURL]
log_in_wrongly() {
  times=$1
  shift
  while [ "$times" -gt 0 ]; do
    ask /login "$@" -d 'user=al&password=wrong'
    times=$((times - 1))
  done
}
