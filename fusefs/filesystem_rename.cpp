// Renaming: one transaction that creates the new znode and deletes the old one, on condition that
// neither has changed since they were read.
//
//   what is renamed                           | answer
//   ------------------------------------------|---------------------------------------------------
//   a file                                    | moved with data and ACL; a file in its place goes
//   an empty directory without data           | moved; an empty directory in its place goes
//   a file onto `DIR@data`                    | its data become the directory's
//   a directory with children or data         | EXDEV: `mv` then copies and removes
//   an ephemeral file of another session      | EXDEV
//   a view                                    | EXDEV
//   onto a directory with children or data    | ENOTEMPTY
//
// A moved znode is a new one to the ensemble: its version begins at 0. Open files follow it.
#include <cerrno>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "fusefs/filesystem.hpp"
#include "fusefs/transactions.hpp"
#include "replication/model/create_mode.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::fusefs {

using inodes::Kind;
using inodes::Node;
using naming::View;
using replication::CreateMode;
using replication::ErrorCode;
using replication::limits::change_attempts_max;
using replication::protocol::Create2Request;
using replication::protocol::DeleteRequest;
using replication::protocol::GetAclRequest;
using replication::protocol::GetAclResponse;
using replication::protocol::GetDataRequest;
using replication::protocol::GetDataResponse;
using replication::protocol::MultiError;
using replication::protocol::MultiRequest;
using replication::protocol::MultiResponse;
using replication::protocol::PathStatResponse;
using replication::protocol::SetDataRequest;

namespace {

// Everything that renaming depends on, read together.
struct Situation {
  std::string from{};
  GetDataResponse source{};
  replication::Acl acl{};
  std::string to{};
  View target_view{};
  std::optional<Node> target{};
  replication::SessionId session{};
};

bool is_movable(const Situation& situation) {
  const auto& stat = situation.source.stat;
  const bool is_own = stat.ephemeral_owner == 0 || stat.ephemeral_owner == situation.session.value;
  return stat.num_children == 0 && is_own;
}

// The transaction, or why there is none.
Outcome<MultiRequest> plan(Situation&& situation, Kind kind, unsigned flags) {
  auto& [data, stat] = situation.source;
  const auto& target = situation.target;
  const bool has_bytes = stat.data_length > 0;
  if (target && situation.target_view == View::plain) {
    if ((flags & RENAME_NOREPLACE) != 0) {
      return Failure::of(EEXIST);
    }
    if (target->stat.num_children > 0 ||
        (kind == Kind::directory && target->stat.data_length > 0)) {
      return Failure::of(ENOTEMPTY);
    }
  }
  if (!is_movable(situation) || (kind == Kind::directory && has_bytes)) {
    return Failure::of(EXDEV);
  }
  MultiRequest request;
  const DeleteRequest removal{.path = situation.from, .version = stat.version};
  if (situation.target_view == View::data) {
    if (target && is_directory_by_null_data_only(situation.to, *target)) {
      request.operations = mark_as_directory(situation.to);
    }
    request.operations.emplace_back(SetDataRequest{.path = situation.to, .data = std::move(data)});
    request.operations.emplace_back(removal);
    return kind == Kind::file ? Outcome<MultiRequest>(std::move(request)) : Failure::of(EXDEV);
  }
  if (target) {
    request.operations.emplace_back(
        DeleteRequest{.path = situation.to, .version = target->stat.version});
  }
  const CreateMode mode{.ephemeral = stat.ephemeral_owner != 0};
  request.operations.emplace_back(
      Create2Request{.path = situation.to,
                     .data = kind == Kind::directory ? std::nullopt : std::move(data),
                     .acl = std::move(situation.acl),
                     .flags = mode.flags()});
  request.operations.emplace_back(removal);
  return request;
}

// True if a znode changed between reading and writing, so that reading again tells more.
bool is_conflict(ErrorCode code) {
  return code == ErrorCode::bad_version || code == ErrorCode::no_node ||
         code == ErrorCode::node_exists || code == ErrorCode::not_empty;
}

// True if the first operation is the one that failed.
bool fails_first(const MultiResponse& response) {
  const auto* error = std::get_if<MultiError>(&response.results.front().body);
  return error != nullptr && error->error != ErrorCode::ok;
}

}  // namespace

Detached Filesystem::rename(Reply<Done> reply, Place from, Place to, unsigned flags) {
  Operation operation(operations_, reply.ticket());
  if ((flags & ~static_cast<unsigned>(RENAME_NOREPLACE)) != 0) {
    co_return std::move(reply).error(EINVAL);
  }
  const auto source = co_await resolve_for_change(operation, std::move(from));
  if (!source) {
    co_return std::move(reply).refuse(source.error());
  }
  const auto target = co_await resolve_for_change(operation, std::move(to));
  if (!target) {
    co_return std::move(reply).refuse(target.error());
  }
  if (source->view != View::plain) {
    co_return std::move(reply).error(EXDEV);
  }
  // The kernel sees this too, but not through a view.
  if (target->path == source->path || target->path.starts_with(source->path + "/")) {
    co_return std::move(reply).error(EINVAL);
  }
  for (int attempt = 0; attempt < change_attempts_max; ++attempt) {
    const auto is_moved = co_await move_znode(operation, *source, *target, flags);
    if (!is_moved) {
      co_return std::move(reply).refuse(is_moved.error());
    }
    if (*is_moved) {
      co_return std::move(reply).with(Done{});
    }
  }
  std::move(reply).error(EAGAIN);
}

Task<Outcome<bool>> Filesystem::move_znode(Operation& operation, Target from, Target to,
                                           unsigned flags) {
  Ask<GetDataResponse> data_question(ensemble_, operation, GetDataRequest{.path = from.path});
  Ask<GetAclResponse> acl_question(ensemble_, operation, GetAclRequest{.path = from.path});
  auto source = co_await data_question;
  if (!source) {
    co_return source.error();
  }
  auto access = co_await acl_question;
  if (!access) {
    co_return access.error();
  }
  const auto target = co_await inspect(operation, to);
  if (!target && target.error().code != ErrorCode::no_node) {
    co_return target.error();
  }
  const Node node = node_of(*source);
  Situation situation{.from = from.path,
                      .source = std::move(*source),
                      .acl = std::move(access->acl),
                      .to = to.path,
                      .target_view = to.view,
                      .session = ensemble_.client().session()};
  if (target) {
    situation.target = *target;
  }
  auto request = plan(std::move(situation), inodes::kind_of(node), flags);
  if (!request) {
    co_return request.error();
  }
  Ask<MultiResponse> move_question(ensemble_, operation, std::move(*request));
  const auto response = co_await move_question;
  if (!response) {
    co_return response.error();
  }
  if (const ErrorCode code = error_of(*response); code != ErrorCode::ok) {
    // Without a target, the first operation creates.
    const bool has_no_parent = !target && code == ErrorCode::no_node && fails_first(*response);
    co_return is_conflict(code) && !has_no_parent ? Outcome<bool>(false) : Failure::of(code);
  }
  if (to.view == View::data) {
    inodes_.remove(from.path);
  } else {
    inodes_.move(from.path, to.path,
                 {.stat = stat_in<PathStatResponse>(*response), .data = node.data});
  }
  co_return true;
}

}  // namespace zabfs::fusefs
