// Opening and reading files and directories.
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <variant>

#include "fusefs/filesystem.hpp"
#include "replication/model/path.hpp"

namespace zabfs::fusefs {

using cache::Presence;
using handles::BirthHandle;
using handles::ConversationHandle;
using handles::DataHandle;
using handles::DirectoryHandle;
using handles::FeedHandle;
using handles::Handle;
using handles::ListedNames;
using handles::TextHandle;
using handles::TransactionHandle;
using inodes::Inode;
using naming::View;
using replication::Bytes;
using replication::ByteView;
using replication::ErrorCode;
using replication::protocol::ExistsRequest;
using replication::protocol::GetChildren2Request;
using replication::protocol::GetChildren2Response;
using replication::protocol::GetDataRequest;
using replication::protocol::StatResponse;

namespace {

// The part of `text` that a read at `offset` gets.
ByteView part_of(const std::string& text, std::size_t offset, std::size_t size) {
  const ByteView bytes = replication::bytes_of(text);
  const std::size_t begin = std::min(offset, bytes.size());
  return bytes.subspan(begin, std::min(size, bytes.size() - begin));
}

Listing part_of(const ListedNames& names, std::uint64_t place) {
  const auto part = names.behind(place);
  return {.names = part.names, .places = part.places};
}

}  // namespace

DataHandle* Filesystem::find_data(HandleId id) {
  Handle* handle = handles_.find(id);
  return handle == nullptr ? nullptr : handles::data_of(*handle);
}

// The session that made the znode is over, and with it everything that was held through it; or a
// lock is.
bool Filesystem::is_lost(const Handle& handle) const {
  const auto& client = ensemble_.client();
  return handle.is_lock_lost ||
         (handle.owner != 0 && (client.session().value != handle.owner ||
                                client.state() == client::SessionState::expired));
}

Inode* Filesystem::inode_of(HandleId id) {
  const Handle* handle = handles_.find(id);
  return handle == nullptr ? nullptr : inodes_.find(handle->inode);
}

Outcome<Opened> Filesystem::open_handle(Handle handle) {
  const bool writes = handles::writes(handle);
  const bool is_stream = std::holds_alternative<BirthHandle>(handle.body) ||
                         std::holds_alternative<ConversationHandle>(handle.body) ||
                         std::holds_alternative<FeedHandle>(handle.body) ||
                         std::holds_alternative<TransactionHandle>(handle.body);
  Inode* inode = inodes_.find(handle.inode);
  const HandleId id = inode == nullptr ? 0 : handles_.open(std::move(handle));
  if (id == 0) {
    return Failure::of(inode == nullptr ? ESTALE : ENFILE);
  }
  inodes_.open(*inode);
  if (writes) {
    ++inode->writers;
    ensemble_.kernel().attributes_change(inode->path);
  }
  return Opened{.handle = id, .flush_is_needless = !writes, .is_stream = is_stream};
}

Detached Filesystem::open(Reply<Opened> reply, InodeNumber number, int flags) {
  Operation operation(operations_, reply.ticket());
  const Inode* inode = inodes_.find(number);
  if (inode == nullptr) {
    co_return std::move(reply).error(ESTALE);
  }
  if (inode->view != View::plain && inode->view != View::data) {
    auto opened = co_await open_view(operation, number, flags);
    co_return std::move(reply).with_outcome(opened ? open_handle(std::move(*opened))
                                                   : opened.error());
  }
  Handle handle{.inode = number, .body = DataHandle(handles::mode_of(flags))};
  if (handles::mode_of(flags).writes) {
    const auto allowed = co_await check_writing(operation, number);
    if (!allowed) {
      co_return std::move(reply).refuse(allowed.error());
    }
  }
  const auto prepared = co_await prepare_opened(operation, handle, flags);
  std::move(reply).with_outcome(prepared ? open_handle(std::move(handle)) : prepared.error());
}

Task<Outcome<Done>> Filesystem::prepare_opened(Operation& operation, Handle& handle, int flags) {
  auto& data = *handles::data_of(handle);
  const bool truncates = (flags & O_TRUNC) != 0;
  if (handle.condition && (truncates || !data.mode().reads)) {
    // A shell sees the failure of an open; it may not see that of a close.
    Ask<StatResponse> question(ensemble_, operation,
                               ExistsRequest{.path = inodes_.find(handle.inode)->path});
    const auto found = co_await question;
    if (!found || found->stat.version != *handle.condition) {
      co_return found ? Failure::of(ErrorCode::bad_version) : found.error();
    }
  } else if (truncates && data.mode().appends) {
    co_return co_await truncate_znode(operation, handle.inode, 0);
  }
  if (truncates) {
    data.truncate(0);
  } else if (data.mode().reads) {
    const auto loaded = co_await load(operation, data, inodes_.find(handle.inode)->path);
    co_return loaded && !handles::is_met(handle) ? Failure::of(ErrorCode::bad_version) : loaded;
  }
  co_return Done{};
}

Task<Outcome<Filesystem::Version>> Filesystem::fetch(Operation& operation, std::string path) {
  const cache::Known* known = ensemble_.find(path);
  if (known != nullptr && known->presence == Presence::present && known->value) {
    co_return Version{.data = *known->value, .stat = known->stat};
  }
  const bool watch = ensemble_.is_worth_a_watch(path);
  Ask<Version> question(ensemble_, operation,
                        GetDataRequest{.path = std::move(path), .watch = watch});
  auto version = co_await question;
  co_return version;
}

Task<Outcome<Filesystem::Children>> Filesystem::list(Operation& operation, std::string path) {
  const cache::Known* known = ensemble_.find(path);
  const bool watch = ensemble_.is_worth_a_watch(path);
  if (known == nullptr || known->children == nullptr) {
    Ask<GetChildren2Response> question(
        ensemble_, operation, GetChildren2Request{.path = std::move(path), .watch = watch});
    auto found = co_await question;
    if (!found) {
      co_return found.error();
    }
    co_return Children{
        .names = std::make_shared<const std::vector<std::string>>(std::move(found->children)),
        .has_data = found->stat.data_length > 0};
  }
  Children children{.names = known->children, .has_data = known->stat.data_length > 0};
  if (known->presence != Presence::present) {
    Ask<StatResponse> question(ensemble_, operation,
                               ExistsRequest{.path = std::move(path), .watch = watch});
    const auto found = co_await question;
    if (!found) {
      co_return found.error();
    }
    children.has_data = found->stat.data_length > 0;
  }
  co_return children;
}

Task<Outcome<Done>> Filesystem::load(Operation& operation, DataHandle& data, std::string path) {
  auto version = co_await fetch(operation, std::move(path));
  if (!version) {
    co_return version.error();
  }
  data.load(version->data ? std::move(*version->data) : Bytes{}, version->stat);
  co_return Done{};
}

void Filesystem::read(Reply<Content> reply, HandleId id, std::size_t offset, bool is_nonblocking) {
  Handle* handle = handles_.find(id);
  const Inode* inode = inode_of(id);
  if (handle == nullptr || inode == nullptr) {
    std::move(reply).error(EBADF);
    return;
  }
  const std::size_t room = reply.ticket().room;
  if (is_lost(*handle)) {
    std::move(reply).error(ENOLINK);
  } else if (std::holds_alternative<ConversationHandle>(handle->body)) {
    read_conversation(std::move(reply), id);
  } else if (std::holds_alternative<FeedHandle>(handle->body)) {
    read_feed(std::move(reply), id, is_nonblocking);
  } else if (auto* birth = std::get_if<BirthHandle>(&handle->body)) {
    const std::string told = birth->unread_name.substr(0, room);
    birth->unread_name.erase(0, told.size());
    std::move(reply).with(Content{replication::bytes_of(told)});
  } else if (auto* transaction = std::get_if<TransactionHandle>(&handle->body)) {
    const std::string told = transaction->unread.substr(0, room);
    transaction->unread.erase(0, told.size());
    std::move(reply).with(Content{replication::bytes_of(told)});
  } else if (const auto* text = std::get_if<TextHandle>(&handle->body)) {
    std::move(reply).with(Content{part_of(text->text, offset, room)});
  } else if (auto* acl = std::get_if<handles::AclHandle>(&handle->body)) {
    std::move(reply).with(Content{acl->data.read(offset, room)});
  } else if (auto* data = std::get_if<DataHandle>(&handle->body); data == nullptr) {
    std::move(reply).error(EISDIR);
  } else if (!inode->is_removed && data->is_stale_for_read(offset, inode->node.stat.mzxid)) {
    fetch_and_read(std::move(reply), id, offset);
  } else {
    std::move(reply).with(Content{data->read(offset, room)});
  }
}

Detached Filesystem::fetch_and_read(Reply<Content> reply, HandleId id, std::size_t offset) {
  Operation operation(operations_, reply.ticket());
  Inode* inode = inode_of(id);
  ensemble_.used(inode->path);
  auto version = co_await fetch(operation, inode->path);
  DataHandle& data = *find_data(id);
  const bool is_gone = version ? version->stat.czxid != inode->node.stat.czxid
                               : version.error().code == ErrorCode::no_node;
  if (!version && !(is_gone && data.has_version())) {
    co_return std::move(reply).refuse(version.error());
  }
  // Of a znode that is gone, the handle keeps the version it has.
  if (version && !(is_gone && data.has_version())) {
    inode->node = node_of(*version);
    data.load(version->data ? std::move(*version->data) : Bytes{}, version->stat);
  }
  if (!handles::is_met(*handles_.find(id))) {
    co_return std::move(reply).refuse(Failure::of(ErrorCode::bad_version));
  }
  const std::size_t room = reply.ticket().room;
  std::move(reply).with(Content{data.read(offset, room)});
}

void Filesystem::open_directory(Reply<Opened> reply, InodeNumber number) {
  DirectoryHandle directory;
  const Inode* inode = inodes_.find(number);
  auto& kernel = ensemble_.kernel();
  const bool may_keep = inode != nullptr && inode->view == View::plain && !inode->is_detached &&
                        kernel.may_give_listing();
  const cache::Known* known = may_keep ? listing_of(inode->path) : nullptr;
  const bool is_kept = known != nullptr && kernel.has_listing(inode->path, number);
  if (is_kept) {
    directory.kept = known->children;
    directory.kept_has_data = known->stat.data_length > 0;
  }
  directory.may_be_kept = known != nullptr;
  auto opened = open_handle({.inode = number, .body = std::move(directory)});
  if (opened) {
    opened->may_keep_listing = known != nullptr;
    opened->listing_is_kept = is_kept;
  }
  std::move(reply).with_outcome(opened);
}

const cache::Known* Filesystem::listing_of(const std::string& path) {
  const cache::Known* known = ensemble_.find(path);
  return known != nullptr && known->children != nullptr && known->presence == Presence::present
             ? known
             : nullptr;
}

void Filesystem::read_directory(Reply<Listing> reply, HandleId id, std::uint64_t place) {
  Handle* handle = handles_.find(id);
  auto* listing = handle == nullptr ? nullptr : std::get_if<DirectoryHandle>(&handle->body);
  if (listing == nullptr) {
    return std::move(reply).error(EBADF);
  }
  if (place != 0 && listing->names.empty() && listing->kept) {
    listing->names =
        ListedNames(shown_names(inode_of(id)->path, *listing->kept, listing->kept_has_data));
  }
  if (place == 0 || listing->names.empty()) {
    // The beginning, or what lies behind one that the kernel had from somebody else.
    fetch_and_list(std::move(reply), id, place);
  } else {
    std::move(reply).with(part_of(listing->names, place));
  }
}

Detached Filesystem::fetch_and_list(Reply<Listing> reply, HandleId id, std::uint64_t place) {
  Operation operation(operations_, reply.ticket());
  const Inode* inode = inode_of(id);
  Handle& handle = *handles_.find(id);
  auto& listed = std::get<DirectoryHandle>(handle.body);
  if (inode->view == View::mount) {
    listed.names = ListedNames(names_of_mount_files());
    handle.is_listed_anew = true;
    co_return std::move(reply).with(part_of(listed.names, place));
  }
  ensemble_.used(inode->path);
  const auto found = co_await list(operation, inode->path);
  if (!found) {
    co_return std::move(reply).refuse(found.error());
  }
  listed.names = ListedNames(shown_names(inode->path, *found->names, found->has_data));
  handle.is_listed_anew = true;
  if (listed.may_be_kept) {
    give_listing(*inode, *found);
  }
  std::move(reply).with(part_of(listed.names, place));
}

void Filesystem::give_listing(const Inode& inode, const Children& listed) {
  auto& kernel = ensemble_.kernel();
  kernel.gave_listing(inode.path, inode.number);
  const cache::Known* known = listing_of(inode.path);
  const bool is_guarded = known != nullptr && !inode.is_detached &&
                          (known->stat.data_length > 0) == listed.has_data &&
                          *known->children == *listed.names;
  if (!is_guarded) {
    // The kernel keeps it all the same, and is told at once that it is old.
    kernel.children_changed(inode.path);
  }
}

std::vector<std::string> Filesystem::shown_names(const std::string& path,
                                                 const std::vector<std::string>& children,
                                                 bool has_data) const {
  std::vector<std::string> names{".", ".."};
  const bool is_mount_root = path == "/";
  const bool is_top = is_mount_root && ensemble_.client().chroot().empty();
  for (const auto& child : children) {
    if (is_top && child == replication::name_of_path(locks::top_directory)) {
      continue;  // A copy of the tree is none of its locks.
    }
    names.push_back(naming::shown(child, is_mount_root));
  }
  if (has_data) {
    names.emplace_back("@data");
  }
  return names;
}

Detached Filesystem::abandon(HandleId id) {
  const auto handle = handles_.release(id);
  if (handle == nullptr) {
    co_return;
  }
  Operation operation(operations_, {.request = handle.get()});
  static_cast<void>(co_await put_down(operation, id, *handle));
}

Task<Outcome<Done>> Filesystem::put_down(Operation& operation, HandleId id, const Handle& handle) {
  Outcome<Done> done = Done{};
  operation.change_unseen();
  for (const LockKey& key : locker_.locks_of(id, handle.inode)) {
    static_cast<void>(co_await locker_.give_back(operation, key));
  }
  if (const auto* waits = std::get_if<FeedHandle>(&handle.body)) {
    operations_.interrupt(waits->feed.get());
  }
  const Inode* inode = inodes_.find(handle.inode);
  if (handle.is_held && !is_lost(handle) && !inode->is_removed) {
    done = co_await creator_.let_go(operation, inode->path, inode->node.stat.czxid);
  }
  inodes_.find(handle.inode)->writers -= handles::writes(handle) ? 1U : 0U;
  inodes_.close(handle.inode);
  co_return done;
}

void Filesystem::release_directory(Reply<Done> reply, HandleId id) {
  abandon(id);
  std::move(reply).with(Done{});
}

}  // namespace zabfs::fusefs
