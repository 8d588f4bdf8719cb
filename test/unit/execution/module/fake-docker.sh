#!/bin/sh
# A docker client that keeps containers in a folder: what it was called with, their files, and a process for each that
# runs. fake-docker.ts fills the two names in.
home='HOME_OF_FAKE'
node='NODE'
printf '%s\n' "$*" >> "$home/calls"
for last; do :; done

fail() { echo "$1" >&2; exit 1; }
# What a test wants to fail: a file of the command's name has what docker says.
[ -f "$home/fail-$1" ] && fail "$(cat "$home/fail-$1")"

[ -f "$home/spy-$1" ] && sh "$home/spy-$1" >> "$home/spied-$1"

folder() {
  [ -d "$home/containers/$1" ] || fail "Error response from daemon: No such container: $1"
  echo "$home/containers/$1"
}

running() {
  [ -f "$1/pid" ] && [ ! -f "$1/exit" ] && kill -0 "$(cat "$1/pid")" 2> /dev/null
}

case "$1" in
  image)
    [ -f "$home/images/$(echo "$last" | tr '/:@' '___')" ] || fail "Error: No such image: $last"
    cat "$home/images/$(echo "$last" | tr '/:@' '___')"
    ;;
  info) cat "$home/engine-id" ;;
  pull) fail "Error response from daemon: pull access denied for $last" ;;
  create)
    name=$3
    mkdir "$home/containers/$name" 2> /dev/null ||
      fail "Error response from daemon: Conflict. The container name \"/$name\" is already in use by another container."
    mkdir "$home/containers/$name/workspace" || exit 1
    printf '%s\n' "$@" > "$home/containers/$name/args"
    [ ! -f "$home/create-dies" ] || fail "the client was cut off"
    ;;
  ps)
    label=$(echo "$5" | sed 's/^label=//')
    grep -lx -- "$label" "$home"/containers/*/args 2> /dev/null | while read -r args; do basename "$(dirname "$args")"; done
    ;;
  cp)
    if [ "$2" = - ]; then
      at=$(folder "${3%%:*}") || exit 1
      tee "$at/workspace.tar" | tar -xf - -C "$at/workspace"
    else
      at=$(folder "${2%%:*}") || exit 1
      within=$at$(dirname "${2#*:}")
      [ -e "$within/output.json" ] || [ -L "$within/output.json" ] || fail "Could not find the file ${2#*:}"
      tar -cf - -C "$within" output.json
    fi
    ;;
  start) exec "$node" "$home/start.mjs" "$home" "$(folder "$last")" ;;
  stop)
    at=$(folder "$last") || exit 1
    running "$at" || exit 0
    kill -TERM "$(cat "$at/pid")"
    left=$(($3 * 20))
    while running "$at" && [ $left -gt 0 ]; do sleep 0.05; left=$((left - 1)); done
    ! running "$at" || kill -KILL "$(cat "$at/pid")"
    ;;
  wait)
    at=$(folder "$last") || exit 1
    while running "$at"; do sleep 0.02; done
    ;;
  container)
    at=$(folder "$last") || exit 1
    if running "$at"; then echo '{"Running":true,"ExitCode":0}'; exit; fi
    code=$(cat "$at/exit" 2> /dev/null || { [ -f "$at/pid" ] && echo 137 || echo 0; })
    oom=$([ -f "$home/out-of-memory" ] && echo true || echo false)
    echo "{\"Running\":false,\"ExitCode\":$code,\"OOMKilled\":$oom,\"Error\":\"$(cat "$at/error" 2> /dev/null)\"}"
    ;;
  rm)
    at=$(folder "$last") || exit 1
    ! running "$at" || kill -KILL "$(cat "$at/pid")"
    mkdir -p "$home/removed" && mv "$at" "$home/removed/$last"
    ;;
  *) fail "the fake docker knows no $1" ;;
esac
