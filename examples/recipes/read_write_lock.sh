#!/bin/sh
# A read/write lock: many readers at a time or one writer, in the order in which they come.
#
#   read_write_lock.sh read|write DIRECTORY COMMAND [ARGUMENT...]
#
# As fair_lock.sh, but a reader waits only for the writer in front of it, and a writer for whatever
# is directly in front. Places are compared by their numbers, the last ten digits.
#
# Recipe "Read/Write Locks" of the ZooKeeper paper (section 2.4).
set -eu
case "$#-${1:-}" in
  [12]-* | 0-*) echo "usage: read_write_lock.sh read|write DIRECTORY COMMAND..." >&2; exit 2 ;;
  *-read) blocks='write' ;;
  *-write) blocks='[a-z]*' ;;
  *) echo "read_write_lock.sh: say read or write, not $1" >&2; exit 2 ;;
esac
kind=$1
directory=$2
shift 2

mkdir -p "$directory"
exec 3<> "$directory/$kind-@hs"
read -r mine <&3
hostname >&3

# What is in front of mine and blocks it, the last of them; nothing if nothing does.
in_front() {
  ls "$directory" | sed -n 's/^\([a-z]*\)-\([0-9]\{10\}\)$/\2 \1/p' | LC_ALL=C sort |
    sed "/^${mine#*-} /,\$d" | sed -n "s/^\([0-9]*\) \($blocks\)\$/\2-\1/p" | tail -n 1
}

while front=$(in_front) && [ -n "$front" ]; do
  read -r zxid event path < "$directory/$front@gone"
done
exec "$@"
