#include "fusefs/client/watch_book.hpp"

#include <utility>
#include <variant>

#include "replication/model/limits.hpp"
#include "replication/model/path.hpp"

namespace zabfs::fusefs::client {
namespace {

using replication::ErrorCode;
using replication::protocol::AddWatchMode;
using replication::protocol::AddWatchRequest;
using replication::protocol::EventType;
using replication::protocol::OpCode;
using replication::protocol::RemoveWatchesRequest;
using replication::protocol::Request;
using replication::protocol::SetWatches2Request;
using replication::protocol::SetWatchesRequest;
using replication::protocol::WatcherType;

template <class Record>
concept HasWatch = requires(Record& record) {
  record.watch;
};

// The older form, if it can say the same.
Request in_oldest_form(SetWatches2Request request) {
  if (!request.persistent->empty() || !request.persistent_recursive->empty()) {
    return request;
  }
  return SetWatchesRequest{.relative_zxid = request.relative_zxid,
                           .data = std::move(request.data),
                           .exist = std::move(request.exist),
                           .child = std::move(request.child)};
}

}  // namespace

const std::string* watched_path(const Request& request) {
  if (const auto* add = std::get_if<AddWatchRequest>(&request)) {
    return &add->path;
  }
  return std::visit(
      [](const auto& record) -> const std::string* {
        if constexpr (HasWatch<decltype(record)>) {
          return record.watch ? &record.path : nullptr;
        } else {
          return nullptr;
        }
      },
      request);
}

void WatchBook::record(const Request& request, ErrorCode outcome) {
  if (const auto* remove = std::get_if<RemoveWatchesRequest>(&request)) {
    if (outcome == ErrorCode::ok || outcome == ErrorCode::no_watcher) {
      record_removal(remove->path, remove->type);
    }
    return;
  }
  const auto* path = watched_path(request);
  if (path == nullptr) {
    return;
  }
  const auto op = op_of(request);
  if (outcome == ErrorCode::no_node && op == OpCode::exists) {
    exist_.insert(*path);
  } else if (outcome != ErrorCode::ok) {
    return;
  } else if (const auto* add = std::get_if<AddWatchRequest>(&request)) {
    (AddWatchMode{add->mode} == AddWatchMode::persistent ? persistent_ : recursive_).insert(*path);
  } else {
    (op == OpCode::exists || op == OpCode::get_data ? data_ : child_).insert(*path);
  }
}

void WatchBook::record_removal(const std::string& path, std::int32_t type) {
  const WatcherType kind{type};
  const auto erase = [&](WatcherType of, Paths& paths) {
    if (kind == of || kind == WatcherType::any) {
      paths.erase(path);
    }
  };
  erase(WatcherType::data, data_);
  erase(WatcherType::data, exist_);
  erase(WatcherType::children, child_);
  erase(WatcherType::persistent, persistent_);
  erase(WatcherType::persistent_recursive, recursive_);
}

bool WatchBook::fire(EventType type, const std::string& path) {
  std::size_t fired = persistent_.count(path);
  if (type != EventType::children_changed) {
    fired += data_.erase(path) + exist_.erase(path) + (is_below_recursive(path) ? 1 : 0);
  }
  if (type == EventType::children_changed || type == EventType::deleted) {
    fired += child_.erase(path);
  }
  return fired > 0;
}

void WatchBook::keep(const std::function<bool(const std::string&)>& is_needed) {
  for (Paths* paths : {&data_, &exist_, &child_}) {
    std::erase_if(*paths, [&](const std::string& path) { return !is_needed(path); });
  }
}

// True if the path, or one above it, is watched recursively.
bool WatchBook::is_below_recursive(std::string_view path) const {
  while (!recursive_.empty() && !path.empty()) {
    if (recursive_.contains(std::string(path))) {
      return true;
    }
    path = path == "/" ? std::string_view{} : replication::parent_of(path);
  }
  return false;
}

std::vector<Request> WatchBook::batches(std::int64_t relative_zxid) const {
  using List = std::optional<std::vector<std::string>> SetWatches2Request::*;
  std::vector<SetWatches2Request> batches;
  std::size_t bytes = 0;
  const auto add = [&](const Paths& paths, List list) {
    for (const auto& path : paths) {
      if (batches.empty() || bytes + path.size() > replication::limits::set_watches_batch_bytes) {
        batches.push_back({.relative_zxid = relative_zxid,
                           .data = std::vector<std::string>{},
                           .exist = std::vector<std::string>{},
                           .child = std::vector<std::string>{},
                           .persistent = std::vector<std::string>{},
                           .persistent_recursive = std::vector<std::string>{}});
        bytes = 0;
      }
      (batches.back().*list)->push_back(path);
      bytes += path.size() + sizeof(std::int32_t);
    }
  };
  add(data_, &SetWatches2Request::data);
  add(exist_, &SetWatches2Request::exist);
  add(child_, &SetWatches2Request::child);
  add(persistent_, &SetWatches2Request::persistent);
  add(recursive_, &SetWatches2Request::persistent_recursive);
  std::vector<Request> requests;
  for (auto& batch : batches) {
    requests.push_back(in_oldest_form(std::move(batch)));
  }
  return requests;
}

}  // namespace zabfs::fusefs::client
