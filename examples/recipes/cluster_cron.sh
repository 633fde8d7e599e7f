#!/bin/sh
# A cron job that runs on one machine of all, whichever comes first, once in each period.
#
#   cluster_cron.sh FILE SECONDS COMMAND [ARGUMENT...]
#
# In the crontab of every machine, for a job once a day:
#
#   */5 * * * * cluster_cron.sh /mnt/jobs/nightly 86400 /usr/local/bin/nightly
#
# `flock` on a file of the mount locks it for all machines, until the job ends or its machine dies.
# Whoever has the lock runs the command if the last success, whose time the file holds, is long
# enough ago. A job that fails, or dies with its machine, is tried again by whoever comes next.
set -eu
[ $# -ge 3 ] || { echo "usage: cluster_cron.sh FILE SECONDS COMMAND [ARGUMENT...]" >&2; exit 2; }
file=$1
period=$2
shift 2

exec 3>> "$file"
flock -n 3 || exit 0 # Another machine is at it.
last=$(cat "$file")
[ $(($(date +%s) - ${last:-0})) -ge "$period" ] || exit 0
"$@" 3>&-
date +%s > "$file"
