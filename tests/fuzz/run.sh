#!/bin/sh
# Looks for input that breaks a parser: builds every fuzz target (clang, libFuzzer, address and
# undefined behaviour sanitizers) and runs one after the other.
#
#   tests/fuzz/run.sh [SECONDS_EACH [TARGET...]]
#
#   SECONDS_EACH   how long each target runs; 300 if not given
#   TARGET         which to run, for example path_fuzz; all if not given
#
# Ends with 0 if nothing was found, 1 if something was; then it says which file holds the input.
# Repeat a finding with build/fuzz/bin/TARGET FILE. What a run learned is kept in
# build/fuzz/corpus/TARGET, and the next run goes on from there.
#
# To add a target, put a NAME_fuzz.cpp beside this file.
set -eu

seconds=${1:-300}
[ $# -eq 0 ] || shift
case $seconds in
  '' | *[!0-9]*)
    echo "run.sh: SECONDS_EACH must be a number, not '$seconds'" >&2
    exit 2
    ;;
esac

cd "$(dirname "$0")/../.."
if [ $# -eq 0 ]; then
  set -- tests/fuzz/*_fuzz.cpp
fi
targets=""
for target in "$@"; do
  targets="$targets $(basename "$target" .cpp)"
done

cmake --preset fuzz > /dev/null
# shellcheck disable=SC2086 # one word per target
cmake --build build/fuzz --target $targets

found=""
mkdir -p build/fuzz/findings
for target in $targets; do
  echo "== $target: $seconds seconds"
  mkdir -p "build/fuzz/corpus/$target"
  # No input is longer than 4 KiB, so nothing may ask for 64 MiB at once or think for 10 seconds.
  if ! "build/fuzz/bin/$target" -max_total_time="$seconds" -max_len=4096 -timeout=10 \
      -malloc_limit_mb=64 -print_final_stats=1 -verbosity=0 \
      -artifact_prefix="build/fuzz/findings/$target-" "build/fuzz/corpus/$target"; then
    found="$found $target"
  fi
done

if [ -n "$found" ]; then
  echo "run.sh: found something in$found; the inputs are in build/fuzz/findings" >&2
  exit 1
fi
echo "run.sh: nothing found"
