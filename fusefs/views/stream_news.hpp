// What a stream of changes has heard and not worked through yet, between the watch that hears and
// the coroutine that tells.
//
// Events are taken only while there is a connection: what happens in between is found by looking,
// once for all. They are bounded by limits::stream_unread_bytes_max; beyond that they are dropped,
// and is_overrun() says that the state must be told anew.
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "fusefs/client/client.hpp"

namespace zabfs::fusefs::views {

struct StreamItem {
  enum class Kind { event, disconnected, connected, expired };
  Kind kind{};
  client::WatchNotice notice{};  // of an event
};

class StreamNews {
 public:
  // In the order in which it happens.
  void changed(const client::WatchNotice& notice);
  void disconnected();
  void connected();
  void expired() { items_.push_back({.kind = StreamItem::Kind::expired}); }

  bool is_empty() const { return items_.empty(); }
  StreamItem take();

  // Events that wait, which a reply that has just come is as new as; they are no more.
  std::vector<client::WatchNotice> take_events();
  // True if such an event is among them.
  bool has_event(replication::protocol::EventType type, const std::string& path) const;

  bool is_overrun() const { return is_overrun_; }
  void forget_overrun() { is_overrun_ = false; }

 private:
  std::deque<StreamItem> items_{};
  std::size_t bytes_{};
  bool is_cut_off_{};
  bool is_overrun_{};
};

}  // namespace zabfs::fusefs::views
