// What each operation on a file means, in terms of znodes; without a type of libfuse in it.
//
// Every operation takes the reply it owes and returns at once. What needs the ensemble runs on as a
// coroutine, so a slow answer holds up nobody else; requests leave in the order in which operations
// arrive, and the client keeps that order, so a read sees every write that was committed before it.
// Lookups, attributes, data and listings are answered from what cache::Coherence knows to be true;
// what a change of the tree is decided upon is always asked for.
//
// Creating names make what the file system then shows under another name (creation.hpp).
//
// What a name means is naming's, what a number means the inode table's, when written data is
// committed DataHandle's.
//
// Everything happens on one thread. The Answers must outlive the Filesystem.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fusefs/cache/coherence.hpp"
#include "fusefs/client/client.hpp"
#include "fusefs/continuity/ledger.hpp"
#include "fusefs/creation.hpp"
#include "fusefs/failure.hpp"
#include "fusefs/handles/handle_table.hpp"
#include "fusefs/inodes/attributes.hpp"
#include "fusefs/inodes/inode_table.hpp"
#include "fusefs/kernel_memory.hpp"
#include "fusefs/locker.hpp"
#include "fusefs/locks/taker.hpp"
#include "fusefs/naming/name.hpp"
#include "fusefs/operation.hpp"
#include "fusefs/reply.hpp"
#include "fusefs/streams.hpp"
#include "fusefs/task.hpp"
#include "fusefs/views/journal.hpp"

namespace zabfs::fusefs {

using handles::HandleId;
using inodes::InodeNumber;

// What setattr asks for.
struct AttributeChange {
  std::optional<std::size_t> size{};
  std::optional<mode_t> mode{};
  std::optional<uid_t> uid{};
  std::optional<gid_t> gid{};
  bool sets_mtime_to_now{};  // what `touch` does; a time given in the request is not kept
};

// A name in a directory.
struct Place {
  InodeNumber directory{};
  std::string name{};
};

// A lock that is asked for, or given back. For the kernel, every open file (flock, open file
// descriptions) and every process (fcntl) is an owner.
struct LockCall {
  HandleId handle{};
  std::uint64_t owner{};
  locks::Family family{};
  locks::Mode mode{};
  bool is_nonblocking{};
  std::int64_t thread{};  // that asks, as the kernel names it; 0 if it cannot
};

std::string child_path(const std::string& directory, const std::string& name);

// True for the views that are there whether or not their znode is, and whose reader waits.
bool is_waiting_view(naming::View view);
// True for those of them that go on and on.
bool is_stream(naming::View view);

// The parameter of @next without a zxid.
inline constexpr std::int64_t no_zxid = -1;

// What a file system knows and does, for what else serves its mount (notify/).
struct Insides {
  cache::Coherence& ensemble;
  OperationTable& operations;
  inodes::InodeTable& inodes;
  inodes::Appearance appearance{};
  // The znode at a path, asked for, with what decides whether it is shown as a directory.
  std::function<Task<Outcome<inodes::Node>>(Operation&, std::string)> look{};
};

class Filesystem {
 public:
  Filesystem(client::Client& client, inodes::Appearance appearance);
  Filesystem(const Filesystem&) = delete;
  Filesystem& operator=(const Filesystem&) = delete;
  ~Filesystem() { interrupt_all(); }

  // From now on `client` is asked: the session of the one before has expired. What waits for the
  // old client goes on waiting for it.
  void use(client::Client& client);
  // To be called when the client has lost its connection.
  void connection_lost() { ensemble_.connection_lost(); }
  // To be called when it has one again, of the same session or the first of a new one.
  void connected() { ensemble_.connected(); }
  // What is known of the ensemble, and what of it is watched.
  cache::Coherence& ensemble() { return ensemble_; }

  // From now on `memory` may keep what is known, and is told when it is not true any more. nullptr:
  // nothing may be kept.
  void let_keep(KernelMemory* memory);

  // From now on these are whom the ensemble knows the mount as, besides anybody.
  void use(replication::Identities identities);

  // What went wrong lately.
  views::Journal& journal() { return journal_; }

  // Refers to this file system.
  Insides insides();

  // From now on `takers` says who takes locks, and `on_lock_lost` is told whose lock is lost.
  void use(locks::Takers& takers, std::function<void(const Lock&)> on_lock_lost);

  // Every lock is lost from now on, because the session may be over without our knowing.
  void lose_locks() { locker_.lose_all(); }

  // True while `request` has no answer yet; interrupt lets it answer EINTR.
  bool is_waiting(const void* request) const { return operations_.is_waiting(request); }
  void interrupt(const void* request) { operations_.interrupt(request); }
  // Everything that waits answers EINTR: the mount ends.
  void interrupt_all() { operations_.interrupt_all(); }

  // What a successor of this process needs is written into `ledger` from now on: some of it at
  // once, the rest by write_down, which is to be called before an answer leaves, with the handle
  // that the request was about, or 0.
  void keep_in(continuity::Ledger& ledger);
  void write_down(HandleId handle);
  // Goes on where a predecessor was. To be called before anything is asked of this; settle when the
  // kernel has repeated all requests that the predecessor has left without an answer.
  void resume(const continuity::State& state);
  void settle(const continuity::State& state);
  // `tell` hears of a request by its ticket's number before anything that it changes leaves.
  void before_changes(std::function<void(std::uint64_t)> tell) {
    operations_.before_changes(std::move(tell));
  }
  // Requests that change the ensemble and are not answered.
  std::size_t changes_underway() const { return operations_.changing(); }

  // Names and attributes.
  Detached lookup(Reply<Entry> reply, Place place);
  void forget(InodeNumber number, std::uint64_t lookups) { inodes_.forget(number, lookups); }
  Detached get_attributes(Reply<Attributes> reply, InodeNumber number,
                          std::optional<HandleId> handle);
  Detached set_attributes(Reply<Attributes> reply, InodeNumber number, AttributeChange change,
                          std::optional<HandleId> handle);
  void get_capacity(Reply<Capacity> reply);
  // `mask` as in access(2). The kernel asks where it does not decide by itself
  // (default_permissions).
  void check_access(Reply<Done> reply, InodeNumber number, int mask);

  // Reading.
  Detached open(Reply<Opened> reply, InodeNumber number, int flags);
  // A read that would wait for something to happen fails with EAGAIN if it may not block.
  void read(Reply<Content> reply, HandleId id, std::size_t offset, bool is_nonblocking = false);
  // Answers at once. `when_ready`, if there is one, is called later, when a handle that cannot be
  // read now can be, or never.
  void poll(Reply<Readiness> reply, HandleId id, std::function<void()> when_ready);
  void open_directory(Reply<Opened> reply, InodeNumber number);
  // What is listed behind a place (listed_names.hpp).
  void read_directory(Reply<Listing> reply, HandleId id, std::uint64_t place);
  void release_directory(Reply<Done> reply, HandleId id);

  // Writing. `bytes` is read before write returns.
  Detached create(Reply<Created> reply, Place place, int flags);
  void write(Reply<Written> reply, HandleId id, std::size_t offset, replication::ByteView bytes);
  // `lock_owner` closes a descriptor, and so loses its fcntl lock on the file.
  void flush(Reply<Done> reply, HandleId id, std::uint64_t lock_owner = 0);
  void sync(Reply<Done> reply, HandleId id);
  Detached release(Reply<Done> reply, HandleId id);
  // The process that was to get the handle is gone; nothing was written to it.
  Detached abandon(HandleId id);

  // Locks of whole files. What was written through the handle is committed before its lock goes.
  Detached lock(Reply<Done> reply, LockCall call);
  Detached unlock(Reply<Done> reply, LockCall call);
  Detached test_lock(Reply<LockFound> reply, LockCall call);

  // The tree.
  Detached make_file(Reply<Entry> reply, Place place);
  Detached make_directory(Reply<Entry> reply, Place place);
  Detached remove_file(Reply<Done> reply, Place place);
  Detached remove_directory(Reply<Done> reply, Place place);
  // `flags` as in renameat2(2).
  Detached rename(Reply<Done> reply, Place from, Place to, unsigned flags);

  // Extended attributes.
  Detached get_extended_attribute(Reply<AttributeText> reply, InodeNumber number, std::string name);
  void list_extended_attributes(Reply<AttributeText> reply, InodeNumber number);
  void remove_extended_attribute(Reply<Done> reply, InodeNumber number, const std::string& name);
  // `value` of `user.zk.acl` only.
  Detached set_extended_attribute(Reply<Done> reply, InodeNumber number, std::string name,
                                  std::string value);

 private:
  // A view of a znode, by its real path.
  struct Target {
    std::string path{};
    naming::View view{};
    std::int64_t parameter{};  // as in inodes::Inode
  };

  // The data of a znode as one read of it gave it.
  using Version = replication::protocol::GetDataResponse;
  static inodes::Node node_of(const Version& version);

  // A view of the znode at `path`: the contenders for its lock are the queue's children.
  Target target_of(std::string path, naming::View view, std::int64_t parameter) const;
  // What `place` means; asks the ensemble only for the short form of a long name.
  Task<Outcome<Target>> resolve(Operation& operation, Place place);
  // The same for a name that is to be created or removed: EINVAL if no znode can have it, ENOTSUP
  // and EPERM for views that cannot be.
  Task<Outcome<Target>> resolve_for_change(Operation& operation, Place place,
                                           int errno_of_views = EPERM);
  Task<Outcome<std::string>> find_long_name(Operation& operation, std::string directory,
                                            naming::Name name);

  // The rights to the znode at `path`, if its ACL was asked for since the identities are what they
  // are; valid until the next change of the inode table.
  const inodes::KnownRights* known_rights(const std::string& path) const;
  void remember_rights(const std::string& path, const inodes::KnownRights& rights);
  // True if its Stat has to be asked for, because a change of the ACL could allow more.
  bool is_forbidden_something(const std::string& path) const;
  Task<Outcome<inodes::KnownRights>> ask_rights(Operation& operation, std::string path);
  Outcome<inodes::KnownRights> rights_answered(
      const Outcome<replication::protocol::GetAclResponse>& found) const;
  // look_at, and the rights to what was found.
  struct Looked {
    inodes::Node node{};
    inodes::KnownRights rights{};
  };
  Task<Outcome<Looked>> look_with_rights(Operation& operation, Target target);
  // Fails if the server does not let the mount write the data; known at once where nothing is
  // forbidden.
  Task<Outcome<Done>> check_writing(Operation& operation, InodeNumber number);
  // Fails as setting `acl` would.
  Task<Outcome<Done>> try_acl(Operation& operation, std::string path, replication::Acl acl);
  // Commits what was written through any descriptor of the inode.
  Task<Outcome<Done>> commit_all_of(Operation& operation, InodeNumber number);
  Task<Outcome<Done>> change_mode(Operation& operation, InodeNumber number, mode_t mode);

  // What `place` asks to create, or why it cannot be; nullopt if it is no creating name.
  std::optional<Outcome<CreationPlan>> plan_of(const Place& place);
  Detached create_planned(Reply<Created> reply, CreationPlan plan, int flags);
  Detached make_planned(Reply<Entry> reply, CreationPlan plan, inodes::Kind kind);
  // Makes what is planned; says what to do if the server does not know znodes of that kind.
  Task<Outcome<Born>> give_birth(Operation& operation, CreationPlan plan);

  // The znode at `target` with what is needed to know of its data, as it is known or asked for.
  Task<Outcome<inodes::Node>> look_at(Operation& operation, Target target);
  // The same, asked for.
  Task<Outcome<inodes::Node>> inspect(Operation& operation, Target target);
  // The same, if it is known to be true.
  std::optional<Outcome<inodes::Node>> recall(const Target& target);
  inodes::Node node_of(const std::string& path, const cache::Known& known) const;
  // The same, if it is guarded by a watch, of a znode that is there.
  std::optional<inodes::Node> guarded(const std::string& path);
  // What is answered next about it may be kept by the kernel, which then counts as given.
  bool give_name(const Place& place, const Target& target, bool is_there);
  bool give_attributes(const inodes::Inode& inode);
  void change_listing(InodeNumber number, KernelMemory& memory);
  std::optional<inodes::DataKind> remembered_data_kind(const std::string& path,
                                                       const replication::Stat& stat) const;

  Entry enter(const Target& target, const inodes::Node& node,
              const inodes::KnownRights& rights = {});
  // The same for what this mount has just made, open to everybody.
  Entry enter_new(const Target& target, const inodes::Node& node);
  Task<Outcome<Attributes>> current_attributes(Operation& operation, InodeNumber number,
                                               std::optional<HandleId> handle);
  Attributes attributes_of(const inodes::Inode& inode) const;
  bool changes_owner(const inodes::Inode& inode, const AttributeChange& change) const;

  void resume_handle(HandleId id, const continuity::Opened& opened);
  void write_down_handle(HandleId id, handles::Handle& handle);

  bool is_lost(const handles::Handle& handle) const;
  void lock_is_lost(const Lock& lock);
  // The handle is no longer open: what was held goes.
  Task<Outcome<Done>> put_down(Operation& operation, HandleId id, const handles::Handle& handle);
  handles::DataHandle* find_data(HandleId id);
  inodes::Inode* inode_of(HandleId id);
  // ENFILE if there are too many handles.
  Outcome<Opened> open_handle(handles::Handle handle);

  Detached fetch_and_read(Reply<Content> reply, HandleId id, std::size_t offset);
  Detached fetch_and_list(Reply<Listing> reply, HandleId id, std::uint64_t place);
  std::vector<std::string> shown_names(const std::string& path,
                                       const std::vector<std::string>& children,
                                       bool has_data) const;
  Detached commit_and_answer(Reply<Done> reply, HandleId id);
  Detached flush_and_unlock(Reply<Done> reply, HandleId id, LockKey key);
  Detached write_slowly(Reply<Written> reply, HandleId id, std::size_t offset,
                        replication::Bytes bytes);

  // The data of a znode, as they are known or asked for.
  Task<Outcome<Version>> fetch(Operation& operation, std::string path);
  // Its children, and whether it has data.
  struct Children {
    cache::Names names{};
    bool has_data{};
  };
  Task<Outcome<Children>> list(Operation& operation, std::string path);
  // What is known of the znode, if that says what is listed in it; nullptr otherwise.
  const cache::Known* listing_of(const std::string& path);
  void give_listing(const inodes::Inode& inode, const Children& listed);
  // Fetches the data that the handle shows.
  Task<Outcome<Done>> load(Operation& operation, handles::DataHandle& data, std::string path);
  // The handle for a view that is more than a znode's data.
  Task<Outcome<handles::Handle>> open_view(Operation& operation, InodeNumber number, int flags);
  Task<Outcome<std::string>> text_of_queue(Operation& operation, std::string path);
  Task<Outcome<std::string>> text_of_rows(Operation& operation, std::string directory,
                                          std::vector<locks::QueueRow> rows);
  Task<Outcome<std::string>> text_of_view(Operation& operation, Target target);
  // Lets the conversation begin anew, with the value as it is now.
  Task<Outcome<Done>> begin_conversation(Operation& operation, handles::Handle& handle);
  Detached read_conversation(Reply<Content> reply, HandleId id);
  Detached write_conversation(Reply<Written> reply, HandleId id, replication::Bytes bytes);
  // Views that wait.
  Task<Outcome<handles::Handle>> open_wait(Operation& operation, InodeNumber number);
  Detached wait_for_change(std::shared_ptr<handles::Feed> feed, std::string path, naming::View view,
                           std::int64_t after);
  Task<Outcome<replication::Stat>> look_with_watch(Operation& operation, std::string path,
                                                   bool with_children);
  Detached read_feed(Reply<Content> reply, HandleId id, bool is_nonblocking);

  // The ACL of a znode, as a text that is written.
  Task<Outcome<handles::Handle>> open_acl(Operation& operation, InodeNumber number, int flags);
  Task<Outcome<std::int32_t>> load_acl(Operation& operation, handles::DataHandle& data,
                                       std::string path);
  Task<Outcome<Done>> commit_acl(Operation& operation, handles::Handle& handle);
  Task<Outcome<Done>> take_acl_text(Operation& operation, handles::Handle& handle,
                                    std::size_t offset, replication::Bytes bytes);
  Task<Outcome<Done>> append_acl(Operation& operation, handles::Handle& handle,
                                 replication::Bytes bytes);
  Task<Outcome<std::int32_t>> set_acl(Operation& operation, std::string path, std::string text,
                                      std::int32_t version);
  Detached write_acl(Reply<Written> reply, HandleId id, std::size_t offset,
                     replication::Bytes bytes);

  // The directory about the mount.
  static Outcome<Target> mount_file(const std::string& name);
  static std::vector<std::string> names_of_mount_files();
  static bool takes_transactions(const inodes::Inode& inode);
  std::string text_of_mount_file(std::int64_t parameter) const;
  Outcome<handles::Handle> open_mount_file(const inodes::Inode& inode, bool writes) const;

  // Transactions that are written as lines.
  Outcome<Done> check_transaction_line(const std::string& line);
  Detached write_transaction(Reply<Written> reply, HandleId id, std::string text);
  Task<Outcome<Done>> take_transaction_line(Operation& operation, handles::Handle& handle,
                                            std::string line);
  // A trial answers what the lines so far would be answered, and changes nothing.
  enum class Sending { trial, earnest };
  Task<Outcome<Done>> send_transaction(Operation& operation, handles::Handle& handle,
                                       Sending sending);
  Task<Outcome<Done>> end_transaction(Operation& operation, handles::Handle& handle);
  Detached end_transaction_and_answer(Reply<Done> reply, HandleId id);

  // What open(2) does with the data of a handle that is about to be opened.
  Task<Outcome<Done>> prepare_opened(Operation& operation, handles::Handle& handle, int flags);
  // Fetches what a change of the handle's content is based on; fails if no connection can be had.
  Task<Outcome<Done>> prepare_change(Operation& operation, handles::Handle& handle);
  // Reads the znode behind a write of it that has been sent. `asked` is the question, as long as it
  // has no answer.
  Detached read_behind(std::shared_ptr<Question*> asked, std::string path);
  // Sends the whole value of the handle.
  Task<Outcome<Done>> commit(Operation& operation, handles::Handle& handle);
  Task<Outcome<Done>> commit_last_truncation(Operation& operation, HandleId id);
  Task<Outcome<std::int32_t>> newest_version(Operation& operation, inodes::InodeNumber number);
  Task<Outcome<Done>> append(Operation& operation, handles::Handle& handle,
                             replication::Bytes bytes);
  Task<Outcome<replication::Stat>> set_data(Operation& operation, InodeNumber number,
                                            replication::Bytes bytes, std::int32_t version);
  // The same of a znode that is perhaps shown as a directory only because it has null data.
  Task<Outcome<replication::Stat>> set_data_of_directory(Operation& operation, InodeNumber number,
                                                         replication::Bytes bytes,
                                                         std::int32_t version);
  Task<Outcome<Done>> truncate(Operation& operation, InodeNumber number, std::size_t size,
                               std::optional<HandleId> handle);
  Task<Outcome<Done>> truncate_znode(Operation& operation, InodeNumber number, std::size_t size);
  // Writes the data again as it is.
  Task<Outcome<Done>> touch(Operation& operation, InodeNumber number);

  Task<Outcome<inodes::Node>> create_znode(Operation& operation, std::string path,
                                           replication::Data data);
  Task<Outcome<inodes::Node>> create_file(Operation& operation, Target target);
  // Sets data where there is none, without turning a directory into a file.
  Task<Outcome<inodes::Node>> give_data(Operation& operation, std::string path,
                                        replication::Bytes bytes, std::int32_t version);
  Task<Outcome<Done>> clear_data(Operation& operation, std::string path);
  Task<Outcome<Done>> remove_empty_znode(Operation& operation, std::string path);
  // False if it is to be tried again, because somebody else changed one of the two meanwhile.
  Task<Outcome<bool>> move_znode(Operation& operation, Target from, Target to, unsigned flags);

  cache::Coherence ensemble_;
  inodes::Appearance appearance_;
  replication::Identities identities_{};
  std::uint64_t identities_generation_{1};
  std::unordered_map<std::string, inodes::KnownRights> rights_seen_{};  // of these identities
  views::Journal journal_{};
  std::string last_result_{};  // of a transaction
  OperationTable operations_{};
  Creator creator_{ensemble_, operations_};
  Streams streams_{ensemble_, operations_};
  locks::Takers* takers_{};
  std::function<void(const Lock&)> on_lock_lost_{};
  Locker locker_{ensemble_, operations_, creator_,
                 [this](const Lock& lock) { lock_is_lost(lock); }};
  inodes::InodeTable inodes_{};
  handles::HandleTable handles_{};
  continuity::Ledger* ledger_{};
  std::int64_t written_zxid_{};
};

}  // namespace zabfs::fusefs
