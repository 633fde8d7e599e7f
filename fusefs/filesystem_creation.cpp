// Names that create (`N@e`, `N@s`, `N@h` and their combinations, `N@c`, `N@ttl=30s`): the name
// asks, and is never there; what it made is a znode under its own name, which the descriptor tells.
//
//   opened by                                  | descriptor
//   -------------------------------------------|--------------------------------------------------
//   `>`, `>>`: to write                        | as of any new file
//   `<>`: to read and write                    | reading tells the name, writing sets the data
//   O_CREAT to read alone                      | EINVAL: a read must not create
#include <fcntl.h>

#include <cerrno>
#include <optional>
#include <utility>
#include <variant>

#include "fusefs/errno_table.hpp"
#include "fusefs/filesystem.hpp"
#include "replication/model/path.hpp"

namespace zabfs::fusefs {

using handles::BirthHandle;
using handles::DataHandle;
using handles::Handle;
using inodes::Inode;
using naming::View;
using replication::Bytes;
using replication::ErrorCode;

namespace {

// A sequential name may end in what no name may be, as its digits make it another.
bool is_legal(const naming::Name& name) {
  return replication::is_legal_segment(name.creation.sequential ? name.node + "0" : name.node);
}

}  // namespace

std::optional<Outcome<CreationPlan>> Filesystem::plan_of(const Place& place) {
  Inode* directory = inodes_.find(place.directory);
  if (directory == nullptr || directory->view == View::mount) {
    return std::nullopt;
  }
  auto parsed = naming::parse(place.name, directory->path == "/");
  const auto* name = std::get_if<naming::Name>(&parsed);
  if (name == nullptr || name->view != View::create) {
    return std::nullopt;
  }
  if (!is_legal(*name)) {
    return Failure::of(EINVAL);
  }
  return CreationPlan{
      .path = child_path(directory->path, name->node), .data = Bytes{}, .creation = name->creation};
}

Task<Outcome<Born>> Filesystem::give_birth(Operation& operation, CreationPlan plan) {
  const bool has_ttl = plan.creation.ttl_ms != 0;
  const std::string path = plan.path;
  const auto born = co_await creator_.make(operation, std::move(plan));
  if (!born && born.error().code == ErrorCode::unimplemented) {
    journal_.note("the server cannot create " + path +
                  (has_ttl ? ": it has no times to live; in its configuration, set "
                             "extendedTypesEnabled=true"
                           : ": it does not know znodes of that kind"));
  }
  co_return born;
}

Detached Filesystem::create_planned(Reply<Created> reply, CreationPlan plan, int flags) {
  Operation operation(operations_, reply.ticket());
  operation.change_unseen();
  const DataHandle::Mode mode = handles::mode_of(flags);
  if (!mode.writes) {
    co_return std::move(reply).error(EINVAL);
  }
  const bool is_held = plan.creation.held;
  const auto born = co_await give_birth(operation, std::move(plan));
  if (!born) {
    co_return std::move(reply).refuse(born.error());
  }
  const Entry entry = enter_new({born->path, View::plain}, born->node);
  Handle handle{.inode = entry.number,
                .body = DataHandle(mode),
                .owner = born->node.stat.ephemeral_owner,
                .is_held = is_held};
  if (mode.reads) {
    DataHandle::Mode writing = mode;
    writing.reads = false;
    handle.body =
        BirthHandle{.unread_name = std::string(replication::name_of_path(born->path)) + '\n',
                    .data = DataHandle(writing)};
  }
  handles::data_of(handle)->start_empty(born->node.stat);
  const auto opened = open_handle(std::move(handle));
  if (!opened) {
    inodes_.forget(entry.number, 1);
    if (is_held) {
      static_cast<void>(co_await creator_.let_go(operation, born->path, born->node.stat.czxid));
    }
    co_return std::move(reply).refuse(opened.error());
  }
  std::move(reply).with(Created{.entry = entry, .opened = *opened});
}

Detached Filesystem::make_planned(Reply<Entry> reply, CreationPlan plan, inodes::Kind kind) {
  Operation operation(operations_, reply.ticket());
  operation.change_unseen();
  // Without a descriptor there is nothing to hold it; an ephemeral znode is a file for ever.
  const bool is_directory = kind == inodes::Kind::directory;
  if (plan.creation.held || (is_directory && plan.creation.ephemeral)) {
    co_return std::move(reply).error(EINVAL);
  }
  if (is_directory) {
    plan.data.reset();
  }
  const auto born = co_await give_birth(operation, std::move(plan));
  if (!born) {
    co_return std::move(reply).refuse(born.error());
  }
  std::move(reply).with(enter_new({born->path, View::plain}, born->node));
}

}  // namespace zabfs::fusefs
