#!/bin/sh
# A simple lock: of all machines, one at a time runs the command.
#
#   simple_lock.sh FILE COMMAND [ARGUMENT...]
#
# FILE@h creates FILE if nobody has it, and FILE goes when the last descriptor of it is closed. The
# command inherits the descriptor, so the lock ends with the command, however it ends. Whoever finds
# the lock taken waits until FILE is gone, and all who wait then try again at once: a herd. For many
# machines take fair_lock.sh, or `flock FILE COMMAND`.
#
# Recipe "Simple Locks" of the ZooKeeper paper (section 2.4).
set -eu
[ $# -ge 2 ] || { echo "usage: simple_lock.sh FILE COMMAND [ARGUMENT...]" >&2; exit 2; }
lock=$1
shift

until command exec 3> "$lock@h"; do
  read -r zxid event path < "$lock@gone"
done 2> /dev/null

hostname >&3
exec "$@"
