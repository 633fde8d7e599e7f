// Answers the system calls with which the replayer makes a change once more (replay.hpp), without
// the ensemble and as the change demands, whatever has become of the znode meanwhile:
//
//   what is to be made     is not there when it is looked up, and is made
//   what is to be changed  is the inode that it was when the change was heard of, so that whoever
//   or removed             watches that inode hears it; a ghost if the kernel has forgotten it
//   directories above      as the kernel knows them
//
// Nobody but the replayer gets these answers. Everybody else asks the file system, also while a
// replay is under way, because the kernel keeps no answer about these names: so nothing that is
// replayed can be seen as a state of the tree. Everything happens on one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fusefs/filesystem.hpp"
#include "fusefs/notify/replay.hpp"
#include "fusefs/reply.hpp"

namespace zabfs::fusefs::notify {

class Stage {
 public:
  // The handle of the one file that a replay has open; no handle of the file system has it.
  static constexpr HandleId handle = ~HandleId{};

  Stage(inodes::InodeTable& inodes, const inodes::Appearance& appearance)
      : inodes_(inodes), appearance_(appearance) {}

  // From now on it is this change. Before that every call fails with EPERM.
  void begin(const Replay& replay) { replay_ = replay; }

  void lookup(Reply<Entry> reply, const Place& place);
  void get_attributes(Reply<Attributes> reply, InodeNumber number, std::optional<HandleId>);
  void set_attributes(Reply<Attributes> reply, InodeNumber number, const AttributeChange& change,
                      std::optional<HandleId>);
  void check_access(Reply<Done> reply, InodeNumber number, int mask);
  void open(Reply<Opened> reply, InodeNumber number, int flags);
  void make_file(Reply<Entry> reply, const Place& place);
  void make_directory(Reply<Entry> reply, const Place& place);
  void remove_file(Reply<Done> reply, const Place& place);
  void remove_directory(Reply<Done> reply, const Place& place);
  void rename(Reply<Done> reply, const Place& from, const Place& to, unsigned flags);

 private:
  // The path of the replay, or one above it, that `place` names; "" for any other place.
  std::string path_at(const Place& place);
  void answer_made(Reply<Entry> reply, const Place& place, inodes::Kind kind);
  void answer_done(Reply<Done> reply, bool is_expected);
  Entry entry_of(const inodes::Inode& inode) const;
  // The inode of that number with one more lookup, or a ghost.
  Entry known_or_ghost(InodeNumber number, const std::string& path, inodes::Kind kind);
  Entry directory_above(const std::string& path);

  inodes::InodeTable& inodes_;
  inodes::Appearance appearance_;
  std::optional<Replay> replay_{};
};

}  // namespace zabfs::fusefs::notify
