// Who watches what, by session and by path. Connections hold watches; operators know sessions.
#pragma once

#include <map>
#include <set>
#include <string_view>

#include "replication/inspection.hpp"

namespace zabfs::daemon::admin {

// The paths point into the table of watches: good until the next event.
inline std::map<replication::SessionId, std::set<std::string_view>> watched_by_session(
    const replication::Inspection& inside) {
  std::map<replication::SessionId, std::set<std::string_view>> by_session;
  inside.watches.for_each([&](std::string_view path, replication::ConnectionId connection,
                              auto /*kinds*/) {
    if (const auto found = inside.connections.find(connection); found != inside.connections.end()) {
      by_session[found->second.session].insert(path);
    }
  });
  return by_session;
}

inline std::map<std::string_view, std::set<replication::SessionId>> watchers_by_path(
    const replication::Inspection& inside) {
  std::map<std::string_view, std::set<replication::SessionId>> by_path;
  inside.watches.for_each([&](std::string_view path, replication::ConnectionId connection,
                              auto /*kinds*/) {
    if (const auto found = inside.connections.find(connection); found != inside.connections.end()) {
      by_path[path].insert(found->second.session);
    }
  });
  return by_path;
}

}  // namespace zabfs::daemon::admin
