#!/usr/bin/env bash
# The tests in two processes, for two cores: those of files that need Ray, and all others beside them.
#   tests/in_two.sh PYTEST [ARGS]
set -uo pipefail
pytest=$1
shift
nothing=5 # what pytest ends with where no test is chosen

others=$(mktemp)
trap 'rm -f "$others"' EXIT
"$pytest" -m "not on_ray" "$@" >"$others" 2>&1 &
process=$!
"$pytest" -m on_ray "$@"
with_ray=$?
wait "$process"
without=$?
cat "$others"

if [[ $with_ray == "$nothing" ]]; then exit "$without"; fi
if [[ $with_ray == 0 && $without == "$nothing" ]]; then exit 0; fi
exit $((with_ray > without ? with_ray : without))
