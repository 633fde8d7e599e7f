// What is open: a number for each open file and directory, and what it holds.
//
//   DataHandle         the data of a znode
//   ConversationHandle a value read and then replaced on condition (`@cas`)
//   FeedHandle         lines that come while it is open (`@exists`, `@watch`)
//   BirthHandle        the descriptor that made a znode, open to read and write
//   AclHandle          an ACL as a text that is written
//   TransactionHandle  lines that make up a transaction (`@mount/txn`)
//   TextHandle         text made when it was opened (`@stat`); reading it never changes it
//   DirectoryHandle    a listing that does not move while it is read
//
// Numbers are never reused while the mount lives. References to a Handle stay valid until release.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "fusefs/handles/data_handle.hpp"
#include "fusefs/handles/feed.hpp"
#include "fusefs/handles/listed_names.hpp"
#include "fusefs/inodes/inode_table.hpp"

namespace zabfs::fusefs::handles {

using HandleId = std::uint64_t;

struct TextHandle {
  std::string text{};
};

// Reading tells the real name of what was made, as a line, once; writing sets its data, from the
// beginning on. The two do not share a position, so offsets mean nothing.
struct BirthHandle {
  std::string unread_name{};
  DataHandle data;
};

// The text of an ACL, read and written like data; `version` is that of the ACL it was read from, if
// it was, which a commit then replaces and no other.
struct AclHandle {
  DataHandle data;
  std::optional<std::int32_t> version{};
};

// Each conversation begins with a read, which gives one version of the value, and goes on with
// writes, which together make the next: each is committed on condition that nobody else has written
// since.
struct ConversationHandle {
  replication::Bytes unread{};
  replication::Bytes written{};
  std::int32_t version{};  // that a write replaces
  bool has_begun{};        // the value has been read
  bool is_writing{};       // a read begins the next conversation
};

// A transaction as far as it was written, and what became of the last one.
struct TransactionHandle {
  std::vector<std::string> lines{};  // that mean something
  std::size_t bytes{};               // of them
  std::string unfinished{};          // a line without its end
  bool waits_for_commit{};           // `begin` was written
  int refusal{};  // the errno of a line that was refused: nothing happens any more; or 0
  std::string unread{};
};

// Shared with the wait that feeds it, which ends by itself some time after the handle.
struct FeedHandle {
  std::shared_ptr<Feed> feed{};
};

// The listing is fetched when it is read from its beginning, and so again after a rewinddir(3).
struct DirectoryHandle {
  ListedNames names{};  // as they are shown, with `.` and `..`
  bool may_be_kept{};   // by the kernel, which fills its cache with what it reads
  // What the kernel keeps from before; it may ask for the rest of it.
  std::shared_ptr<const std::vector<std::string>> kept{};
  bool kept_has_data{};
};

struct Handle {
  inodes::InodeNumber inode{};
  std::variant<DataHandle, TextHandle, DirectoryHandle, BirthHandle, ConversationHandle, FeedHandle,
               AclHandle, TransactionHandle>
      body;

  // Of DataHandle: the version that is read and replaced; any other is refused.
  std::optional<std::int32_t> condition{};

  // The session that owns the znode, if this descriptor made it and it is ephemeral; otherwise 0.
  // When that session is over, so is the descriptor.
  std::int64_t owner{};
  bool is_held{};  // the znode goes with the last close

  bool is_lock_lost{};                // a lock that was taken through it is not there any more
  std::function<void()> when_lost{};  // somebody polls it, and has to hear of a loss

  // What has been written down of it for a successor of this process (filesystem_resumption.cpp).
  struct Saved {
    std::uint64_t digest{};  // of everything but content; 0: nothing has been
    std::uint64_t fed{};     // bytes of a feed, in and out
    std::uint64_t taken{};
  };
  Saved saved{};
  bool is_listed_anew{};  // the listing is another than was saved
};

// What the handle shows or sets, the data of a znode or its ACL as a text; nullptr if it is
// neither.
DataHandle* data_of(Handle& handle);

// True if what is written to the handle means something.
bool writes(const Handle& handle);

// False if the handle holds another version than its condition names.
bool is_met(Handle& handle);

class HandleTable {
 public:
  // The number of a new handle; 0 if there are limits::handles_max already.
  HandleId open(Handle handle);

  // The handle of a number, or nullptr.
  Handle* find(HandleId id);

  // Takes the handle out of the table; nullptr if there is none.
  std::unique_ptr<Handle> release(HandleId id);

  void for_each(const std::function<void(Handle&)>& visit);

  std::size_t size() const { return handles_.size(); }

  // For a successor of this process. From keep_changes() on, the numbers of handles that were
  // found, opened or released are kept until they are taken.
  void keep_changes() { keeps_changes_ = true; }
  bool has_changes() const { return !touched_.empty(); }
  std::vector<HandleId> take_changes() { return std::exchange(touched_, {}); }
  // The handle of a number, which does not count as a change.
  Handle* peek(HandleId id);

  // A handle as a predecessor had it; and the highest number that one has given out.
  void restore(HandleId id, Handle handle);
  void continue_after(HandleId last) { last_ = last; }

 private:
  void touch(HandleId id);

  std::unordered_map<HandleId, std::unique_ptr<Handle>> handles_{};
  HandleId last_{};
  bool keeps_changes_{};
  std::vector<HandleId> touched_{};
};

}  // namespace zabfs::fusefs::handles
