// The views of a znode that are more than its data:
//
//   view     read                                      written
//   -------  ---------------------------------------- ---------------------------------------------
//   @stat    every field of the Stat                   -
//   @acl     the ACL                                   the ACL (filesystem_acl.cpp)
//   @sync    the data, behind a sync                   -
//   @queue   who holds and who waits                   -
//   @v=7     the data, if their version is 7           the data, if their version is 7
//   @cas     the data; begins a conversation           the data, if they are still those that were
//                                                      read
//
// Of the last two every write is committed before it is answered, because a shell looks at the
// error of a write and not at that of a close. A commit makes a new version, which the next write
// of the same descriptor replaces.
#include <cerrno>
#include <optional>
#include <utility>
#include <variant>

#include "fusefs/filesystem.hpp"
#include "fusefs/inodes/acl_text.hpp"
#include "fusefs/inodes/stat_text.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::fusefs {

using handles::ConversationHandle;
using handles::DataHandle;
using handles::Handle;
using handles::TextHandle;
using inodes::Inode;
using naming::View;
using replication::Bytes;
using replication::ErrorCode;
using replication::limits::value_bytes_max;
using replication::protocol::ExistsRequest;
using replication::protocol::GetAclRequest;
using replication::protocol::GetAclResponse;
using replication::protocol::GetDataRequest;
using replication::protocol::PathResponse;
using replication::protocol::StatResponse;
using replication::protocol::SyncRequest;

Task<Outcome<std::string>> Filesystem::text_of_view(Operation& operation, Target target) {
  if (target.view == View::acl) {
    Ask<GetAclResponse> question(ensemble_, operation, GetAclRequest{.path = target.path});
    const auto found = co_await question;
    co_return found ? Outcome<std::string>(inodes::acl_text(found->acl)) : found.error();
  }
  if (target.view == View::queue) {
    co_return co_await text_of_queue(operation, std::move(target.path));
  }
  if (target.view == View::sync) {
    // The data are asked for behind the sync, on the same connection, so they are as new.
    Ask<PathResponse> sync(ensemble_, operation, SyncRequest{.path = target.path});
    Ask<Version> data(ensemble_, operation, GetDataRequest{.path = target.path});
    const auto reached = co_await sync;
    if (!reached) {
      co_return reached.error();
    }
    const auto version = co_await data;
    if (!version) {
      co_return version.error();
    }
    co_return std::string(version->data ? replication::text_of(*version->data) : "");
  }
  Ask<StatResponse> question(ensemble_, operation, ExistsRequest{.path = target.path});
  const auto found = co_await question;
  co_return found ? Outcome<std::string>(inodes::stat_text(found->stat)) : found.error();
}

Task<Outcome<Handle>> Filesystem::open_view(Operation& operation, InodeNumber number, int flags) {
  const Inode* inode = inodes_.find(number);
  DataHandle::Mode mode = handles::mode_of(flags);
  if (inode->view == View::mount) {
    co_return open_mount_file(*inode, mode.writes);
  }
  if (inode->view == View::version) {
    mode.is_written_through = mode.writes;
    if (mode.writes) {
      const auto allowed = co_await check_writing(operation, number);
      if (!allowed) {
        co_return allowed.error();
      }
    }
    Handle handle{.inode = number,
                  .body = DataHandle(mode),
                  .condition = static_cast<std::int32_t>(inode->parameter)};
    const auto prepared = co_await prepare_opened(operation, handle, flags);
    co_return prepared ? Outcome<Handle>(std::move(handle)) : prepared.error();
  }
  if (inode->view == View::cas) {
    Handle handle{.inode = number, .body = ConversationHandle{}};
    const auto begun = co_await begin_conversation(operation, handle);
    std::get<ConversationHandle>(handle.body).has_begun = false;
    co_return begun ? Outcome<Handle>(std::move(handle)) : begun.error();
  }
  if (mode.writes && inode->view == View::acl) {
    auto opened = co_await open_acl(operation, number, flags);
    co_return opened;
  }
  if (mode.writes) {
    co_return Failure::of(EACCES);
  }
  if (is_waiting_view(inode->view)) {
    co_return co_await open_wait(operation, number);
  }
  const Target target{inode->path, inode->view};
  auto text = co_await text_of_view(operation, target);
  if (!text) {
    co_return text.error();
  }
  co_return Handle{.inode = number, .body = TextHandle{std::move(*text)}};
}

Task<Outcome<Done>> Filesystem::begin_conversation(Operation& operation, Handle& handle) {
  Ask<Version> question(ensemble_, operation,
                        GetDataRequest{.path = inodes_.find(handle.inode)->path});
  auto version = co_await question;
  if (!version) {
    co_return version.error();
  }
  auto& conversation = std::get<ConversationHandle>(handle.body);
  conversation = {.unread = version->data ? std::move(*version->data) : Bytes{},
                  .version = version->stat.version,
                  .has_begun = true};
  co_return Done{};
}

Detached Filesystem::read_conversation(Reply<Content> reply, HandleId id) {
  Operation operation(operations_, reply.ticket());
  Handle& handle = *handles_.find(id);
  auto& conversation = std::get<ConversationHandle>(handle.body);
  if (!conversation.has_begun || conversation.is_writing) {
    const auto begun = co_await begin_conversation(operation, handle);
    if (!begun) {
      co_return std::move(reply).refuse(begun.error());
    }
  }
  Bytes& unread = conversation.unread;
  const std::size_t size = std::min(unread.size(), reply.ticket().room);
  const Bytes read(unread.begin(), unread.begin() + static_cast<std::ptrdiff_t>(size));
  unread.erase(unread.begin(), unread.begin() + static_cast<std::ptrdiff_t>(size));
  std::move(reply).with(Content{read});
}

Detached Filesystem::write_conversation(Reply<Written> reply, HandleId id, Bytes bytes) {
  Operation operation(operations_, reply.ticket());
  Handle& handle = *handles_.find(id);
  auto& conversation = std::get<ConversationHandle>(handle.body);
  conversation.is_writing = true;
  if (bytes.size() > value_bytes_max - conversation.written.size()) {
    co_return std::move(reply).error(EFBIG);
  }
  // What is known is never older than what was read through this mount. So where many try, those
  // who come too late do not keep the ensemble from the others.
  const cache::Known* known = ensemble_.find(inodes_.find(handle.inode)->path);
  if (known != nullptr && known->presence == cache::Presence::present &&
      known->stat.version != conversation.version) {
    co_return std::move(reply).refuse(Failure::of(ErrorCode::bad_version));
  }
  Bytes value = conversation.written;
  value.insert(value.end(), bytes.begin(), bytes.end());
  Bytes sent = value;
  const auto written =
      co_await set_data(operation, handle.inode, std::move(sent), conversation.version);
  if (!written) {
    co_return std::move(reply).refuse(written.error());
  }
  conversation.written = std::move(value);
  conversation.version = written->version;
  std::move(reply).with(Written{bytes.size()});
}

}  // namespace zabfs::fusefs
