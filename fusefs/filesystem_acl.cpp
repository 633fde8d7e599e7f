// `N@acl` and the attribute `user.zk.acl`: an ACL as a text that is written, one entry per line.
//
// Every line that is whole when it is written is tried: the server says what it would say to the
// ACL so far, and nothing is set.
//
//   opened by            | the text is checked               | set
//   ---------------------|-----------------------------------|-------------------------------------
//   `>`                  | at every write, as far as the     | at the close or fsync that follows
//                        | lines are whole                   | written text, whatever there was
//   `<>`, without O_TRUNC| the same                          | the same, if the ACL is still the
//   one
//                        |                                   | that was read; otherwise ESTALE
//   `>>`                 | at every write                    | at every write, behind what there is
//   O_SYNC               | at every write                    | at every write
//
// A line that is no entry is refused with EINVAL, and so is what the server refuses: unknown
// schemes, malformed identities, no entry at all.
#include <fcntl.h>

#include <cerrno>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "fusefs/filesystem.hpp"
#include "fusefs/inodes/acl_text.hpp"
#include "fusefs/transactions.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::fusefs {

using handles::AclHandle;
using handles::DataHandle;
using handles::Handle;
using replication::Bytes;
using replication::ErrorCode;
using replication::Stat;
using replication::limits::change_attempts_max;
using replication::protocol::GetAclRequest;
using replication::protocol::GetAclResponse;
using replication::protocol::SetAclRequest;
using replication::protocol::StatResponse;

namespace {

Bytes bytes_of(const std::string& text) {
  const auto view = replication::bytes_of(text);
  return {view.begin(), view.end()};
}

// What the whole lines of `text` say; nullopt if one of them is no entry.
std::optional<replication::Acl> entries_so_far(std::string_view text) {
  const auto end = text.rfind('\n');
  return inodes::parse_acl(text.substr(0, end == text.npos ? 0 : end));
}

}  // namespace

Task<Outcome<std::int32_t>> Filesystem::load_acl(Operation& operation, DataHandle& data,
                                                 std::string path) {
  Ask<GetAclResponse> question(ensemble_, operation, GetAclRequest{.path = std::move(path)});
  const auto found = co_await question;
  if (!found) {
    co_return found.error();
  }
  data.load(bytes_of(inodes::acl_text(found->acl)), found->stat);
  co_return found->stat.aversion;
}

Task<Outcome<std::int32_t>> Filesystem::set_acl(Operation& operation, std::string path,
                                                std::string text, std::int32_t version) {
  auto acl = inodes::parse_acl(text);
  if (!acl) {
    co_return Failure::of(EINVAL);
  }
  Ask<StatResponse> question(
      ensemble_, operation,
      SetAclRequest{.path = std::move(path), .acl = std::move(*acl), .version = version});
  const auto done = co_await question;
  if (!done) {
    co_return done.error();
  }
  co_return done->stat.aversion;
}

Task<Outcome<Handle>> Filesystem::open_acl(Operation& operation, InodeNumber number, int flags) {
  Handle handle{.inode = number, .body = AclHandle{.data = DataHandle(handles::mode_of(flags))}};
  auto& acl = std::get<AclHandle>(handle.body);
  std::string tried = inodes_.find(number)->path;
  const auto allowed = co_await try_acl(operation, std::move(tried), replication::open_acl());
  if (!allowed) {
    co_return allowed.error();
  }
  if ((flags & O_TRUNC) != 0 && !acl.data.mode().appends) {
    acl.data.truncate(0);
    co_return handle;
  }
  std::string path = inodes_.find(number)->path;
  const auto version = co_await load_acl(operation, acl.data, std::move(path));
  if (!version) {
    co_return version.error();
  }
  acl.version = *version;
  co_return handle;
}

Detached Filesystem::write_acl(Reply<Written> reply, HandleId id, std::size_t offset, Bytes bytes) {
  Operation operation(operations_, reply.ticket());
  Handle& handle = *handles_.find(id);
  auto& data = std::get<AclHandle>(handle.body).data;
  const std::size_t size = bytes.size();
  Outcome<Done> done = Done{};
  if (data.mode().appends) {
    done = co_await append_acl(operation, handle, std::move(bytes));
  } else {
    done = co_await take_acl_text(operation, handle, offset, std::move(bytes));
  }
  if (!done) {
    co_return std::move(reply).refuse(done.error());
  }
  std::move(reply).with(Written{size});
}

Task<Outcome<Done>> Filesystem::take_acl_text(Operation& operation, Handle& handle,
                                              std::size_t offset, Bytes bytes) {
  auto& data = std::get<AclHandle>(handle.body).data;
  DataHandle changed = data;
  if (!changed.write(offset, bytes)) {
    co_return Failure::of(EFBIG);
  }
  auto entries = entries_so_far(replication::text_of(changed.content()));
  if (!entries) {
    co_return Failure::of(EINVAL);
  }
  if (!data.mode().is_written_through && !entries->empty()) {
    // A shell looks at the error of a write, and not at that of a close.
    std::string path = inodes_.find(handle.inode)->path;
    const auto tried = co_await try_acl(operation, std::move(path), std::move(*entries));
    if (!tried) {
      co_return tried.error();
    }
  }
  data = std::move(changed);
  if (data.mode().is_written_through) {
    const auto done = co_await commit(operation, handle);
    co_return done;
  }
  co_return Done{};
}

Task<Outcome<Done>> Filesystem::append_acl(Operation& operation, Handle& handle, Bytes bytes) {
  auto& acl = std::get<AclHandle>(handle.body);
  for (int attempt = 0; attempt < change_attempts_max; ++attempt) {
    std::string path = inodes_.find(handle.inode)->path;
    const auto version = co_await load_acl(operation, acl.data, std::move(path));
    if (!version) {
      co_return version.error();
    }
    std::string text(replication::text_of(acl.data.content()));
    text += replication::text_of(bytes);
    std::string changed = inodes_.find(handle.inode)->path;
    const auto done = co_await set_acl(operation, std::move(changed), std::move(text), *version);
    if (done || done.error().code != ErrorCode::bad_version) {
      co_return done ? Outcome<Done>(Done{}) : done.error();
    }
  }
  co_return Failure::of(EAGAIN);
}

Task<Outcome<Done>> Filesystem::commit_acl(Operation& operation, Handle& handle) {
  auto& acl = std::get<AclHandle>(handle.body);
  std::string path = inodes_.find(handle.inode)->path;
  std::string text(replication::text_of(acl.data.content()));
  const auto done = co_await set_acl(operation, std::move(path), std::move(text),
                                     acl.version.value_or(any_version));
  if (done && acl.version) {
    acl.version = *done;
  }
  co_return done ? Outcome<Done>(Done{}) : done.error();
}

}  // namespace zabfs::fusefs
