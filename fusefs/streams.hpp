// Streams of changes: `N@watch` of one znode, `N@watch=r` of a subtree.
//
// The first line is the state now; then comes a line for each change, none before its data can be
// read, and none is lost:
//
//   what happens                | what is told
//   ----------------------------|-----------------------------------------------------------------
//   an event                    | its line. Where events carry no zxid, the Stat is asked for it
//   the connection is lost      | `disconnected`; back again, `connected`, and all that has changed
//                               | meanwhile, found by comparing
//   the session has expired     | `expired`, and the end: ephemeral znodes and locks are gone
//   nobody reads                | up to limits::stream_unread_bytes_max are kept; behind them
//                               | `overflow`. When all is read, it begins again with the state
//
// The watches are standing ones. Servers before ZooKeeper 3.6 have none: there a znode is watched
// by one-shot watches and compared with each, so that changes in quick succession are one line; a
// subtree cannot be watched.
#pragma once

#include <memory>
#include <string>

#include "fusefs/cache/coherence.hpp"
#include "fusefs/failure.hpp"
#include "fusefs/handles/feed.hpp"
#include "fusefs/operation.hpp"
#include "fusefs/task.hpp"
#include "replication/model/stat.hpp"

namespace zabfs::fusefs {

class Streams {
 public:
  // Both outlive this.
  Streams(cache::Coherence& ensemble, OperationTable& operations)
      : ensemble_(ensemble), operations_(operations) {}

  // Feeds `feed` until the request `feed.get()` is interrupted. Fails with ENOTSUP if the server
  // cannot watch that.
  // With a feed that has progress, goes on where a predecessor of this process was, as after a lost
  // connection.
  Detached run(std::shared_ptr<handles::Feed> feed, std::string path, cache::Scope scope);

 private:
  struct Stream;
  using State = std::optional<replication::Stat>;

  Task<Outcome<Done>> begin(Operation& operation, Stream& stream);
  Task<Outcome<Done>> tell_next(Operation& operation, Stream& stream);
  Task<Outcome<Done>> tell_event(Operation& operation, Stream& stream, client::WatchNotice notice);
  Task<Outcome<State>> look(Operation& operation, Stream& stream);
  Task<Outcome<State>> stat_of(Operation& operation, std::string path);
  // Tells what the look finds, the events that were heard before it among them.
  Task<Outcome<Done>> catch_up(Operation& operation, Stream& stream,
                               std::vector<client::WatchNotice> heard);
  Task<Outcome<Done>> catch_up_subtree(Operation& operation, Stream& stream);
  Detached learn_subtree(std::shared_ptr<Stream> stream);
  std::int64_t newest_zxid() const { return ensemble_.client().last_zxid().wire(); }

  cache::Coherence& ensemble_;
  OperationTable& operations_;
};

}  // namespace zabfs::fusefs
