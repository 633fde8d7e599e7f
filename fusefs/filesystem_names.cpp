// Names and attributes: what a name leads to, and how it looks.
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <variant>

#include "fusefs/errno_table.hpp"
#include "fusefs/filesystem.hpp"
#include "fusefs/inodes/acl_text.hpp"
#include "replication/model/limits.hpp"
#include "replication/model/path.hpp"

namespace zabfs::fusefs {

using cache::Presence;
using inodes::DataKind;
using inodes::Inode;
using inodes::Node;
using naming::Name;
using naming::View;
using replication::ErrorCode;
using replication::protocol::ExistsRequest;
using replication::protocol::GetAclRequest;
using replication::protocol::GetAclResponse;
using replication::protocol::GetChildren2Request;
using replication::protocol::GetChildren2Response;
using replication::protocol::GetDataRequest;
using replication::protocol::StatResponse;

namespace {

// True for the views that can be looked up whether or not their znode is there.
bool is_of_any_path(View view) { return is_waiting_view(view) || view == View::queue; }

std::int64_t parameter_of(const Name& name) {
  switch (name.view) {
    case View::version:
      return name.version;
    case View::next:
      return name.after ? name.after->wire() : no_zxid;
    default:
      return 0;
  }
}

// A file that may have its first child, and so become a directory, without an event of its own.
bool may_become_directory(const Node& node) {
  return node.data == DataKind::present && node.stat.cversion == 0 &&
         node.stat.ephemeral_owner == 0;
}

}  // namespace

std::string child_path(const std::string& directory, const std::string& name) {
  return directory == "/" ? directory + name : directory + "/" + name;
}

Filesystem::Filesystem(client::Client& client, inodes::Appearance appearance)
    : ensemble_(client), appearance_(appearance) {}

Insides Filesystem::insides() {
  return {.ensemble = ensemble_,
          .operations = operations_,
          .inodes = inodes_,
          .appearance = appearance_,
          .look = [this](Operation& operation, std::string path) {
            return inspect(operation, {std::move(path), View::plain});
          }};
}

Task<Outcome<Filesystem::Target>> Filesystem::resolve(Operation& operation, Place place) {
  const Inode* directory = inodes_.find(place.directory);
  if (directory == nullptr) {
    co_return Failure::of(ESTALE);
  }
  if (directory->view == View::mount) {
    co_return mount_file(place.name);
  }
  std::string parent = directory->path;
  auto parsed = naming::parse(place.name, parent == "/");
  if (const auto* refusal = std::get_if<naming::Refusal>(&parsed)) {
    co_return Failure::of(errno_of(*refusal));
  }
  Name& name = std::get<Name>(parsed);
  if (name.view == View::create) {
    co_return Failure::of(ENOENT);  // Such a name only ever creates.
  }
  const View view = name.view;
  const std::int64_t parameter = parameter_of(name);
  if (name.node.empty()) {
    co_return target_of(std::move(parent), view, parameter);
  }
  if (name.is_short) {
    auto found = co_await find_long_name(operation, std::move(parent), std::move(name));
    if (!found) {
      co_return found.error();
    }
    co_return target_of(std::move(*found), view, parameter);
  }
  co_return target_of(child_path(parent, name.node), view, parameter);
}

Filesystem::Target Filesystem::target_of(std::string path, View view,
                                         std::int64_t parameter) const {
  if (view == View::locks) {
    return {locker_.queue_for(path), View::dir};
  }
  return {std::move(path), view, parameter};
}

Task<Outcome<std::string>> Filesystem::find_long_name(Operation& operation, std::string directory,
                                                      Name name) {
  const auto found = co_await list(operation, directory);
  if (!found) {
    co_return found.error();
  }
  for (const auto& child : *found->names) {
    if (naming::stands_for(name, child)) {
      co_return child_path(directory, child);
    }
  }
  co_return Failure::of(ENOENT);
}

Node Filesystem::node_of(const std::string& path, const cache::Known& known) const {
  Node node{.stat = known.stat};
  if (known.value) {
    node.data = *known.value ? DataKind::present : DataKind::null;
  } else if (known.stat.data_length > 0) {
    node.data = DataKind::present;
  } else {
    node.data = remembered_data_kind(path, known.stat).value_or(DataKind::unknown);
  }
  return node;
}

std::optional<Outcome<Node>> Filesystem::recall(const Target& target) {
  const cache::Known* known = ensemble_.find(target.path);
  if (known == nullptr || known->presence == Presence::unknown || target.view == View::stat ||
      is_forbidden_something(target.path)) {
    return std::nullopt;
  }
  if (known->presence == Presence::absent) {
    return Failure::of(ErrorCode::no_node);
  }
  const Node node = node_of(target.path, *known);
  const bool kind_matters = target.view == View::plain && target.path != "/";
  const bool kind_is_known = inodes::decides_kind(node.stat) || node.data != DataKind::unknown;
  const bool is_enough =
      target.view == View::data
          ? node.data != DataKind::unknown
          : !kind_matters ||
                (kind_is_known && (!may_become_directory(node) || known->children != nullptr));
  return is_enough ? std::optional<Outcome<Node>>(node) : std::nullopt;
}

Task<Outcome<Node>> Filesystem::look_at(Operation& operation, Target target) {
  if (target.view == View::mount) {
    co_return Node{.text_size = text_of_mount_file(target.parameter).size()};
  }
  if (target.view == View::acl) {
    Ask<GetAclResponse> question(ensemble_, operation, GetAclRequest{.path = target.path});
    const auto found = co_await question;
    if (!found) {
      co_return found.error();
    }
    co_return Node{.stat = found->stat, .text_size = inodes::acl_text(found->acl).size()};
  }
  if (const auto recalled = recall(target)) {
    co_return *recalled;
  }
  const cache::Known* known = ensemble_.find(target.path);
  const bool lacks_only_children = target.view == View::plain && known != nullptr &&
                                   known->presence == Presence::present &&
                                   may_become_directory(node_of(target.path, *known));
  if (lacks_only_children && ensemble_.is_worth_a_watch(target.path)) {
    GetChildren2Request request{.path = target.path, .watch = true};
    Ask<GetChildren2Response> question(ensemble_, operation, std::move(request));
    static_cast<void>(co_await question);
    if (const auto recalled = recall(target)) {
      co_return *recalled;
    }
  }
  co_return co_await inspect(operation, std::move(target));
}

Task<Outcome<Node>> Filesystem::inspect(Operation& operation, Target target) {
  const bool watch = ensemble_.is_worth_a_watch(target.path);
  Ask<StatResponse> question(ensemble_, operation,
                             ExistsRequest{.path = target.path, .watch = watch});
  const auto found = co_await question;
  if (!found) {
    co_return found.error();
  }
  Node node{.stat = found->stat};
  if (node.stat.data_length > 0) {
    node.data = DataKind::present;
    co_return node;
  }
  if (target.view != View::data && (inodes::decides_kind(node.stat) || target.path == "/")) {
    co_return node;
  }
  if (const auto remembered = remembered_data_kind(target.path, node.stat)) {
    node.data = *remembered;
    co_return node;
  }
  Ask<Version> data(ensemble_, operation, GetDataRequest{.path = target.path, .watch = watch});
  const auto version = co_await data;
  if (!version) {
    co_return version.error();
  }
  co_return node_of(*version);
}

Node Filesystem::node_of(const Version& version) {
  return {.stat = version.stat, .data = version.data ? DataKind::present : DataKind::null};
}

std::optional<DataKind> Filesystem::remembered_data_kind(const std::string& path,
                                                         const replication::Stat& stat) const {
  for (const View view : {View::plain, View::data}) {
    const Inode* inode = inodes_.find(path, view);
    if (inode != nullptr && inode->node.data != DataKind::unknown &&
        inode->node.stat.czxid == stat.czxid && inode->node.stat.mzxid == stat.mzxid) {
      return inode->node.data;
    }
  }
  return std::nullopt;
}

Entry Filesystem::enter(const Target& target, const Node& node, const inodes::KnownRights& rights) {
  Inode& inode = inodes_.look_up(target.path, target.view, node, target.parameter);
  inode.rights = rights;
  inode.is_writable = takes_transactions(inode);
  return {.number = inode.number,
          .generation = inode.generation,
          .values = attributes_of(inode).values};
}

Entry Filesystem::enter_new(const Target& target, const Node& node) {
  return enter(target, node,
               {.czxid = node.stat.czxid,
                .aversion = node.stat.aversion,
                .generation = identities_generation_});
}

Attributes Filesystem::attributes_of(const Inode& inode) const {
  return {.values = inodes::attributes_of(inode, appearance_)};
}

Detached Filesystem::lookup(Reply<Entry> reply, Place place) {
  Operation operation(operations_, reply.ticket());
  const Place asked = place;
  const auto target = co_await resolve(operation, std::move(place));
  if (!target) {
    co_return std::move(reply).refuse(target.error());
  }
  if (is_of_any_path(target->view)) {
    co_return std::move(reply).with(enter(*target, Node{}));
  }
  ensemble_.used(target->path);
  const auto looked = co_await look_with_rights(operation, *target);
  if (!looked) {
    if (looked.error().code == ErrorCode::no_node && give_name(asked, *target, false)) {
      co_return std::move(reply).absent();
    }
    co_return std::move(reply).refuse(looked.error());
  }
  if (target->view == View::data && looked->node.data == DataKind::null) {
    co_return std::move(reply).error(ENOENT);
  }
  Entry entry = enter(*target, looked->node, looked->rights);
  entry.name_is_kept = give_name(asked, *target, true);
  std::move(reply).with(entry);
}

Detached Filesystem::get_attributes(Reply<Attributes> reply, InodeNumber number,
                                    std::optional<HandleId> handle) {
  Operation operation(operations_, reply.ticket());
  auto attributes = co_await current_attributes(operation, number, handle);
  const Inode* inode = inodes_.find(number);
  if (attributes && inode != nullptr) {
    attributes->is_kept = give_attributes(*inode);
  }
  std::move(reply).with_outcome(attributes);
}

Task<Outcome<Attributes>> Filesystem::current_attributes(Operation& operation, InodeNumber number,
                                                         std::optional<HandleId> handle) {
  Inode* inode = inodes_.find(number);
  if (inode == nullptr) {
    co_return Failure::of(ESTALE);
  }
  Attributes last_seen = attributes_of(*inode);
  const auto* data = handle ? find_data(*handle) : nullptr;
  if (data != nullptr && data->is_owned()) {
    last_seen.values.st_size = static_cast<off_t>(data->content().size());
    co_return last_seen;
  }
  if (inode->is_removed || is_of_any_path(inode->view)) {
    co_return last_seen;
  }
  const Target target{inode->path, inode->view, inode->parameter};
  if (number == inodes::root_number) {
    ensemble_.used(target.path);  // Nobody looks it up.
  }
  const auto looked = co_await look_with_rights(operation, target);
  const bool is_gone = !looked && looked.error().code == replication::ErrorCode::no_node;
  const bool is_replaced =
      looked && number != inodes::root_number && looked->node.stat.czxid != inode->node.stat.czxid;
  if (inode->handles > 0 && (is_gone || is_replaced)) {
    last_seen.values.st_nlink = 0;
    co_return last_seen;
  }
  if (is_replaced) {
    co_return Failure::of(ESTALE);  // Makes the kernel look the name up again.
  }
  if (!looked) {
    co_return looked.error();
  }
  inode->node = looked->node;
  inode->rights = looked->rights;
  co_return attributes_of(*inode);
}

bool Filesystem::changes_owner(const Inode& inode, const AttributeChange& change) const {
  const auto current = attributes_of(inode).values;
  return (change.uid && *change.uid != current.st_uid) ||
         (change.gid && *change.gid != current.st_gid);
}

Detached Filesystem::set_attributes(Reply<Attributes> reply, InodeNumber number,
                                    AttributeChange change, std::optional<HandleId> handle) {
  Operation operation(operations_, reply.ticket());
  Inode* inode = inodes_.find(number);
  if (inode == nullptr) {
    co_return std::move(reply).error(ESTALE);
  }
  const bool is_fixed_text = inode->view != View::plain && inode->view != View::data &&
                             inode->view != View::dir && inode->view != View::version;
  constexpr mode_t permissions = 07777;
  const mode_t shown = attributes_of(*inode).values.st_mode;
  if (changes_owner(*inode, change) ||
      (is_fixed_text && (change.size || change.sets_mtime_to_now))) {
    co_return std::move(reply).error(EPERM);
  }
  if (change.mode && ((*change.mode ^ shown) & permissions) != 0) {
    const auto done = co_await change_mode(operation, number, *change.mode);
    if (!done) {
      co_return std::move(reply).refuse(done.error());
    }
  }
  const auto* data = handle ? find_data(*handle) : nullptr;
  const bool will_be_committed = data != nullptr && data->close_commits();
  if (change.size) {
    const auto done = co_await truncate(operation, number, *change.size, handle);
    if (!done) {
      co_return std::move(reply).refuse(done.error());
    }
  } else if (change.sets_mtime_to_now && !will_be_committed) {
    const auto done = co_await touch(operation, number);
    if (!done) {
      co_return std::move(reply).refuse(done.error());
    }
  }
  const auto attributes = co_await current_attributes(operation, number, handle);
  std::move(reply).with_outcome(attributes);
}

void Filesystem::check_access(Reply<Done> reply, InodeNumber number, int mask) {
  const Inode* inode = inodes_.find(number);
  if (inode == nullptr) {
    return std::move(reply).error(ESTALE);
  }
  // Everybody whom the kernel lets ask is the owner.
  constexpr unsigned owner_shift = 6;
  const auto permitted = static_cast<int>(attributes_of(*inode).values.st_mode >> owner_shift);
  if ((mask & ~permitted & (R_OK | W_OK | X_OK)) != 0) {
    std::move(reply).error(EACCES);
  } else {
    std::move(reply).with(Done{});
  }
}

void Filesystem::get_capacity(Reply<Capacity> reply) {
  // The ensemble does not tell how much it can hold, so there are no block counts, as for other
  // file systems in memory without a bound.
  Capacity capacity;
  capacity.values.f_bsize = 4096;
  capacity.values.f_frsize = 4096;
  capacity.values.f_namemax = replication::limits::name_bytes_max;
  std::move(reply).with(capacity);
}

}  // namespace zabfs::fusefs
