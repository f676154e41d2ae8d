#!/bin/bash
# CGI program of the Apache test server: a process of its own for every request. See README.md for the paths.
# Everything but the effects under test is done with the shell's own means, so that no other program starts.
# bash rather than sh for /dev/tcp and for decoding.

LC_ALL=C

# Value of a query parameter, percent-decoded, or $2 when it is missing.
parameter() {
  local pair
  local IFS='&'
  for pair in $QUERY_STRING; do
    if [[ $pair == "$1="* ]]; then
      pair=${pair#*=}
      pair=${pair//+/ }
      printf '%b' "${pair//%/\\x}"
      return
    fi
  done
  printf '%s' "${2:-}"
}

reversed() {
  local rest=$1 result=''
  while [[ $rest ]]; do
    result=${rest:0:1}$result
    rest=${rest:1}
  done
  printf '%s' "$result"
}

header() {
  printf 'Status: %s\r\nContent-Type: text/plain\r\n\r\n' "$1"
}

work() {
  local id mark content
  id=$(parameter id)
  mark=$id
  [[ $(parameter carry) != reversed ]] || mark=$(reversed "$id")
  : 2>/dev/null <>"/dev/tcp/127.0.0.1/$(parameter port "$SINK_PORT")"
  if [[ $1 == shell ]]; then
    /bin/sh -c "/bin/echo $mark; true" >/dev/null
  else
    /bin/echo "$mark" >/dev/null
  fi
  printf '%s' "$mark" >"$WORK_DIR/$mark.txt"
  read -r content <"$WORK_DIR/$mark.txt"
  header 200
  printf 'done %s\n' "$id"
}

read_file() {
  local content
  if { content=$(<"$WORK_DIR/$1"); } 2>/dev/null; then
    header 200
    printf '%s\n' "$content"
  else
    header 500
    printf 'cannot read\n'
  fi
}

case $PATH_INFO in
  /)
    header 200
    printf 'ready\n'
    ;;
  /work) work direct ;;
  /shell) work shell ;;
  /run)
    header 200
    /bin/sh -c "/bin/echo checking $(parameter cmd)" 2>&1
    ;;
  /saferun)
    header 200
    /bin/echo checking "$(parameter arg)"
    ;;
  /read) read_file "$(parameter name)" ;;
  /saferead)
    name=$(parameter name)
    if [[ $name == */* || $name == .* ]]; then
      header 403
      printf 'refused\n'
    else
      read_file "$name"
    fi
    ;;
  /big)
    header 200
    printf '%*s' $((200 * 1024)) '' | tr ' ' x
    ;;
  /echo)
    header 200
    cat
    ;;
  *)
    header 404
    printf 'not found\n'
    ;;
esac
