// Writing: when written data reaches the ensemble, and what it replaces there.
#include <algorithm>
#include <cerrno>
#include <utility>
#include <variant>

#include "fusefs/errno_table.hpp"
#include "fusefs/filesystem.hpp"
#include "fusefs/limits.hpp"
#include "fusefs/transactions.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::fusefs {

using handles::DataHandle;
using handles::Handle;
using inodes::DataKind;
using inodes::Inode;
using replication::Bytes;
using replication::ByteView;
using replication::ErrorCode;
using replication::limits::change_attempts_max;
using replication::limits::value_bytes_max;
using replication::protocol::ExistsRequest;
using replication::protocol::GetDataRequest;
using replication::protocol::SetDataRequest;
using replication::protocol::StatResponse;

void Filesystem::write(Reply<Written> reply, HandleId id, std::size_t offset, ByteView bytes) {
  DataHandle* data = find_data(id);
  const Handle* handle = handles_.find(id);
  if (handle != nullptr && std::holds_alternative<handles::ConversationHandle>(handle->body)) {
    write_conversation(std::move(reply), id, Bytes(bytes.begin(), bytes.end()));
    return;
  }
  if (handle != nullptr && std::holds_alternative<handles::TransactionHandle>(handle->body)) {
    write_transaction(std::move(reply), id, std::string(replication::text_of(bytes)));
    return;
  }
  if (handle != nullptr && std::holds_alternative<handles::AclHandle>(handle->body)) {
    write_acl(std::move(reply), id, offset, Bytes(bytes.begin(), bytes.end()));
    return;
  }
  if (data == nullptr || is_lost(*handles_.find(id))) {
    return std::move(reply).error(data == nullptr ? EBADF : ENOLINK);
  }
  if (std::holds_alternative<handles::BirthHandle>(handles_.find(id)->body)) {
    offset = data->content().size();
  }
  // A shell sees the failure of a write, not of a close: only what is sure to be committed later
  // is taken without asking.
  const bool is_buffered = data->is_owned() && !data->mode().is_written_through &&
                           ensemble_.client().state() == client::SessionState::connected;
  if (!is_buffered) {
    write_slowly(std::move(reply), id, offset, Bytes(bytes.begin(), bytes.end()));
  } else if (data->write(offset, bytes)) {
    std::move(reply).with(Written{bytes.size()});
  } else {
    std::move(reply).error(EFBIG);
  }
}

Detached Filesystem::write_slowly(Reply<Written> reply, HandleId id, std::size_t offset,
                                  Bytes bytes) {
  Operation operation(operations_, reply.ticket());
  Handle& handle = *handles_.find(id);
  auto& data = *handles::data_of(handle);
  const std::size_t size = bytes.size();
  Outcome<Done> done = Done{};
  if (data.mode().appends) {
    done = co_await append(operation, handle, std::move(bytes));
  } else {
    done = co_await prepare_change(operation, handle);
    if (done && !data.write(offset, bytes)) {
      done = Failure::of(EFBIG);
    }
    if (done && data.mode().is_written_through) {
      done = co_await commit(operation, handle);
    }
  }
  if (!done) {
    co_return std::move(reply).refuse(done.error());
  }
  std::move(reply).with(Written{size});
}

Task<Outcome<Done>> Filesystem::prepare_change(Operation& operation, Handle& handle) {
  auto& data = *handles::data_of(handle);
  const Inode* inode = inodes_.find(handle.inode);
  if (inode->is_removed) {
    co_return Done{};
  }
  if (data.needs_load_before_change()) {
    const auto loaded = co_await load(operation, data, inode->path);
    co_return loaded && !handles::is_met(handle) ? Failure::of(ErrorCode::bad_version) : loaded;
  }
  if (ensemble_.client().state() != client::SessionState::connected) {
    // Waits for the connection, or fails as the client fails what it cannot send.
    Ask<StatResponse> probe(ensemble_, operation, ExistsRequest{.path = inode->path});
    const auto found = co_await probe;
    if (!found) {
      co_return found.error();
    }
  }
  co_return Done{};
}

Task<Outcome<replication::Stat>> Filesystem::set_data(Operation& operation, InodeNumber number,
                                                      Bytes bytes, std::int32_t version) {
  Inode* inode = inodes_.find(number);
  if (inode->view != naming::View::plain) {
    operation.change_unseen();
  }
  const bool may_be_bare_directory =
      (inode->view == naming::View::version || inode->view == naming::View::cas) &&
      inode->node.stat.data_length == 0 && inode->node.stat.cversion == 0;
  if (may_be_bare_directory) {
    co_return co_await set_data_of_directory(operation, number, std::move(bytes), version);
  }
  const bool is_worth_a_read = bytes.size() <= limits::value_read_behind_bytes_max &&
                               !is_forbidden_something(inode->path) &&
                               ensemble_.is_worth_a_read_behind(inode->path);
  Ask<StatResponse> question(
      ensemble_, operation,
      SetDataRequest{.path = inode->path, .data = std::move(bytes), .version = version});
  const auto behind = is_worth_a_read ? std::make_shared<Question*>() : nullptr;
  if (behind) {
    read_behind(behind, inode->path);
  }
  const auto found = co_await question;
  if (!found) {
    co_return found.error();
  }
  if (behind && *behind != nullptr) {
    (*behind)->write_answered();
  }
  if (found->stat.czxid == inode->node.stat.czxid) {
    inode->node = {.stat = found->stat, .data = DataKind::present};
  }
  co_return found->stat;
}

// So that the mount knows the znode again with the answer to its write, and whoever looks it up
// next does not have to wait.
Detached Filesystem::read_behind(std::shared_ptr<Question*> asked, std::string path) {
  Operation operation(operations_, {.request = asked.get()});
  Ask<Version> question(ensemble_, operation,
                        GetDataRequest{.path = std::move(path), .watch = true});
  *asked = &question;
  static_cast<void>(co_await question);
  *asked = nullptr;
}

Task<Outcome<replication::Stat>> Filesystem::set_data_of_directory(Operation& operation,
                                                                   InodeNumber number, Bytes bytes,
                                                                   std::int32_t version) {
  std::string path = inodes_.find(number)->path;
  const auto node = co_await give_data(operation, std::move(path), std::move(bytes), version);
  if (!node) {
    co_return node.error();
  }
  inodes_.find(number)->node = *node;
  co_return node->stat;
}

Task<Outcome<Done>> Filesystem::commit(Operation& operation, Handle& handle) {
  auto& data = *handles::data_of(handle);
  if (is_lost(handle)) {
    co_return Failure::of(ENOLINK);
  }
  data.mark_committed();
  if (std::holds_alternative<handles::AclHandle>(handle.body)) {
    const auto done = co_await commit_acl(operation, handle);
    co_return done;
  }
  if (std::holds_alternative<handles::BirthHandle>(handle.body)) {
    operation.change_unseen();  // The kernel knows it by the name that created it.
  }
  if (inodes_.find(handle.inode)->is_removed) {
    co_return Done{};
  }
  Bytes value = data.content();
  const auto written = co_await set_data(operation, handle.inode, std::move(value),
                                         handle.condition.value_or(any_version));
  if (written && handle.condition) {
    handle.condition = written->version;
  }
  co_return written ? Outcome<Done>(Done{}) : written.error();
}

Task<Outcome<Done>> Filesystem::append(Operation& operation, Handle& handle, Bytes bytes) {
  auto& data = *handles::data_of(handle);
  for (int attempt = 0; attempt < change_attempts_max; ++attempt) {
    const Inode* inode = inodes_.find(handle.inode);
    if (inode->is_removed) {
      co_return Done{};
    }
    const auto loaded = co_await load(operation, data, inode->path);
    if (!loaded) {
      co_return loaded.error();
    }
    if (bytes.size() > value_bytes_max - std::min(value_bytes_max, data.content().size())) {
      co_return Failure::of(EFBIG);
    }
    Bytes value = data.content();
    value.insert(value.end(), bytes.begin(), bytes.end());
    if (!handles::is_met(handle)) {
      co_return Failure::of(ErrorCode::bad_version);
    }
    const auto done = co_await set_data(operation, handle.inode, std::move(value), data.version());
    if (done && handle.condition) {
      handle.condition = done->version;
    }
    if (done || handle.condition || done.error().code != ErrorCode::bad_version) {
      co_return done ? Outcome<Done>(Done{}) : done.error();
    }
  }
  co_return Failure::of(EAGAIN);
}

Task<Outcome<Done>> Filesystem::truncate(Operation& operation, InodeNumber number, std::size_t size,
                                         std::optional<HandleId> id) {
  if (size > value_bytes_max) {
    co_return Failure::of(EFBIG);
  }
  Handle* handle = id ? handles_.find(*id) : nullptr;
  auto* data = handle == nullptr ? nullptr : handles::data_of(*handle);
  if (data == nullptr || data->mode().appends) {
    co_return co_await truncate_znode(operation, number, size);
  }
  if (size > 0) {
    const auto done = co_await prepare_change(operation, *handle);
    if (!done) {
      co_return done.error();
    }
  }
  data->truncate(size);
  if (data->mode().is_written_through) {
    co_return co_await commit(operation, *handle);
  }
  co_return Done{};
}

Task<Outcome<Done>> Filesystem::truncate_znode(Operation& operation, InodeNumber number,
                                               std::size_t size) {
  const Inode* inode = inodes_.find(number);
  if (inode->view == naming::View::version) {
    Handle handle{.inode = number,
                  .body = DataHandle({.writes = true}),
                  .condition = static_cast<std::int32_t>(inode->parameter)};
    const auto prepared = co_await prepare_change(operation, handle);
    if (!prepared) {
      co_return prepared.error();
    }
    handles::data_of(handle)->truncate(size);
    co_return co_await commit(operation, handle);
  }
  if (size == 0) {
    Bytes empty;
    const auto done = co_await set_data(operation, number, std::move(empty), any_version);
    co_return done ? Outcome<Done>(Done{}) : done.error();
  }
  for (int attempt = 0; attempt < change_attempts_max; ++attempt) {
    DataHandle data({.writes = true});
    const auto loaded = co_await load(operation, data, inodes_.find(number)->path);
    if (!loaded) {
      co_return loaded.error();
    }
    Bytes value = data.content();
    value.resize(size);
    const auto done = co_await set_data(operation, number, std::move(value), data.version());
    if (done || done.error().code != ErrorCode::bad_version) {
      co_return done ? Outcome<Done>(Done{}) : done.error();
    }
  }
  co_return Failure::of(EAGAIN);
}

Task<Outcome<Done>> Filesystem::touch(Operation& operation, InodeNumber number) {
  const Inode* inode = inodes_.find(number);
  Ask<Version> question(ensemble_, operation, GetDataRequest{.path = inode->path});
  auto version = co_await question;
  if (!version) {
    co_return version.error();
  }
  inode = inodes_.find(number);
  if (inode->view == naming::View::version && inode->parameter != version->stat.version) {
    co_return Failure::of(ErrorCode::bad_version);
  }
  Ask<StatResponse> rewrite(
      ensemble_, operation,
      SetDataRequest{
          .path = inode->path, .data = std::move(version->data), .version = version->stat.version});
  const auto done = co_await rewrite;
  // Another version than the one just read: somebody changed it a moment ago, which is all that a
  // touch says.
  if (!done && done.error().code != ErrorCode::bad_version) {
    co_return done.error();
  }
  co_return Done{};
}

void Filesystem::flush(Reply<Done> reply, HandleId id, std::uint64_t lock_owner) {
  const DataHandle* data = find_data(id);
  const Handle* handle = handles_.find(id);
  if (handle != nullptr && std::holds_alternative<handles::TransactionHandle>(handle->body)) {
    end_transaction_and_answer(std::move(reply), id);
    return;
  }
  const Inode* inode = inode_of(id);
  const LockKey key{inode == nullptr ? 0 : inode->number, locks::Family::fcntl, lock_owner};
  if (locker_.holds(key)) {
    flush_and_unlock(std::move(reply), id, key);
  } else if (data == nullptr || !data->flush_commits()) {
    std::move(reply).with(Done{});
  } else {
    commit_and_answer(std::move(reply), id);
  }
}

void Filesystem::sync(Reply<Done> reply, HandleId id) {
  const DataHandle* data = find_data(id);
  const Handle* handle = handles_.find(id);
  if (handle != nullptr && std::holds_alternative<handles::TransactionHandle>(handle->body)) {
    end_transaction_and_answer(std::move(reply), id);
  } else if (data == nullptr || !data->close_commits()) {
    std::move(reply).with(Done{});
  } else {
    commit_and_answer(std::move(reply), id);
  }
}

Detached Filesystem::commit_and_answer(Reply<Done> reply, HandleId id) {
  Operation operation(operations_, reply.ticket());
  Handle& handle = *handles_.find(id);
  const auto done = co_await commit(operation, handle);
  if (!done && done.error().errno_value != EINTR) {
    journal_.note("what was written to " + inodes_.find(handle.inode)->path +
                  " is lost: " + std::string(reason_of(done.error())));
  }
  std::move(reply).with_outcome(done);
}

// Until all is done the handle stays in the table, and so in the ledger.
Detached Filesystem::release(Reply<Done> reply, HandleId id) {
  Handle* open = handles_.find(id);
  if (open == nullptr) {
    co_return std::move(reply).error(EBADF);
  }
  Operation operation(operations_, reply.ticket());
  locker_.closing(id, open->inode);
  Outcome<Done> done = Done{};
  const auto* data = handles::data_of(*open);
  if (data != nullptr && data->close_commits() && !open->is_held) {
    const auto view = inodes_.find(open->inode)->view;
    const bool is_of_no_version = view == naming::View::plain || view == naming::View::data;
    if (is_of_no_version && !data->flush_commits()) {
      done = co_await commit_last_truncation(operation, id);
    } else {
      done = co_await commit(operation, *open);
    }
  }
  if (std::holds_alternative<handles::TransactionHandle>(open->body)) {
    done = co_await end_transaction(operation, *open);
  }
  const auto handle = handles_.release(id);
  if (!done) {
    journal_.note("what was written to " + inodes_.find(handle->inode)->path +
                  " is lost: " + std::string(reason_of(done.error())));
  }
  const auto put = co_await put_down(operation, id, *handle);
  std::move(reply).with_outcome(done ? put : done);
}

// Nobody is told how the last close ends. So what it truncates replaces one version, which is
// written down: if this process dies, its successor tries the same again, and it happens once.
Task<Outcome<Done>> Filesystem::commit_last_truncation(Operation& operation, HandleId id) {
  Handle& handle = *handles_.find(id);
  if (handle.condition) {  // A predecessor has tried.
    const auto done = co_await commit(operation, handle);
    const bool is_another_version = !done && done.error().code == ErrorCode::bad_version;
    // It had happened, or somebody has written since.
    co_return is_another_version ? Outcome<Done>(Done{}) : done;
  }
  Outcome<Done> done = Done{};
  for (int attempt = 0; attempt < change_attempts_max; ++attempt) {
    const auto version = co_await newest_version(operation, handle.inode);
    const bool is_committed = attempt == 0 && !handles::data_of(handle)->close_commits();
    if (!version || is_committed) {  // by a chmod meanwhile
      co_return version ? Outcome<Done>(Done{}) : version.error();
    }
    handle.condition = *version;
    if (ledger_ != nullptr) {
      write_down(id);
      ledger_->write();
    }
    done = co_await commit(operation, handle);
    if (done || done.error().code != ErrorCode::bad_version) {
      break;
    }
  }
  co_return done;
}

Task<Outcome<std::int32_t>> Filesystem::newest_version(Operation& operation, InodeNumber number) {
  const Inode* inode = inodes_.find(number);
  const auto known = guarded(inode->path);
  if (known || inode->is_removed) {
    co_return known ? known->stat.version : any_version;
  }
  Ask<StatResponse> question(ensemble_, operation, ExistsRequest{.path = inode->path});
  const auto found = co_await question;
  co_return found ? Outcome<std::int32_t>(found->stat.version) : found.error();
}

}  // namespace zabfs::fusefs
