#include "fusefs/client/watch_book.hpp"

#include <variant>

#include "replication/model/limits.hpp"

namespace zabfs::fusefs::client {
namespace {

using replication::ErrorCode;
using replication::protocol::EventType;
using replication::protocol::OpCode;
using replication::protocol::Request;
using replication::protocol::SetWatchesRequest;

template <class Record>
concept HasWatch = requires(Record& record) {
  record.watch;
};

}  // namespace

const std::string* watched_path(const Request& request) {
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
  const auto* path = watched_path(request);
  if (path == nullptr) {
    return;
  }
  const auto op = op_of(request);
  if (outcome == ErrorCode::no_node && op == OpCode::exists) {
    exist_.insert(*path);
  } else if (outcome == ErrorCode::ok) {
    (op == OpCode::exists || op == OpCode::get_data ? data_ : child_).insert(*path);
  }
}

bool WatchBook::fire(EventType type, const std::string& path) {
  std::size_t fired = 0;
  if (type != EventType::children_changed) {
    fired += data_.erase(path) + exist_.erase(path);
  }
  if (type == EventType::children_changed || type == EventType::deleted) {
    fired += child_.erase(path);
  }
  return fired > 0;
}

std::vector<SetWatchesRequest> WatchBook::batches(std::int64_t relative_zxid) const {
  using List = std::optional<std::vector<std::string>> SetWatchesRequest::*;
  std::vector<SetWatchesRequest> batches;
  std::size_t bytes = 0;
  const auto add = [&](const std::unordered_set<std::string>& paths, List list) {
    for (const auto& path : paths) {
      if (batches.empty() || bytes + path.size() > replication::limits::set_watches_batch_bytes) {
        batches.push_back({.relative_zxid = relative_zxid,
                           .data = std::vector<std::string>{},
                           .exist = std::vector<std::string>{},
                           .child = std::vector<std::string>{}});
        bytes = 0;
      }
      (batches.back().*list)->push_back(path);
      bytes += path.size() + sizeof(std::int32_t);
    }
  };
  add(data_, &SetWatchesRequest::data);
  add(exist_, &SetWatchesRequest::exist);
  add(child_, &SetWatchesRequest::child);
  return batches;
}

}  // namespace zabfs::fusefs::client
