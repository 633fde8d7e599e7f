#!/bin/sh
# A lock without herd: who comes first gets it first, and its end wakes one waiter only.
#
#   fair_lock.sh DIRECTORY COMMAND [ARGUMENT...]
#
# Everybody takes a numbered place in the directory, held by a descriptor, and waits until the place
# in front is gone; then it looks again, because the one in front may have given up waiting. The
# command inherits the descriptor, so the place ends with the command, however it ends.
#
# Recipe "Simple Locks without Herd Effect" of the ZooKeeper paper (section 2.4).
set -eu
[ $# -ge 2 ] || { echo "usage: fair_lock.sh DIRECTORY COMMAND [ARGUMENT...]" >&2; exit 2; }
directory=$1
shift

mkdir -p "$directory"
exec 3<> "$directory/place-@hs"
read -r mine <&3
hostname >&3

# The last place before mine; nothing if mine is the first.
in_front() {
  LC_ALL=C ls "$directory" | sed "/^$mine\$/,\$d" | tail -n 1
}

while front=$(in_front) && [ -n "$front" ]; do
  read -r zxid event path < "$directory/$front@gone"
done
exec "$@"
