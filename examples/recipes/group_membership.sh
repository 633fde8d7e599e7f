#!/bin/sh
# Group membership: who is there now.
#
#   group_membership.sh join DIRECTORY NAME COMMAND [ARGUMENT...]   is a member while COMMAND runs
#   group_membership.sh list DIRECTORY                              the members, each with its host
#   group_membership.sh follow DIRECTORY                            the same, at once and at every change
#
# A member is a file that a descriptor holds; the command inherits the descriptor. When a machine
# dies, its members go with its session.
#
# Recipe "Group Membership" of the ZooKeeper paper (section 2.4).
set -eu
usage() {
  echo "usage: group_membership.sh join DIRECTORY NAME COMMAND... | list|follow DIRECTORY" >&2
  exit 2
}
list() {
  for member in "$directory"/*; do
    host=$(cat "$member" 2> /dev/null) || continue # It has just left.
    echo "${member##*/} $host"
  done
}

[ $# -ge 2 ] || usage
action=$1
directory=$2
mkdir -p "$directory"
case $action in
  join)
    [ $# -ge 4 ] || usage
    exec 3> "$directory/$3@h"
    hostname >&3
    shift 3
    exec "$@"
    ;;
  list) list ;;
  follow)
    # Whatever changes after a zxid that was read before the list was, wakes the next wait.
    while zxid=$(sed -n 's/^pzxid //p' "$directory@stat"); do
      list
      echo
      read -r zxid event path < "$directory/@next=$zxid"
    done
    ;;
  *) usage ;;
esac
