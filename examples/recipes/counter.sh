#!/bin/sh
# A counter that all machines share: adds a number (1) and prints the sum.
#
#   counter.sh FILE [NUMBER]
#
# FILE@cas is a conversation on one descriptor: what is written is taken only if the value is still
# the one that was read, so no increment is ever lost. Whoever comes too late reads again.
set -eu
case "$#-${2:-1}" in
  1-* | 2-[0-9]* | 2--[0-9]*) ;;
  *) echo "usage: counter.sh FILE [NUMBER]" >&2; exit 2 ;;
esac
file=$1
number=${2:-1}

[ -e "$file" ] || (set -C; : > "$file") 2> /dev/null || true # Another has made it.
while :; do
  exec 3<> "$file@cas"
  value=
  read -r value <&3 || true # An empty file counts as 0.
  sum=$((${value:-0} + number))
  if echo "$sum" 2> /dev/null >&3; then
    break
  fi
done
echo "$sum"
