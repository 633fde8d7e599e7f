#!/bin/sh
# Runs a command whenever a file of a directory changes, whichever machine changes it.
#
#   reload_on_change.sh DIRECTORY COMMAND [ARGUMENT...]
#
# For nginx with its sites on the mount:
#
#   reload_on_change.sh /mnt/nginx/sites sh -c 'nginx -t && nginx -s reload'
#
# The mount tells what other machines change through inotify, so any program that follows its
# configuration in this way follows it across machines. A command that fails is told and does not
# end the watch: the next change is another chance.
set -eu
[ $# -ge 2 ] || { echo "usage: reload_on_change.sh DIRECTORY COMMAND [ARGUMENT...]" >&2; exit 2; }
directory=$1
shift

inotifywait -m -q -e close_write,create,delete,move "$directory" | while read -r change; do
  "$@" || echo "reload_on_change.sh: after \"$change\" this failed: $*" >&2
done
