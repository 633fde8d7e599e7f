#include <string>

#include "replication/pipeline/access.hpp"
#include "replication/protocol/codec.hpp"
#include "replication/replica_state.hpp"

namespace zabfs::replication {

// Tells those who wait for it, and may read the znode, of each event: in the order of the events,
// and with the same bytes for everybody. A watch that fires once is used up all the same.
void Replica::State::notify(const tree::Applied& applied) {
  for (const tree::Event& event : applied.events) {
    watches_.fire(event, fired_);
    count_watches(event.kind, fired_.size());
    if (fired_.empty()) {
      continue;
    }
    const Acl& acl = tree_.acl_of(event);
    const bool may_everybody_read = pipeline::is_allowed(acl, permission::read, {});
    notice_.clear();
    protocol::append_event(
        notice_, {.type = static_cast<std::int32_t>(event.kind), .path = std::string(event.path)},
        tree_.last_applied().wire());
    for (const ConnectionId watcher : fired_) {
      if (may_everybody_read ||
          pipeline::is_allowed(acl, permission::read, connections_.at(watcher).identities)) {
        Bytes& out = ports_.clients.outbox(watcher);
        out.insert(out.end(), notice_.begin(), notice_.end());
      }
    }
  }
}

}  // namespace zabfs::replication
