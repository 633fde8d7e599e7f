#!/bin/sh
# Leader election: of all candidates one leads, and when it ends, however it ends, the next does.
#
#   leader_election.sh run DIRECTORY NAME COMMAND [ARGUMENT...]   stands for election; leads by COMMAND
#   leader_election.sh show DIRECTORY                             the NAME of whoever leads now
#
# A candidate takes a numbered place, held by a descriptor, and leads when nobody is in front. The
# command inherits the descriptor: as long as it runs, nobody else leads. A leader that has lost the
# ensemble for longer than the session's timeout is no leader any more, and its descriptor says so:
# whatever it writes elsewhere must carry a number that grows from leader to leader, and
# ZABFS_EPOCH, the transaction that created its place, is one.
set -eu
usage() {
  echo "usage: leader_election.sh run DIRECTORY NAME COMMAND... | show DIRECTORY" >&2
  exit 2
}
candidates() {
  LC_ALL=C ls "$directory"
}

[ $# -ge 2 ] || usage
action=$1
directory=$2
case $action in
  show)
    leader=$(candidates | head -n 1)
    [ -n "$leader" ] || { echo "leader_election.sh: nobody leads" >&2; exit 1; }
    # The place comes first and the name a moment later.
    since=$(sed -n 's/^czxid //p' "$directory/$leader@stat")
    [ -s "$directory/$leader" ] || read -r zxid event path < "$directory/$leader@next=$since"
    exec cat "$directory/$leader"
    ;;
  run) [ $# -ge 4 ] || usage ;;
  *) usage ;;
esac
name=$3
shift 3

mkdir -p "$directory"
exec 3<> "$directory/candidate-@hs"
read -r mine <&3
echo "$name" >&3
while front=$(candidates | sed "/^$mine\$/,\$d" | tail -n 1) && [ -n "$front" ]; do
  read -r zxid event path < "$directory/$front@gone"
done
ZABFS_EPOCH=$(sed -n 's/^czxid //p' "$directory/$mine@stat")
export ZABFS_EPOCH
exec "$@"
