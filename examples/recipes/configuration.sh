#!/bin/sh
# Configuration of several files, of which nobody ever uses half an old and half a new one.
#
#   configuration.sh publish DIRECTORY FILE...                  replaces the files of that name
#   configuration.sh follow DIRECTORY COPY COMMAND [ARGUMENT...]  runs COMMAND with every new COPY
#
# `ready` says that the files belong together: whoever publishes removes it first and creates it
# last. Whoever follows copies the files while `ready` is there, and takes the copy only if the same
# `ready` is still there afterwards.
#
# Recipe "Configuration Management" of the ZooKeeper paper, with the `ready` znode of section 2.3.
set -eu
usage() {
  echo "usage: configuration.sh publish DIRECTORY FILE... | follow DIRECTORY COPY COMMAND..." >&2
  exit 2
}
# The transaction that created `ready`; nothing while it is away.
ready_since() {
  sed -n 's/^czxid //p' "$directory/ready@stat" 2> /dev/null || true
}

[ $# -ge 3 ] || usage
action=$1
directory=$2
shift 2
case $action in
  publish)
    mkdir -p "$directory"
    rm -f "$directory/ready"
    cp -- "$@" "$directory/"
    : > "$directory/ready"
    ;;
  follow)
    [ $# -ge 2 ] || usage
    copy=$1
    shift
    mkdir -p "$directory"
    while read -r zxid event path < "$directory/ready@exists"; do
      since=$(ready_since)
      rm -rf "$copy.new"
      mkdir "$copy.new"
      cp -R "$directory/." "$copy.new/" 2> /dev/null || continue # A file went meanwhile.
      [ "${since:-none}" = "$(ready_since)" ] || continue
      rm -rf "$copy"
      mv "$copy.new" "$copy"
      "$@"
      read -r zxid event path < "$directory/ready@next=$since"
    done
    ;;
  *) usage ;;
esac
