#include "fusefs/views/stream_news.hpp"

#include <algorithm>
#include <utility>

#include "replication/model/limits.hpp"

namespace zabfs::fusefs::views {

using client::WatchNotice;
using Kind = StreamItem::Kind;

namespace {

std::size_t bytes_of(const WatchNotice& notice) { return sizeof(StreamItem) + notice.path.size(); }

}  // namespace

void StreamNews::changed(const WatchNotice& notice) {
  if (is_cut_off_ || is_overrun_) {
    return;
  }
  if (bytes_ + bytes_of(notice) > replication::limits::stream_unread_bytes_max) {
    static_cast<void>(take_events());
    is_overrun_ = true;
    return;
  }
  bytes_ += bytes_of(notice);
  items_.push_back({.kind = Kind::event, .notice = notice});
}

void StreamNews::disconnected() {
  is_cut_off_ = true;
  items_.push_back({.kind = Kind::disconnected});
}

void StreamNews::connected() {
  if (std::exchange(is_cut_off_, false)) {
    items_.push_back({.kind = Kind::connected});
  }
}

StreamItem StreamNews::take() {
  StreamItem item = std::move(items_.front());
  items_.pop_front();
  if (item.kind == Kind::event) {
    bytes_ -= bytes_of(item.notice);
  }
  return item;
}

std::vector<WatchNotice> StreamNews::take_events() {
  std::vector<WatchNotice> events;
  std::erase_if(items_, [&](StreamItem& item) {
    if (item.kind == Kind::event) {
      events.push_back(std::move(item.notice));
    }
    return item.kind == Kind::event;
  });
  bytes_ = 0;
  return events;
}

bool StreamNews::has_event(replication::protocol::EventType type, const std::string& path) const {
  return std::ranges::any_of(items_, [&](const StreamItem& item) {
    return item.kind == Kind::event && item.notice.type == type && item.notice.path == path;
  });
}

}  // namespace zabfs::fusefs::views
