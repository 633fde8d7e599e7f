// A change that somebody else made, to be made once more by system calls on the mount, so that the
// kernel tells it to whoever watches by inotify.
//
//   deed               system calls                        what inotify tells
//   ----------------   ---------------------------------   ---------------------------------------
//   make_file          mknod                               CREATE
//   make_directory     mkdir                               CREATE,ISDIR
//   write              open for writing, ftruncate, close  OPEN, MODIFY, CLOSE_WRITE
//   touch              utimensat                           ATTRIB
//   remove_file        unlink                              DELETE, and DELETE_SELF at the file
//   remove_directory   rmdir                               DELETE,ISDIR, and DELETE_SELF
//   move               rename                              MOVED_FROM, MOVED_TO, and MOVE_SELF
//
// The znode is not asked or changed again: the mount answers these calls by itself (stage.hpp).
#pragma once

#include <cstdint>
#include <string>

#include "fusefs/inodes/inode_table.hpp"
#include "fusefs/inodes/node.hpp"

namespace zabfs::fusefs::notify {

enum class Deed : std::uint8_t {
  make_file,
  make_directory,
  write,
  touch,
  remove_file,
  remove_directory,
  move,
};

struct Replay {
  Deed deed{};
  std::string path{};  // of the znode
  std::string to{};    // of a move
  // What `path` led to when the change was heard of, or 0 if the kernel knew nothing there; and
  // likewise `to`.
  inodes::InodeNumber inode{};
  inodes::InodeNumber replaced{};
  inodes::Node node{};  // the znode that was made or moved, as it was found afterwards
};

// The path of a znode as the mount shows it, without a slash in front; "" for the root.
std::string shown_path(std::string_view path);

}  // namespace zabfs::fusefs::notify
