#include "replication/pipeline/watching.hpp"

#include <optional>
#include <string>

#include "replication/pipeline/access.hpp"
#include "replication/protocol/codec.hpp"

namespace zabfs::replication::pipeline {
namespace {

using protocol::EventType;
using tree::kinds_of;
using tree::WatchKind;
using tree::WatchKinds;

// Which transaction it was is not known any more; ZooKeeper says -1 too.
void append_overdue(Bytes& out, EventType type, const std::string& path) {
  protocol::append_event(out, {.type = static_cast<std::int32_t>(type), .path = path}, -1);
}

std::optional<WatchKinds> kinds_of_type(std::int32_t type) {
  switch (protocol::WatcherType{type}) {
    case protocol::WatcherType::children:
      return kinds_of(WatchKind::child);
    case protocol::WatcherType::data:
      return kinds_of(WatchKind::data);
    case protocol::WatcherType::any:
      return tree::every_watch_kind;
    case protocol::WatcherType::persistent:
      return kinds_of(WatchKind::persistent);
    case protocol::WatcherType::persistent_recursive:
      return kinds_of(WatchKind::recursive);
  }
  return std::nullopt;
}

}  // namespace

bool Watching::may_read(const tree::Node& node) const {
  return is_allowed(tree_.acl_of(node), permission::read, identities_);
}

// False if there was no room for all of them.
template <class Request>
bool Watching::set_one_shot(const Request& request, Bytes& out) {
  bool has_room = true;
  const auto tell_or_set = [&](bool is_overdue, EventType type, WatchKind kind,
                               const std::string& path, const tree::Node* node) {
    if (!is_overdue) {
      has_room = table_.add(kind, connection_, path) && has_room;
    } else if (node == nullptr || may_read(*node)) {
      append_overdue(out, type, path);
    }
  };
  // What was read before a restore is overdue, however old the znode is that is there now.
  const tree::Node* restored = tree_.find(tree::Restore::path);
  const bool is_of_another_tree =
      restored != nullptr && request.relative_zxid < restored->mzxid.wire();
  const std::int64_t seen = is_of_another_tree ? -1 : request.relative_zxid;
  const auto absent_or = [](const tree::Node* node, EventType type) {
    return node == nullptr ? EventType::deleted : type;
  };
  for (const std::string& path : *request.data) {
    const tree::Node* node = tree_.find(path);
    tell_or_set(node == nullptr || node->mzxid.wire() > seen,
                absent_or(node, EventType::data_changed), WatchKind::data, path, node);
  }
  for (const std::string& path : *request.exist) {
    const tree::Node* node = tree_.find(path);
    tell_or_set(node != nullptr, EventType::created, WatchKind::data, path, node);
  }
  for (const std::string& path : *request.child) {
    const tree::Node* node = tree_.find(path);
    tell_or_set(node == nullptr || node->pzxid.wire() > seen,
                absent_or(node, EventType::children_changed), WatchKind::child, path, node);
  }
  return has_room;
}

ErrorCode Watching::set(const protocol::SetWatchesRequest& request, Bytes& out) {
  return set_one_shot(request, out) ? ErrorCode::ok : too_many_watches;
}

ErrorCode Watching::set(const protocol::SetWatches2Request& request, Bytes& out) {
  bool has_room = set_one_shot(request, out);
  for (const std::string& path : *request.persistent) {
    has_room = table_.add(WatchKind::persistent, connection_, path) && has_room;
  }
  for (const std::string& path : *request.persistent_recursive) {
    has_room = table_.add(WatchKind::recursive, connection_, path) && has_room;
  }
  return has_room ? ErrorCode::ok : too_many_watches;
}

ErrorCode Watching::add(const protocol::AddWatchRequest& request) {
  WatchKind kind{};
  switch (protocol::AddWatchMode{request.mode}) {
    case protocol::AddWatchMode::persistent:
      kind = WatchKind::persistent;
      break;
    case protocol::AddWatchMode::persistent_recursive:
      kind = WatchKind::recursive;
      break;
    default:
      return ErrorCode::marshalling_error;
  }
  return table_.add(kind, connection_, request.path) ? ErrorCode::ok : too_many_watches;
}

ErrorCode Watching::check(const protocol::CheckWatchesRequest& request) {
  const auto kinds = kinds_of_type(request.type);
  if (!kinds) {
    return ErrorCode::marshalling_error;
  }
  return table_.contains(*kinds, connection_, request.path) ? ErrorCode::ok : ErrorCode::no_watcher;
}

ErrorCode Watching::remove(const protocol::RemoveWatchesRequest& request) {
  const auto kinds = kinds_of_type(request.type);
  if (!kinds) {
    return ErrorCode::marshalling_error;
  }
  return table_.remove(*kinds, connection_, request.path) ? ErrorCode::ok : ErrorCode::no_watcher;
}

}  // namespace zabfs::replication::pipeline
