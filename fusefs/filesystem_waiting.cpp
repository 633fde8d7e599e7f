// Views that wait: `N@exists`, `N@gone`, `N@next`, `N@next=ZXID`; and streams, which streams.hpp is
// about: `N@watch`, `N@watch=r`. Each open of one is a wait of its
// own, which ends with the last close; whoever reads or polls waits for
// its one line.
//
//   view      the line comes                                          the line
//   --------  ------------------------------------------------------ ------------------------------
//   @exists   when there is a znode                                   ZXID exists PATH, or created
//   @gone     when there is none                                      ZXID absent PATH, or deleted
//   @next     at the first change after the open                      ZXID EVENT PATH
//   @next=Z   at once if there is a newer transaction than Z, or at   ZXID EVENT PATH
//             the next change
//
// EVENT is created, changed, deleted or children; `exists` and `absent` say that it was so already.
// The ZXID is decimal, and that of the change; where a server does not tell it in the event (Apache
// ZooKeeper before 3.9), the Stat does, and of a deletion the newest transaction that is known.
//
// A wait asks for the state with a watch, and again when it fires, unless the event says all there
// is to say. It goes on over lost connections and expired sessions; the client sets the watches
// again and hears what it missed. A waiting process costs no thread and no request.
#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "fusefs/filesystem.hpp"
#include "fusefs/views/observed.hpp"
#include "replication/model/path.hpp"

namespace zabfs::fusefs {

using cache::Subscription;
using client::WatchNotice;
using handles::Feed;
using handles::FeedHandle;
using handles::Handle;
using inodes::Inode;
using naming::View;
using replication::ErrorCode;
using replication::Stat;
using replication::protocol::EventType;
using replication::protocol::ExistsRequest;
using replication::protocol::GetChildren2Request;
using replication::protocol::GetChildren2Response;
using replication::protocol::StatResponse;
using views::event_line;
using views::newest_of;
using views::word_of;

namespace {

// What is waited for.
struct Wait {
  std::string path{};
  View view{};
  std::optional<std::int64_t> after{};
  bool was_absent{};  // when a predecessor of this process began to wait
};

// What the ensemble says of a znode; nothing for `stat` if there is none.
struct State {
  std::optional<Stat> stat{};
  std::optional<WatchNotice> event{};  // since the last look
  std::int64_t newest_zxid{};          // that any reply carried
  std::int64_t parent_pzxid{};         // if there is no znode
};

std::string_view newest_event_of(const Stat& stat) {
  if (stat.pzxid > stat.mzxid) {
    return "children";
  }
  return stat.mzxid == stat.czxid ? "created" : "changed";
}

std::int64_t zxid_of(const WatchNotice& event, const State& state) {
  return views::zxid_of(event, state.stat, state.newest_zxid);
}

// The line that ends the wait; nullopt if it goes on.
std::optional<std::string> line_for(const Wait& wait, const State& state) {
  const auto& event = state.event;
  if (wait.view == View::exists) {
    if (!state.stat) {
      return std::nullopt;
    }
    return event_line(state.stat->czxid, event ? "created" : "exists", wait.path);
  }
  if (wait.view == View::gone) {
    if (state.stat) {
      return std::nullopt;
    }
    const bool was_heard = event && event->type == EventType::deleted;
    return event_line(was_heard ? zxid_of(*event, state) : state.newest_zxid,
                      was_heard ? "deleted" : "absent", wait.path);
  }
  if (event) {
    return event_line(zxid_of(*event, state), word_of(event->type), wait.path);
  }
  if (wait.after && state.stat && newest_of(*state.stat) > *wait.after) {
    return event_line(newest_of(*state.stat), newest_event_of(*state.stat), wait.path);
  }
  if (wait.after && !state.stat && !wait.was_absent && state.parent_pzxid > *wait.after) {
    return event_line(state.parent_pzxid, "absent", wait.path);
  }
  return std::nullopt;
}

}  // namespace

bool is_waiting_view(View view) {
  return view == View::exists || view == View::gone || view == View::next || is_stream(view);
}

bool is_stream(View view) { return view == View::watch || view == View::watch_recursive; }

Task<Outcome<Handle>> Filesystem::open_wait(Operation& operation, InodeNumber number) {
  const Inode* inode = inodes_.find(number);
  const auto feed = std::make_shared<Feed>();
  if (is_stream(inode->view)) {
    streams_.run(feed, inode->path,
                 inode->view == View::watch ? cache::Scope::znode : cache::Scope::subtree);
  } else {
    wait_for_change(feed, inode->path, inode->view, inode->parameter);
  }
  Wake begun(operation);
  feed->when_begun([&begun] { begun.ring(); });
  const auto woken = co_await begun;
  feed->when_begun({});
  if (!woken) {
    operations_.interrupt(feed.get());
    co_return woken.error();
  }
  if (feed->error() == ENOTSUP) {
    journal_.note(
        "the server cannot watch a subtree (N@watch=r): that takes ZooKeeper 3.6 or newer");
  }
  if (feed->error() != 0) {
    co_return Failure::of(feed->error());
  }
  co_return Handle{.inode = number, .body = FeedHandle{feed}};
}

Detached Filesystem::wait_for_change(std::shared_ptr<Feed> feed, std::string path, View view,
                                     std::int64_t after) {
  Operation operation(operations_, {.request = feed.get()});
  Wait wait{.path = path, .view = view, .after = {}};
  if (after != no_zxid) {
    wait.after = after;
  }
  if (const auto& progress = feed->progress(); progress.size() == 2) {
    wait.after = wait.after.value_or(progress[0]);
    wait.was_absent = after == no_zxid && progress[1] == 0;
  }
  std::optional<WatchNotice> event;
  Wake* waiting = nullptr;
  bool has_changed = false;
  Subscription told(ensemble_.events(), path, [&](const std::optional<WatchNotice>& notice) {
    has_changed = true;
    if (notice) {
      event = notice;
    }
    if (waiting != nullptr) {
      waiting->ring();
    }
  });
  for (;;) {
    told.renew();
    has_changed = false;
    State state;
    const auto looked = co_await look_with_watch(operation, path, view == View::next);
    if (looked || is_absence(looked.error())) {
      if (looked) {
        state.stat = *looked;
      } else if (wait.after) {
        const std::string parent(replication::parent_of(path));
        Ask<StatResponse> question(ensemble_, operation, ExistsRequest{.path = parent});
        const auto found = co_await question;
        state.parent_pzxid = found ? found->stat.pzxid : 0;
      }
      state.event = std::exchange(event, std::nullopt);
      state.newest_zxid = ensemble_.client().last_zxid().wire();
      if (feed->progress().empty()) {
        feed->note_progress({state.newest_zxid, state.stat ? 1 : 0});
      }
      if (const auto text = line_for(wait, state)) {
        feed->add(*text);
        co_return feed->end();
      }
    } else if (!feed->has_begun() || !is_passing(looked.error())) {
      co_return feed->fail(looked.error().errno_value);
    }
    feed->begin();
    const bool must_wait_for_session = !looked && looked.error().code == ErrorCode::session_expired;
    if (!has_changed && (looked || is_absence(looked.error()) || must_wait_for_session)) {
      Wake wake(operation);
      waiting = &wake;
      const auto woken = co_await wake;
      waiting = nullptr;
      if (!woken) {
        co_return feed->fail(EINTR);  // The file is closed, or the mount ends.
      }
      if (view == View::next && event && event->zxid) {
        // It came after the answer that the wait began with, so it is later than that; and
        // thousands may wait for it: none of them has to ask.
        feed->add(event_line(event->zxid->wire(), word_of(event->type), path));
        co_return feed->end();
      }
    }
  }
}

Task<Outcome<Stat>> Filesystem::look_with_watch(Operation& operation, std::string path,
                                                bool with_children) {
  Ask<StatResponse> question(ensemble_, operation, ExistsRequest{.path = path, .watch = true});
  const auto found = co_await question;
  if (!found) {
    co_return found.error();
  }
  if (!with_children || found->stat.ephemeral_owner != 0) {
    co_return found->stat;
  }
  Ask<GetChildren2Response> children(ensemble_, operation,
                                     GetChildren2Request{.path = path, .watch = true});
  const auto listed = co_await children;
  if (!listed && !is_absence(listed.error())) {
    co_return listed.error();
  }
  co_return listed ? listed->stat : found->stat;  // A deletion in between is an event by now.
}

Detached Filesystem::read_feed(Reply<Content> reply, HandleId id, bool is_nonblocking) {
  Operation operation(operations_, reply.ticket());
  const auto feed = std::get<FeedHandle>(handles_.find(id)->body).feed;
  if (!feed->is_ready() && is_nonblocking) {
    co_return std::move(reply).error(EAGAIN);
  }
  while (!feed->is_ready()) {
    Wake wake(operation);
    const auto number = feed->when_ready([&wake] { wake.ring(); });
    const auto woken = co_await wake;
    feed->forget(number);
    if (!woken) {
      co_return std::move(reply).error(EINTR);
    }
  }
  if (feed->error() != 0) {
    co_return std::move(reply).error(feed->error());
  }
  const std::string text = feed->take(reply.ticket().room);
  std::move(reply).with(Content{replication::bytes_of(text)});
}

void Filesystem::poll(Reply<Readiness> reply, HandleId id, std::function<void()> when_ready) {
  Handle* handle = handles_.find(id);
  if (handle == nullptr) {
    return std::move(reply).error(EBADF);
  }
  if (is_lost(*handle)) {
    return std::move(reply).with({.can_read = true, .can_write = true, .has_failed = true});
  }
  const auto* waits = std::get_if<FeedHandle>(&handle->body);
  if (waits == nullptr) {
    if (when_ready) {
      handle->when_lost = std::move(when_ready);
    }
    return std::move(reply).with({.can_read = true, .can_write = true});
  }
  const auto feed = waits->feed;
  std::move(reply).with({.can_read = feed->is_ready(), .has_failed = feed->error() != 0});
  if (!feed->is_ready() && when_ready) {
    feed->when_ready(std::move(when_ready));
  }
}

}  // namespace zabfs::fusefs
