// What a successor of this process needs of inodes and open files, and how it goes on with them.
//
//   what                    | written down
//   ------------------------|---------------------------------------------------------------------
//   inodes                  | before the answer that tells of them
//   open files              | before the answer of a request that was about them, if they changed
//   what is written to them | likewise, as far as it is new
//   session, held, locks    | when they change
//
// Content is told apart from the rest of a handle, because it is large and changes in places.
#include <xxhash.h>

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

#include "fusefs/filesystem.hpp"

namespace zabfs::fusefs {

using continuity::HandleOpen;
using handles::AclHandle;
using handles::BirthHandle;
using handles::ConversationHandle;
using handles::DataHandle;
using handles::DirectoryHandle;
using handles::Feed;
using handles::FeedHandle;
using handles::Handle;
using handles::TextHandle;
using handles::TransactionHandle;
using inodes::Inode;
using naming::View;
using replication::Bytes;

namespace {

// The bit of each flag is its place in the row.
template <class... Flags>
std::uint32_t bits_of(Flags... flags) {
  std::uint32_t bits = 0;
  std::uint32_t bit = 1;
  ((bits |= flags ? bit : 0, bit <<= 1), ...);
  return bits;
}

template <class... Flags>
void take_bits(std::uint32_t bits, Flags&... flags) {
  ((flags = (bits & 1) != 0, bits >>= 1), ...);
}

Bytes bytes_of(const std::string& text) {
  const auto view = replication::bytes_of(text);
  return {view.begin(), view.end()};
}

std::string text_of(const Bytes& bytes) { return std::string(replication::text_of(bytes)); }

void describe_data(const DataHandle& data, HandleOpen& entry) {
  const auto& mode = data.mode();
  entry.mode = bits_of(mode.reads, mode.writes, mode.appends, mode.is_written_through);
  const auto at = data.position();
  entry.mzxid = at.mzxid;
  entry.version = at.version;
  entry.flags = bits_of(at.has_version, at.was_read, at.end_was_read, at.is_owned, at.is_written,
                        at.is_truncated);
}

DataHandle data_in(const continuity::Opened& opened) {
  const HandleOpen& entry = opened.handle;
  DataHandle::Mode mode;
  take_bits(entry.mode, mode.reads, mode.writes, mode.appends, mode.is_written_through);
  DataHandle::Position at{.mzxid = entry.mzxid, .version = entry.version};
  take_bits(entry.flags, at.has_version, at.was_read, at.end_was_read, at.is_owned, at.is_written,
            at.is_truncated);
  DataHandle data(mode);
  data.restore(at, opened.content);
  // Whether it was committed, nobody knows, and it is not repeated; but for a truncation of one
  // version, which happens once however often it is tried.
  const bool can_be_repeated = entry.has_condition && at.is_truncated && !at.is_written;
  if (opened.has_begun_change && !can_be_repeated) {
    data.mark_committed();
  }
  return data;
}

// What of each kind of handle is written into its entry.
struct Describing {
  HandleOpen& entry;

  void operator()(const DataHandle& data) const { describe_data(data, entry); }
  void operator()(const TextHandle& text) const { entry.text = bytes_of(text.text); }
  void operator()(const DirectoryHandle& listing) const {
    entry.names = listing.names.names();
    entry.flags = bits_of(listing.may_be_kept);
  }
  void operator()(const BirthHandle& birth) const {
    entry.text = bytes_of(birth.unread_name);
    describe_data(birth.data, entry);
  }
  void operator()(const ConversationHandle& conversation) const {
    entry.text = conversation.unread;
    entry.rest = conversation.written;
    entry.version = conversation.version;
    entry.flags = bits_of(conversation.has_begun, conversation.is_writing);
  }
  void operator()(const FeedHandle& waits) const {
    entry.progress = waits.feed->progress();
    entry.flags = bits_of(waits.feed->has_ended());
    entry.version = waits.feed->error();
  }
  void operator()(const AclHandle& acl) const {
    describe_data(acl.data, entry);
    if (acl.version) {
      entry.progress = {*acl.version};
    }
  }
  void operator()(const TransactionHandle& transaction) const {
    entry.names = transaction.lines;
    entry.rest = bytes_of(transaction.unfinished);
    entry.text = bytes_of(transaction.unread);
    entry.flags = bits_of(transaction.waits_for_commit);
    entry.progress = {static_cast<std::int64_t>(transaction.bytes)};
  }
};

// And read from it, except for FeedHandle.
struct Restoring {
  const continuity::Opened& opened;

  void operator()(DataHandle& data) const { data = data_in(opened); }
  void operator()(TextHandle& text) const { text.text = text_of(opened.handle.text); }
  void operator()(DirectoryHandle& listing) const {
    listing.names = handles::ListedNames(opened.handle.names);
    take_bits(opened.handle.flags, listing.may_be_kept);
  }
  void operator()(BirthHandle& birth) const {
    birth.unread_name = text_of(opened.handle.text);
    birth.data = data_in(opened);
  }
  void operator()(ConversationHandle& conversation) const {
    conversation.unread = opened.handle.text;
    conversation.written = opened.handle.rest;
    conversation.version = opened.handle.version;
    take_bits(opened.handle.flags, conversation.has_begun, conversation.is_writing);
  }
  void operator()(FeedHandle& waits) const {
    waits.feed = std::make_shared<Feed>();
    waits.feed->restore(text_of(opened.content));
    waits.feed->note_progress(opened.handle.progress);
  }
  void operator()(AclHandle& acl) const {
    acl.data = data_in(opened);
    if (!opened.handle.progress.empty()) {
      acl.version = static_cast<std::int32_t>(opened.handle.progress.front());
    }
  }
  void operator()(TransactionHandle& transaction) const {
    transaction.unread = text_of(opened.handle.text);
    if (opened.has_begun_change) {
      return;  // Whether it happened, nobody knows; it is not sent again.
    }
    transaction.lines = opened.handle.names;
    transaction.unfinished = text_of(opened.handle.rest);
    take_bits(opened.handle.flags, transaction.waits_for_commit);
    if (!opened.handle.progress.empty()) {
      transaction.bytes = static_cast<std::size_t>(opened.handle.progress.front());
    }
  }
};

// An empty handle of the kind that has this number; nullopt if there is none.
std::optional<decltype(Handle::body)> body_of_kind(std::uint32_t kind) {
  const DataHandle none(DataHandle::Mode{});
  std::array<decltype(Handle::body), std::variant_size_v<decltype(Handle::body)>> bodies{
      none,
      TextHandle{},
      DirectoryHandle{},
      BirthHandle{.data = none},
      ConversationHandle{},
      FeedHandle{},
      AclHandle{.data = none},
      TransactionHandle{}};
  if (kind >= bodies.size()) {
    return std::nullopt;
  }
  return std::move(bodies[kind]);
}

continuity::InodeKnown entry_of(const Inode& inode) {
  return {.number = inode.number,
          .generation = inode.generation,
          .path = inode.path,
          .view = static_cast<std::uint32_t>(inode.view),
          .parameter = inode.parameter,
          .is_directory = inode.kind == inodes::Kind::directory,
          .stat = inode.node.stat,
          .data_kind = static_cast<std::uint32_t>(inode.node.data),
          .text_size = inode.node.text_size,
          .lookups = inode.lookups,
          .is_writable = inode.is_writable,
          .is_detached = inode.is_detached,
          .is_removed = inode.is_removed};
}

Inode inode_in(const continuity::InodeKnown& entry) {
  return {.number = entry.number,
          .generation = entry.generation,
          .path = entry.path,
          .view = static_cast<View>(entry.view),
          .parameter = entry.parameter,
          .kind = entry.is_directory ? inodes::Kind::directory : inodes::Kind::file,
          .node = {.stat = entry.stat,
                   .data = static_cast<inodes::DataKind>(entry.data_kind),
                   .text_size = entry.text_size},
          .lookups = entry.lookups,
          .is_writable = entry.is_writable,
          .is_detached = entry.is_detached,
          .is_removed = entry.is_removed};
}

void write_content(continuity::Ledger& ledger, HandleId id, DataHandle& data) {
  const auto change = data.take_content_change();
  if (change.is_whole) {
    ledger.add(continuity::ContentWhole{.handle = id, .content = data.content()});
    return;
  }
  for (const auto& [offset, size] : change.written) {
    const auto begin = data.content().begin() + static_cast<std::ptrdiff_t>(offset);
    ledger.add(continuity::ContentWritten{
        .handle = id,
        .offset = offset,
        .bytes = Bytes(begin, begin + static_cast<std::ptrdiff_t>(size))});
  }
}

void write_content(continuity::Ledger& ledger, HandleId id, const Feed& feed,
                   Handle::Saved& saved) {
  const std::string& unread = feed.unread();
  const std::uint64_t fed = feed.bytes_fed() - saved.fed;
  const std::uint64_t taken = feed.bytes_taken() - saved.taken;
  const std::uint64_t before = unread.size() + taken - fed;  // that were unread when it was saved
  if (taken > before) {
    ledger.add(continuity::ContentWhole{.handle = id, .content = bytes_of(unread)});
  } else {
    if (taken > 0) {
      ledger.add(continuity::ContentTaken{.handle = id, .bytes = taken});
    }
    if (fed > 0) {
      ledger.add(continuity::ContentWritten{.handle = id,
                                            .offset = before - taken,
                                            .bytes = bytes_of(unread.substr(before - taken))});
    }
  }
  saved.fed = feed.bytes_fed();
  saved.taken = feed.bytes_taken();
}

}  // namespace

void Filesystem::keep_in(continuity::Ledger& ledger) {
  ledger_ = &ledger;
  inodes_.keep_changes();
  handles_.keep_changes();
  creator_.keep_in(ledger);
  locker_.keep_in(ledger);
}

void Filesystem::write_down(HandleId handle) {
  for (const auto number : inodes_.take_changes()) {
    Inode* inode = inodes_.find(number);
    if (inode == nullptr) {
      ledger_->add(continuity::InodeGone{number});
    } else if (std::exchange(inode->change, Inode::Change::none) == Inode::Change::lookups) {
      ledger_->add(continuity::InodeLookups{.number = number, .lookups = inode->lookups});
    } else {
      ledger_->add(entry_of(*inode));
    }
  }
  auto touched = handles_.take_changes();
  if (handle != 0 && std::ranges::find(touched, handle) == touched.end()) {
    touched.push_back(handle);
  }
  for (const HandleId id : touched) {
    Handle* known = handles_.peek(id);
    if (known == nullptr) {
      ledger_->add(continuity::HandleGone{id});
    } else {
      write_down_handle(id, *known);
    }
  }
  const std::int64_t zxid = ensemble_.client().last_zxid().wire();
  if (zxid > written_zxid_ && ledger_->has_unwritten()) {
    written_zxid_ = zxid;
    ledger_->add(continuity::ZxidSeen{zxid});
  }
}

void Filesystem::write_down_handle(HandleId id, Handle& handle) {
  const bool is_large = std::holds_alternative<TextHandle>(handle.body) ||
                        std::holds_alternative<DirectoryHandle>(handle.body);
  if (is_large && handle.saved.digest != 0 && !handle.is_listed_anew) {
    return;
  }
  handle.is_listed_anew = false;
  HandleOpen entry{.id = id,
                   .inode = handle.inode,
                   .kind = static_cast<std::uint32_t>(handle.body.index()),
                   .owner = handle.owner,
                   .has_condition = handle.condition.has_value(),
                   .condition = handle.condition.value_or(0),
                   .is_held = handle.is_held,
                   .is_lock_lost = handle.is_lock_lost};
  std::visit(Describing{entry}, handle.body);
  Bytes encoded;
  replication::jute::append_alternative<continuity::Entry>(encoded, entry);
  const std::uint64_t digest = XXH3_64bits(encoded.data(), encoded.size()) | 1;
  if (digest != handle.saved.digest) {
    handle.saved.digest = digest;
    ledger_->add(entry);
  }
  if (auto* data = handles::data_of(handle)) {
    write_content(*ledger_, id, *data);
  } else if (const auto* waits = std::get_if<FeedHandle>(&handle.body)) {
    write_content(*ledger_, id, *waits->feed, handle.saved);
  }
}

void Filesystem::resume(const continuity::State& state) {
  for (const auto& [number, entry] : state.inodes) {
    inodes_.restore(inode_in(entry));
  }
  handles_.continue_after(state.last_handle);
  for (const auto& [id, opened] : state.handles) {
    resume_handle(id, opened);
  }
  creator_.resume(state);
  locker_.resume(state);
}

void Filesystem::resume_handle(HandleId id, const continuity::Opened& opened) {
  const HandleOpen& entry = opened.handle;
  Inode* inode = inodes_.find(entry.inode);
  auto body = body_of_kind(entry.kind);
  if (inode == nullptr || !body) {
    return;
  }
  std::visit(Restoring{opened}, *body);
  Handle handle{.inode = entry.inode,
                .body = std::move(*body),
                .condition = entry.has_condition ? std::optional(entry.condition) : std::nullopt,
                .owner = entry.owner,
                .is_held = entry.is_held,
                .is_lock_lost = entry.is_lock_lost};
  const auto* waits = std::get_if<FeedHandle>(&handle.body);
  const auto feed = waits == nullptr ? nullptr : waits->feed;
  inode->writers += handles::writes(handle) ? 1U : 0U;
  handles_.restore(id, std::move(handle));
  inodes_.open(*inode);
  if (feed == nullptr) {
    return;
  }
  feed->begin();
  bool has_ended = false;
  take_bits(entry.flags, has_ended);
  if (has_ended) {
    feed->end();
  } else if (entry.version != 0) {
    feed->fail(entry.version);
  } else if (is_stream(inode->view)) {
    streams_.run(feed, inode->path,
                 inode->view == View::watch ? cache::Scope::znode : cache::Scope::subtree);
  } else {
    wait_for_change(feed, inode->path, inode->view, inode->parameter);
  }
}

void Filesystem::settle(const continuity::State& state) {
  std::set<std::string> claimed = locker_.contenders();
  handles_.for_each([&](Handle& handle) {
    if (handle.is_held) {
      claimed.insert(inodes_.find(handle.inode)->path);
    }
  });
  creator_.let_go_of_unclaimed(state, claimed);
}

}  // namespace zabfs::fusefs
