#!/usr/bin/env bash
# An ensemble of three replicas on one machine, and a mount of it for each: to see what happens when one
# of them dies. Runs until it is interrupted, then unmounts and stops everything.
#
#   examples/ensemble.sh [DIR]        mounts on DIR/1, DIR/2 and DIR/3, by default below ~/zz
#
# Environment:
#   ZABFS_DATA   where the replicas keep their logs and snapshots (default ~/.local/share/zabfs-ensemble)
#   ZABFS_PORT   where ZooKeeper clients reach the first replica, on 127.0.0.1 (default 2181); the other
#                two and the connections between the three take the five ports behind it
#   ZABFS_BIN    a directory with programs that are already built: nothing is installed or built
set -euo pipefail
source_root=$(cd "$(dirname "$0")/.." && pwd)
dir=${1:-$HOME/zz}
data=${ZABFS_DATA:-$HOME/.local/share/zabfs-ensemble}
port=${ZABFS_PORT:-2181}

fail() {
  echo "ensemble: $1" >&2
  exit 1
}

case ${1:-} in
  -*) fail "usage: examples/ensemble.sh [DIR]" ;;
esac

if [ -z "${ZABFS_BIN:-}" ]; then
  "$source_root/.ci/install-packages" build
  cd "$source_root"
  cmake --preset programs
  cmake --build --preset programs
  cd - >/dev/null
  ZABFS_BIN=$source_root/build/programs/bin
fi

declare -A replicas # number -> process
mounts=()

stop() {
  trap - EXIT INT TERM
  for each in "${mounts[@]}"; do
    fusermount3 -u -z "$each" || true
  done
  for each in "${mounts[@]}"; do # They close their sessions while there are replicas to hear it.
    pgrep -fx "$ZABFS_BIN/zabfs $hosts $each" | xargs -r -I{} timeout 10 tail --pid={} -f /dev/null ||
      true
  done
  if [ ${#replicas[@]} -gt 0 ]; then
    kill "${replicas[@]}" 2>/dev/null || true # Those that have died already are no news.
    wait || true
  fi
}
trap stop EXIT
trap 'exit 0' INT TERM

write_configuration() { # number
  mkdir -p "$data/$1"
  echo "$1" >"$data/$1/myid"
  cat >"$data/$1.cfg" <<EOT
dataDir=$data/$1
clientPort=$((port + $1 - 1))
clientPortAddress=127.0.0.1
tickTime=2000
server.1=127.0.0.1:$((port + 3))
server.2=127.0.0.1:$((port + 4))
server.3=127.0.0.1:$((port + 5))
EOT
}

for program in zabd zabfs; do
  [ -x "$ZABFS_BIN/$program" ] || fail "there is no program $ZABFS_BIN/$program"
done
for number in 1 2 3; do
  write_configuration "$number"
  "$ZABFS_BIN/zabd" "$data/$number.cfg" 2>>"$data/$number.log" &
  replicas[$number]=$!
done

hosts=127.0.0.1:$port,127.0.0.1:$((port + 1)),127.0.0.1:$((port + 2))
for number in 1 2 3; do
  mkdir -p "$dir/$number"
  # Returns once the files are there, or fails with the reason.
  "$ZABFS_BIN/zabfs" "$hosts" "$dir/$number" || fail "the replicas may say why: see $data/*.log"
  mounts+=("$dir/$number")
done

cat <<EOT

Three replicas serve $hosts,
and their tree is mounted on $dir/1, $dir/2 and $dir/3. Try in another terminal:

  echo hello > $dir/1/greeting; cat $dir/2/greeting
  kill -9 ${replicas[1]}                  # one replica: the mounts go on with the other two
  echo still there > $dir/1/greeting; cat $dir/3/greeting
  $ZABFS_BIN/zabd $data/1.cfg             # it catches up
  printf srvr | nc 127.0.0.1 $((port + 1))       # who leads

The replicas write what they see to $data/*.log.
Interrupt this program to unmount and stop everything; the data stay for the next start.
EOT
wait
