#include "fusefs/streams.hpp"

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "fusefs/cache/standing_watch.hpp"
#include "fusefs/subtree_walk.hpp"
#include "fusefs/views/observed.hpp"
#include "fusefs/views/stream_news.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::fusefs {

using cache::Scope;
using cache::StandingNews;
using cache::StandingWatch;
using cache::Subscription;
using client::WatchNotice;
using handles::Feed;
using replication::ErrorCode;
using replication::Stat;
using replication::protocol::EventType;
using replication::protocol::ExistsRequest;
using replication::protocol::GetChildren2Request;
using replication::protocol::GetChildren2Response;
using replication::protocol::StatResponse;
using views::Change;
using views::Observed;
using views::StreamItem;
namespace limits = replication::limits;

struct Streams::Stream {
  std::shared_ptr<Feed> feed{};
  std::string path{};
  Scope scope{};
  views::StreamNews news{};
  Wake* waiting{};
  Subscription* one_shot{};
  bool is_set{};      // the standing watch is there
  bool is_refused{};  // one-shot watches take its place
  bool has_fired{};   // such a one has
  bool is_behind{};   // a catching-up did not succeed
  bool is_restarted{};
  bool is_overflowed{};
  bool is_over{};
  std::int64_t since{};  // whatever is not newer has been told

  Observed known{};  // of a znode

  // Of a subtree: what is in it, and whether all of it is in `paths`; and what the last catching-up
  // has told, of which events may still come.
  std::set<std::string> paths{};
  bool knows_all{};
  std::set<std::tuple<std::int64_t, std::string_view, std::string>> told{};

  bool is_subtree() const { return scope == Scope::subtree; }
  void ring();
  void hear(const StandingNews& heard);
  void tell(const Change& change);
  void tell_overflow();
  void begin_again_when_drained();

  // What a successor needs to go on behind what has been told (Feed::progress).
  void note_progress(std::int64_t told_until);
  void resume();
};

void Streams::Stream::note_progress(std::int64_t told_until) {
  feed->note_progress({told_until, known.exists ? 1 : 0, known.czxid, known.mzxid, known.pzxid,
                       is_overflowed ? 1 : 0});
}

void Streams::Stream::resume() {
  const std::vector<std::int64_t> progress = feed->progress();
  constexpr std::size_t fields = 6;
  if (progress.size() != fields) {
    return;
  }
  since = progress[0];
  known = {
      .exists = progress[1] != 0, .czxid = progress[2], .mzxid = progress[3], .pzxid = progress[4]};
  news.disconnected();
  if (progress[5] != 0) {
    is_overflowed = true;
    begin_again_when_drained();
  }
}

void Streams::Stream::ring() {
  if (waiting != nullptr) {
    waiting->ring();
  }
}

void Streams::Stream::hear(const StandingNews& heard) {
  using Kind = StandingNews::Kind;
  switch (heard.kind) {
    case Kind::set:
      is_set = true;
      break;
    case Kind::refused:
      is_refused = true;
      has_fired = true;  // What has happened before the one-shot watch is found by looking.
      break;
    case Kind::event:
      news.changed(*heard.notice);
      break;
    case Kind::disconnected:
      news.disconnected();
      break;
    case Kind::connected:
      news.connected();
      break;
    case Kind::expired:
      news.expired();
      break;
  }
  ring();
}

void Streams::Stream::tell(const Change& change) {
  // Of one transaction there may be more to tell.
  const std::int64_t told_until = is_subtree() ? std::max(since, change.zxid - 1) : since;
  since = std::max(since, change.zxid);
  if (is_overflowed) {
    return;
  }
  note_progress(told_until);
  if (feed->unread_bytes() > limits::stream_unread_bytes_max) {
    tell_overflow();
  } else {
    feed->add(change.line());
  }
}

void Streams::Stream::tell_overflow() {
  is_overflowed = true;
  note_progress(since);
  feed->add(views::event_line(since, "overflow", path));
  begin_again_when_drained();
}

void Streams::Stream::begin_again_when_drained() {
  feed->when_drained([this] {
    is_restarted = true;
    ring();
  });
}

Task<Outcome<Streams::State>> Streams::stat_of(Operation& operation, std::string path) {
  Ask<StatResponse> question(ensemble_, operation, ExistsRequest{.path = std::move(path)});
  const auto found = co_await question;
  if (!found && !is_absence(found.error())) {
    co_return found.error();
  }
  co_return found ? State(found->stat) : State();
}

Task<Outcome<Streams::State>> Streams::look(Operation& operation, Stream& stream) {
  stream.has_fired = false;
  if (!stream.is_refused) {
    std::string path = stream.path;
    const auto found = co_await stat_of(operation, std::move(path));
    co_return found;
  }
  stream.one_shot->renew();
  Ask<StatResponse> question(ensemble_, operation,
                             ExistsRequest{.path = stream.path, .watch = true});
  const auto found = co_await question;
  if (!found && !is_absence(found.error())) {
    co_return found.error();
  }
  if (!found || found->stat.ephemeral_owner != 0) {
    co_return found ? State(found->stat) : State();
  }
  Ask<GetChildren2Response> children(ensemble_, operation,
                                     GetChildren2Request{.path = stream.path, .watch = true});
  const auto listed = co_await children;
  if (!listed && !is_absence(listed.error())) {
    co_return listed.error();
  }
  co_return State(listed ? listed->stat : found->stat);  // A deletion in between has fired.
}

// The state now, which is the first line, or that behind an overflow.
Task<Outcome<Done>> Streams::begin(Operation& operation, Stream& stream) {
  for (;;) {
    const bool is_watched = stream.is_set || stream.is_refused;
    const auto found = co_await look(operation, stream);
    if (!found) {
      co_return found.error();
    }
    // The watch was asked for before, so that its answer comes before that of the look; unless the
    // connection was lost meanwhile.
    if (stream.is_set || (stream.is_refused && is_watched)) {
      static_cast<void>(stream.news.take_events());
      stream.known = Observed::of(*found);
      stream.since = newest_zxid();
      stream.is_overflowed = false;
      const auto zxid = *found ? views::newest_of(**found) : stream.since;
      stream.tell({zxid, *found ? "exists" : "absent", stream.path});
      co_return Done{};
    }
    if (!stream.is_refused) {
      Wake wake(operation);
      stream.waiting = &wake;
      const auto woken = co_await wake;
      stream.waiting = nullptr;
      if (!woken) {
        co_return woken.error();
      }
    } else if (stream.is_subtree()) {
      co_return Failure::of(ErrorCode::unimplemented);
    }
  }
}

Task<Outcome<Done>> Streams::catch_up(Operation& operation, Stream& stream,
                                      std::vector<WatchNotice> heard) {
  const auto found = co_await look(operation, stream);
  if (!found) {
    stream.is_behind = true;
    co_return is_passing(found.error()) ? Outcome<Done>(Done{}) : found.error();
  }
  stream.is_behind = false;
  for (auto& notice : stream.news.take_events()) {
    heard.push_back(std::move(notice));
  }
  for (const auto& notice : heard) {
    const auto zxid = views::zxid_of(notice, *found, newest_zxid());
    stream.known.apply(notice.type, zxid);
    stream.tell({zxid, views::word_of(notice.type), stream.path});
  }
  const Observed now = Observed::of(*found);
  for (const auto& change : views::changes_between(stream.known, now, stream.path, newest_zxid())) {
    stream.tell(change);
  }
  stream.known = now;
  co_return Done{};
}

Task<Outcome<Done>> Streams::catch_up_subtree(Operation& operation, Stream& stream) {
  std::vector<Change> changes;
  std::set<std::string> seen;
  const std::int64_t since = stream.since;
  std::string top = stream.path;
  const auto walked = co_await walk_subtree(
      ensemble_, operation, std::move(top), [&](const std::string& path, const Stat& stat) {
        const bool is_new = stat.czxid > since;
        if (is_new && stream.paths.contains(path)) {
          changes.push_back({stat.czxid, "deleted", path});
        }
        if (is_new) {
          changes.push_back({stat.czxid, "created", path});
        }
        if (stat.mzxid > std::max(since, stat.czxid)) {
          changes.push_back({stat.mzxid, "changed", path});
        }
        if (!stream.knows_all && stat.pzxid > std::max(since, stat.czxid)) {
          changes.push_back({stat.pzxid, "children", path});  // Who has gone is not known.
        }
        seen.insert(path);
        return seen.size() <= limits::watched_subtree_znodes_max;
      });
  if (!walked) {
    stream.is_behind = true;
    co_return is_passing(walked.error()) ? Outcome<Done>(Done{}) : walked.error();
  }
  stream.is_behind = false;
  if (seen.size() > limits::watched_subtree_znodes_max) {
    stream.knows_all = false;
    seen.clear();
    stream.tell_overflow();
  } else {
    // What is below goes before what is above it.
    for (auto path = stream.paths.rbegin(); path != stream.paths.rend(); ++path) {
      if (!seen.contains(*path) && !stream.news.has_event(EventType::deleted, *path)) {
        changes.push_back({newest_zxid(), "deleted", *path});
      }
    }
    stream.knows_all = true;
  }
  stream.paths = std::move(seen);
  std::ranges::stable_sort(changes, {}, &Change::zxid);
  for (const auto& change : changes) {
    stream.tell(change);
    stream.told.emplace(change.zxid, change.word, change.path);
  }
  co_return Done{};
}

Task<Outcome<Done>> Streams::tell_event(Operation& operation, Stream& stream, WatchNotice notice) {
  if (!stream.is_subtree() && !notice.zxid) {
    std::vector<WatchNotice> heard{std::move(notice)};
    const auto done = co_await catch_up(operation, stream, std::move(heard));
    co_return done;
  }
  State now;
  if (!notice.zxid) {
    std::string path = notice.path;
    const auto found = co_await stat_of(operation, std::move(path));
    if (!found && !is_passing(found.error()) && found.error().code != ErrorCode::no_auth) {
      co_return found.error();
    }
    now = found ? *found : State();
  }
  const auto zxid = views::zxid_of(notice, now, newest_zxid());
  const Change change{zxid, views::word_of(notice.type), notice.path};
  stream.known.apply(notice.type, zxid);
  const bool has_room = stream.paths.size() < limits::watched_subtree_znodes_max;
  if (notice.type == EventType::created && stream.is_subtree() && has_room) {
    stream.paths.insert(notice.path);
  } else if (notice.type == EventType::deleted) {
    stream.paths.erase(notice.path);
  }
  if (!stream.told.contains({change.zxid, change.word, change.path})) {
    stream.tell(change);
  }
  co_return Done{};
}

Task<Outcome<Done>> Streams::tell_next(Operation& operation, Stream& stream) {
  using Kind = StreamItem::Kind;
  if (stream.news.is_overrun() && !stream.is_overflowed) {
    stream.news.forget_overrun();
    stream.tell_overflow();
    co_return Done{};
  }
  StreamItem item = stream.news.take();
  bool must_catch_up = false;
  switch (item.kind) {
    case Kind::event: {
      const auto told = co_await tell_event(operation, stream, std::move(item.notice));
      co_return told;
    }
    case Kind::disconnected:
      stream.tell({stream.since, "disconnected", stream.path});
      break;
    case Kind::connected:
      stream.tell({stream.since, "connected", stream.path});
      must_catch_up = true;
      break;
    case Kind::expired:
      stream.is_over = true;
      stream.feed->add(views::event_line(stream.since, "expired", stream.path));
      break;
  }
  if (must_catch_up && stream.is_subtree()) {
    const auto done = co_await catch_up_subtree(operation, stream);
    co_return done;
  }
  if (must_catch_up) {
    std::vector<WatchNotice> none;
    const auto done = co_await catch_up(operation, stream, std::move(none));
    co_return done;
  }
  co_return Done{};
}

Detached Streams::learn_subtree(std::shared_ptr<Stream> stream) {
  Operation operation(operations_, {.request = stream.get()});
  stream->paths.clear();
  stream->knows_all = false;
  std::string top = stream->path;
  const auto walked = co_await walk_subtree(
      ensemble_, operation, std::move(top), [&](const std::string& path, const Stat&) {
        stream->paths.insert(path);
        return stream->paths.size() <= limits::watched_subtree_znodes_max;
      });
  stream->knows_all =
      walked.has_value() && stream->paths.size() <= limits::watched_subtree_znodes_max;
  if (!stream->knows_all) {
    stream->paths.clear();
  }
}

Detached Streams::run(std::shared_ptr<Feed> feed, std::string path, Scope scope) {
  Operation operation(operations_, {.request = feed.get()});
  const auto stream = std::make_shared<Stream>();
  stream->feed = feed;
  stream->path = path;
  stream->scope = scope;
  Stream* const own = stream.get();
  StandingWatch watch(ensemble_, path, scope, [own](const StandingNews& news) { own->hear(news); });
  stream->is_set = watch.is_set();
  stream->is_refused = watch.is_refused();
  Subscription one_shot(ensemble_.events(), path, [own](const auto&) {
    own->has_fired = true;
    own->ring();
  });
  stream->one_shot = &one_shot;
  const bool is_resumed = !feed->progress().empty();
  Outcome<Done> done = Done{};
  if (is_resumed) {
    stream->resume();
  } else {
    done = co_await begin(operation, *stream);
  }
  if (done) {
    feed->begin();
  }
  bool learns = stream->is_subtree() && !is_resumed;
  while (done && !stream->is_over) {
    if (std::exchange(learns, false)) {
      operations_.interrupt(own);  // An earlier one.
      learn_subtree(stream);
    }
    if (stream->is_restarted && !stream->is_behind) {
      done = co_await begin(operation, *stream);
      stream->is_restarted = !done.has_value();
      learns = done && stream->is_subtree();
      if (!done && is_passing(done.error())) {
        stream->is_behind = true;
        done = Done{};
      }
    } else if (!stream->news.is_empty() || (stream->news.is_overrun() && !stream->is_overflowed)) {
      done = co_await tell_next(operation, *stream);
    } else if (stream->has_fired && !stream->is_behind) {
      std::vector<WatchNotice> none;
      done = co_await catch_up(operation, *stream, std::move(none));
    } else {
      stream->since = std::max(stream->since, stream->is_behind ? 0 : newest_zxid());
      stream->told.clear();
      stream->note_progress(stream->since);
      Wake wake(operation);
      stream->waiting = &wake;
      done = co_await wake;
      stream->waiting = nullptr;
    }
  }
  feed->when_drained({});
  operations_.interrupt(own);
  if (done) {
    feed->end();
  } else {
    feed->fail(done.error().errno_value);
  }
}

}  // namespace zabfs::fusefs
