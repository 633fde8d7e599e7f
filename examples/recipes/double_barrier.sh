#!/bin/sh
# A double barrier: a command begins when N processes are there, and all of them end together.
#
#   double_barrier.sh DIRECTORY N COMMAND [ARGUMENT...]
#
# Each takes a place that a descriptor holds. Whoever sees N places creates `ready`, for which all
# wait. Having run the command, each gives its place up and waits until the others have, too. A
# process that dies gives its place up by that.
#
# Recipe "Double Barrier" of the ZooKeeper paper (section 2.4).
set -eu
[ $# -ge 3 ] || { echo "usage: double_barrier.sh DIRECTORY N COMMAND [ARGUMENT...]" >&2; exit 2; }
directory=$1
needed=$2
shift 2

places() {
  LC_ALL=C ls "$directory" | sed '/^ready$/d'
}

mkdir -p "$directory"
exec 3> "$directory/place-@hs"
if [ "$(places | wc -l)" -ge "$needed" ]; then
  (: > "$directory/ready@e") 2> /dev/null || true # Another has seen it too.
fi
read -r zxid event path < "$directory/ready@exists"

status=0
"$@" 3>&- || status=$?

exec 3>&-
while other=$(places | head -n 1) && [ -n "$other" ]; do
  read -r zxid event path < "$directory/$other@gone"
done
rm -f "$directory/ready"
exit "$status"
