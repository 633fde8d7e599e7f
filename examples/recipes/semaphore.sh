#!/bin/sh
# A semaphore: of all machines, at most N at a time run the command, in the order in which they come.
#
#   semaphore.sh DIRECTORY N COMMAND [ARGUMENT...]
#
# Everybody takes a numbered place, held by a descriptor, and runs the command as soon as fewer than
# N places are in front. The command inherits the descriptor, so the place ends with the command,
# however it ends. All must say the same N.
set -eu
[ $# -ge 3 ] || { echo "usage: semaphore.sh DIRECTORY N COMMAND [ARGUMENT...]" >&2; exit 2; }
directory=$1
places=$2
shift 2

mkdir -p "$directory"
exec 3<> "$directory/place-@hs"
read -r mine <&3
hostname >&3

in_front() {
  LC_ALL=C ls "$directory" | sed "/^$mine\$/,\$d" | wc -l
}

# Whatever goes after a zxid that was read before the places were counted, ends the wait.
while since=$(sed -n 's/^pzxid //p' "$directory@stat") && [ "$(in_front)" -ge "$places" ]; do
  read -r zxid event path < "$directory/@next=$since"
done
exec "$@"
