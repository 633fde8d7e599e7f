#!/bin/sh
# A work queue: jobs are done in order, by any number of workers, and none is lost when one dies.
#
#   work_queue.sh put DIRECTORY TEXT...                  a job; prints its name
#   work_queue.sh work DIRECTORY COMMAND [ARGUMENT...]   does jobs for ever: COMMAND reads one's text
#
# The text of a job is written first, and then its name among the jobs, so nobody gets half a job. A
# worker claims a job by a file beside it that a descriptor holds, and removes the job when the
# command has succeeded. If the worker or its machine dies, the claim goes and the job is free
# again: a job is done at least once. One that fails is tried again a second later.
set -eu
usage() {
  echo "usage: work_queue.sh put DIRECTORY TEXT... | work DIRECTORY COMMAND..." >&2
  exit 2
}

# Does the first job that nobody has claimed; false if there is none.
do_one() {
  for job in $(LC_ALL=C ls "$jobs" | sed '/claim$/d'); do
    { command exec 3> "$jobs/$job.claim@h"; } 2> /dev/null || continue
    # Whoever had it before may have finished it just before the claim went.
    if [ ! -e "$jobs/$job" ]; then
      :
    elif "$@" < "$texts/$job" 3>&-; then
      rm -f "$jobs/$job" "$texts/$job"
    else
      sleep 1
    fi
    exec 3>&-
    return 0
  done
  return 1
}

[ $# -ge 3 ] || usage
action=$1
jobs=$2/jobs
texts=$2/texts
shift 2
mkdir -p "$jobs" "$texts"
case $action in
  put)
    exec 3<> "$texts/job-@s"
    read -r name <&3
    echo "$*" >&3
    exec 3>&-
    : > "$jobs/$name"
    echo "$name"
    ;;
  work)
    # Whatever comes or goes after a zxid that was read before the jobs were, wakes the next wait.
    while since=$(sed -n 's/^pzxid //p' "$jobs@stat"); do
      do_one "$@" || read -r zxid event path < "$jobs/@next=$since"
    done
    ;;
  *) usage ;;
esac
