// Changes of the tree: creating, removing and moving znodes.
#include <fcntl.h>

#include <cerrno>
#include <optional>
#include <utility>
#include <variant>

#include "fusefs/filesystem.hpp"
#include "fusefs/transactions.hpp"
#include "replication/model/limits.hpp"
#include "replication/model/path.hpp"

namespace zabfs::fusefs {

using handles::DataHandle;
using handles::Handle;
using inodes::DataKind;
using inodes::Inode;
using inodes::Kind;
using inodes::Node;
using naming::View;
using replication::Bytes;
using replication::Data;
using replication::ErrorCode;
using replication::limits::change_attempts_max;
using replication::protocol::Create2Request;
using replication::protocol::DeleteRequest;
using replication::protocol::EmptyResponse;
using replication::protocol::ExistsRequest;
using replication::protocol::MultiRequest;
using replication::protocol::MultiResponse;
using replication::protocol::PathStatResponse;
using replication::protocol::SetDataRequest;
using replication::protocol::StatResponse;

Task<Outcome<Filesystem::Target>> Filesystem::resolve_for_change(Operation& operation, Place place,
                                                                 int errno_of_views) {
  const Inode* directory = inodes_.find(place.directory);
  if (directory != nullptr && directory->view == View::mount) {
    co_return Failure::of(EPERM);
  }
  if (directory != nullptr) {
    const auto parsed = naming::parse(place.name, directory->path == "/");
    const auto* name = std::get_if<naming::Name>(&parsed);
    if (name != nullptr && name->view == View::create) {
      co_return Failure::of(ENOTSUP);
    }
    if (name != nullptr && !name->node.empty() && !replication::is_legal_segment(name->node)) {
      co_return Failure::of(EINVAL);
    }
  }
  auto target = co_await resolve(operation, std::move(place));
  if (target && target->view != View::plain && target->view != View::data) {
    co_return Failure::of(errno_of_views);
  }
  co_return target;
}

Task<Outcome<Node>> Filesystem::create_znode(Operation& operation, std::string path, Data data) {
  const DataKind kind = data ? DataKind::present : DataKind::null;
  Ask<PathStatResponse> question(
      ensemble_, operation,
      Create2Request{
          .path = std::move(path), .data = std::move(data), .acl = replication::open_acl()});
  const auto created = co_await question;
  if (!created) {
    co_return created.error();
  }
  co_return Node{.stat = created->stat, .data = kind};
}

Task<Outcome<Node>> Filesystem::create_file(Operation& operation, Target target) {
  if (target.view == View::plain) {
    Data nothing = Bytes{};
    co_return co_await create_znode(operation, std::move(target.path), std::move(nothing));
  }
  Bytes empty;
  co_return co_await give_data(operation, std::move(target.path), std::move(empty), any_version);
}

Task<Outcome<Node>> Filesystem::give_data(Operation& operation, std::string path, Bytes bytes,
                                          std::int32_t version) {
  operation.change_unseen();
  const Target target{path, View::plain};
  const auto node = co_await inspect(operation, target);
  if (!node) {
    co_return node.error();
  }
  MultiRequest request;
  if (is_directory_by_null_data_only(path, *node)) {
    request.operations = mark_as_directory(path);
  }
  request.operations.emplace_back(
      SetDataRequest{.path = path, .data = std::move(bytes), .version = version});
  Ask<MultiResponse> question(ensemble_, operation, std::move(request));
  const auto response = co_await question;
  if (!response) {
    co_return response.error();
  }
  if (const ErrorCode code = error_of(*response); code != ErrorCode::ok) {
    co_return Failure::of(code);
  }
  co_return Node{.stat = stat_in<StatResponse>(*response), .data = DataKind::present};
}

Detached Filesystem::create(Reply<Created> reply, Place place, int flags) {
  if (auto plan = plan_of(place)) {
    if (!*plan) {
      co_return std::move(reply).refuse(plan->error());
    }
    create_planned(std::move(reply), **std::move(plan), flags);
    co_return;
  }
  Operation operation(operations_, reply.ticket());
  // The kernel asks for what it has just been told is not there: so no znode has such a view.
  const auto target = co_await resolve_for_change(operation, std::move(place), ENOENT);
  if (!target) {
    co_return std::move(reply).refuse(target.error());
  }
  auto node = co_await create_file(operation, *target);
  const bool is_new = node.has_value();
  if (!is_new && node.error().code == ErrorCode::node_exists && (flags & O_EXCL) == 0) {
    node = co_await inspect(operation, *target);
  }
  if (!node) {
    co_return std::move(reply).refuse(node.error());
  }
  const Entry entry = is_new ? enter_new(*target, *node) : enter(*target, *node);
  Handle handle{.inode = entry.number, .body = DataHandle(handles::mode_of(flags))};
  auto& data = *handles::data_of(handle);
  Outcome<Done> prepared = Done{};
  if (S_ISDIR(entry.values.st_mode)) {
    prepared = Failure::of(EISDIR);
  } else if (is_new) {
    data.start_empty(node->stat);
  } else {
    prepared = co_await prepare_opened(operation, handle, flags);
  }
  const auto opened = prepared ? open_handle(std::move(handle)) : prepared.error();
  if (!opened) {
    inodes_.forget(entry.number, 1);
    co_return std::move(reply).refuse(opened.error());
  }
  std::move(reply).with(Created{.entry = entry, .opened = *opened});
}

Detached Filesystem::make_file(Reply<Entry> reply, Place place) {
  if (auto plan = plan_of(place)) {
    if (!*plan) {
      co_return std::move(reply).refuse(plan->error());
    }
    make_planned(std::move(reply), **std::move(plan), Kind::file);
    co_return;
  }
  Operation operation(operations_, reply.ticket());
  const auto target = co_await resolve_for_change(operation, std::move(place));
  if (!target) {
    co_return std::move(reply).refuse(target.error());
  }
  const auto node = co_await create_file(operation, *target);
  if (!node) {
    co_return std::move(reply).refuse(node.error());
  }
  std::move(reply).with(enter_new(*target, *node));
}

Detached Filesystem::make_directory(Reply<Entry> reply, Place place) {
  if (auto plan = plan_of(place)) {
    if (!*plan) {
      co_return std::move(reply).refuse(plan->error());
    }
    make_planned(std::move(reply), **std::move(plan), Kind::directory);
    co_return;
  }
  Operation operation(operations_, reply.ticket());
  const auto target = co_await resolve_for_change(operation, std::move(place));
  if (!target || target->view != View::plain) {
    co_return std::move(reply).error(target ? EPERM : target.error().errno_value);
  }
  const Data null_data;
  const auto node = co_await create_znode(operation, target->path, null_data);
  if (!node) {
    co_return std::move(reply).refuse(node.error());
  }
  std::move(reply).with(enter_new(*target, *node));
}

Task<Outcome<Done>> Filesystem::clear_data(Operation& operation, std::string path) {
  operation.change_unseen();
  const Target target{path, View::plain};
  const auto node = co_await inspect(operation, target);
  if (!node) {
    co_return node.error();
  }
  // Null data would make a directory of a file; `rm` is for its plain name.
  if (path != "/" && inodes::kind_of(*node) == Kind::file) {
    co_return Failure::of(EPERM);
  }
  Ask<StatResponse> question(ensemble_, operation, SetDataRequest{.path = std::move(path)});
  const auto written = co_await question;
  if (!written) {
    co_return written.error();
  }
  co_return Done{};
}

Detached Filesystem::remove_file(Reply<Done> reply, Place place) {
  Operation operation(operations_, reply.ticket());
  const auto target = co_await resolve_for_change(operation, std::move(place));
  if (!target) {
    co_return std::move(reply).refuse(target.error());
  }
  if (target->view == View::data) {
    const auto cleared = co_await clear_data(operation, target->path);
    co_return std::move(reply).with_outcome(cleared);
  }
  Ask<EmptyResponse> question(ensemble_, operation, DeleteRequest{.path = target->path});
  const auto removed = co_await question;
  if (!removed) {
    const bool has_children = removed.error().code == ErrorCode::not_empty;
    co_return std::move(reply).error(has_children ? EISDIR : removed.error().errno_value);
  }
  inodes_.remove(target->path);
  std::move(reply).with(Done{});
}

Detached Filesystem::remove_directory(Reply<Done> reply, Place place) {
  Operation operation(operations_, reply.ticket());
  const auto target = co_await resolve_for_change(operation, std::move(place));
  if (!target || target->view != View::plain) {
    co_return std::move(reply).error(target ? EPERM : target.error().errno_value);
  }
  const auto removed = co_await remove_empty_znode(operation, target->path);
  if (removed) {
    inodes_.remove(target->path);
  }
  std::move(reply).with_outcome(removed);
}

Task<Outcome<Done>> Filesystem::remove_empty_znode(Operation& operation, std::string path) {
  // The version that the lookup before the rmdir saw saves asking for it.
  const Inode* inode = inodes_.find(path, View::plain);
  std::optional<replication::Stat> stat;
  if (inode != nullptr && inode->node.stat.data_length == 0) {
    stat = inode->node.stat;
  }
  for (int attempt = 0; attempt < change_attempts_max; ++attempt) {
    if (!stat) {
      Ask<StatResponse> question(ensemble_, operation, ExistsRequest{.path = path});
      const auto found = co_await question;
      if (!found) {
        co_return found.error();
      }
      stat = found->stat;
    }
    // Data is listed as `@data`, so the directory is not empty.
    if (stat->data_length > 0) {
      co_return Failure::of(ENOTEMPTY);
    }
    Ask<EmptyResponse> question(ensemble_, operation,
                                DeleteRequest{.path = path, .version = stat->version});
    const auto removed = co_await question;
    if (removed) {
      co_return Done{};
    }
    if (removed.error().code != ErrorCode::bad_version) {
      co_return removed.error();
    }
    stat.reset();
  }
  co_return Failure::of(EAGAIN);
}

}  // namespace zabfs::fusefs
