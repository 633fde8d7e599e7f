#!/usr/bin/env bash
# From a fresh clone to a mounted, durable coordination service on one machine.
#
#   examples/quickstart.sh [DIR]      mounts on DIR, by default ~/z
#
# Environment:
#   ZABFS_DATA   where the replica keeps its log and snapshots (default ~/.local/share/zabfs)
#   ZABFS_PORT   where ZooKeeper clients reach the replica, on 127.0.0.1 (default 2181)
#   ZABFS_BIN    a directory with a zabfs that is already built: nothing is installed or built
set -euo pipefail
source_root=$(cd "$(dirname "$0")/.." && pwd)
dir=${1:-$HOME/z}
data=${ZABFS_DATA:-$HOME/.local/share/zabfs}
port=${ZABFS_PORT:-2181}

fail() {
  echo "quickstart: $1" >&2
  exit 1
}

case ${1:-} in
  -*) fail "usage: examples/quickstart.sh [DIR]" ;;
esac

if [ -z "${ZABFS_BIN:-}" ]; then
  "$source_root/.ci/install-packages" build
  cd "$source_root"
  cmake --preset programs
  cmake --build --preset programs
  cd - >/dev/null
  ZABFS_BIN=$source_root/build/programs/bin
fi

[ -x "$ZABFS_BIN/zabfs" ] || fail "there is no program $ZABFS_BIN/zabfs"
mkdir -p "$data"
mkdir -p "$dir" 2>/dev/null || true # What is wrong with it, zabfs says in a sentence.
if ! mountpoint -q "$dir" && [ -n "$(ls -A "$dir" 2>/dev/null)" ]; then
  fail "$dir is not empty; name another directory to mount on"
fi

# Returns once the files are there, or fails with the reason.
"$ZABFS_BIN/zabfs" --embedded "$data" -o "port=$port" "$dir"

cat <<EOT

Mounted on $dir. Every file is a znode, and every change is durable
before the command that made it returns. Try:

  cd $dir
  echo 8080 > port; cat port; cat port@stat
  mkdir app; echo hello > app/greeting; ls -R
  mv app/greeting app/welcome; cat app/welcome
  rm -r app

The data are in $data. ZooKeeper clients connect to 127.0.0.1:$port.
To stop:         fusermount3 -u $dir
To start again:  $0 $dir
EOT
