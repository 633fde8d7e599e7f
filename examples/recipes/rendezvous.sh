#!/bin/sh
# Rendezvous: workers find their master although nobody knows beforehand where it will run.
#
#   rendezvous.sh offer FILE ADDRESS COMMAND [ARGUMENT...]   the address is there while COMMAND runs
#   rendezvous.sh meet FILE                                  prints the address, waiting until it is there
#
# Recipe "Rendezvous" of the ZooKeeper paper (section 2.4).
set -eu
usage() {
  echo "usage: rendezvous.sh offer FILE ADDRESS COMMAND... | meet FILE" >&2
  exit 2
}

[ $# -ge 2 ] || usage
file=$2
case $1 in
  offer)
    [ $# -ge 4 ] || usage
    exec 3> "$file@h"
    echo "$3" >&3
    shift 3
    exec "$@"
    ;;
  meet)
    # The file comes first and the address a moment later.
    until [ -s "$file" ]; do
      read -r zxid event path < "$file@exists"
      [ -s "$file" ] || read -r zxid event path < "$file@next=$zxid"
    done
    exec cat "$file"
    ;;
  *) usage ;;
esac
