// Keeps what the mount knows of znodes as true as asking the ensemble would be, by watches; every
// request of the file system to the ensemble goes through here.
//
// The guarantee (docs/coherence.md numbers its parts, with a test for each): answers given from
// this knowledge are those that the ensemble could have given to this client at that moment. So
// once a process has learned of a change through the mount, no later system call on the mount shows
// anything older than it, of any znode; a process sees its own writes; and what one process saw, no
// other process of the mount sees undone.
//
// It holds because knowledge is entered only from a read that set a watch itself, and leaves
//   - when an event comes for the path. Events and replies come on one connection in one order, an
//     event before any reply that is as new as its change;
//   - when the connection is lost or the session ends: nobody watches any more;
//   - when the mount itself sends a write of the path. Until that is answered, reads of it go to
//   the
//     ensemble, behind the write.
// Whatever leaves is taken back from the kernel first, if it was given it (kernel_copies.hpp).
// A reply does not enter if one of the three happened while its read was under way: its watch may
// have fired, or be one of a connection that is gone. What an event says is excepted while the read
// travels behind a write that has no answer yet: the server answers the write before it reads, so
// the event is of before the read.
//
// Not covered, and so never answered from here: fields that no watch reports (numChildren,
// cversion, pzxid, aversion, the ACL). While the server is silent, nothing new can be learned and
// nothing old is taken back; the client gives such a server up after two thirds of the session's
// timeout, and everything is forgotten then.
//
// Which reads set watches. A watch costs the server memory, and a request to take it back, so a
// path is watched only when it is used a second time: a `find` over the whole tree leaves none
// behind. What was used once is remembered as a hash in a table of limits::recent_paths_remembered
// places, where a newer path takes an older one's. What is dropped from memory to make room is not
// watched any more, unless somebody else waits for it; and of what is forgotten with a lost
// connection nothing is watched on the next. At limits::cache_watches_max watches no new path is
// watched.
//
// Everything happens on one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "fusefs/cache/event_hub.hpp"
#include "fusefs/cache/kernel_copies.hpp"
#include "fusefs/cache/node_cache.hpp"
#include "fusefs/cache/own_changes.hpp"
#include "fusefs/cache/standing_watch.hpp"
#include "fusefs/client/client.hpp"
#include "replication/model/limits.hpp"
#include "replication/protocol/op_code.hpp"
#include "replication/protocol/requests.hpp"

namespace zabfs::fusefs::cache {

class Coherence;

// A request under way that sets a watch or writes, or any other, for which it does nothing. It
// lasts until the request is answered or given up, and must not outlive the Coherence.
class Underway {
 public:
  // `is_seen`: the kernel sees the change by the names of what is changed (own_changes.hpp).
  Underway(Coherence& coherence, const replication::protocol::Request& request,
           bool is_seen = true);
  Underway(const Underway&) = delete;
  Underway& operator=(const Underway&) = delete;
  ~Underway() { end(); }

  // Enters what the reply says, if that is guarded; and whose the notices of a write are.
  void answered(const replication::Result<client::Reply>& reply);

  // The write behind which this read was sent has just been answered.
  void write_answered();

 private:
  void end();

  Coherence& coherence_;
  replication::protocol::OpCode op_{};
  std::string path_{};                  // empty if the request sets no watch, or is answered
  std::uint64_t started_{};             // when, in the count of what has happened
  bool is_behind_write_{};              // which has succeeded
  std::vector<std::string> changed_{};  // by a write that is to be told from those of others
};

class Coherence {
 public:
  explicit Coherence(client::Client& client) { use(client); }
  Coherence(const Coherence&) = delete;
  Coherence& operator=(const Coherence&) = delete;

  // From now on `client` is asked, and its watches are heard: the session before it has ended.
  void use(client::Client& client);
  client::Client& client() const { return *client_; }

  // Nobody watches any more; and again.
  void connection_lost();
  void connected() { standing_.connected(); }

  // What is known of `path` and true; nullptr for nothing. Valid until the next change.
  const Known* find(std::string_view path) { return known_.find(path); }
  // True once for what is known from a read behind a write.
  bool is_first_look(std::string_view path) { return known_.take_new_write(path); }

  // From now on every question goes to the ensemble.
  void remember_nothing() { remembers_ = false; }

  // Counts a use of `path` by a process.
  void used(std::string_view path);
  // True if a read of `path` is worth a watch.
  bool is_worth_a_watch(std::string_view path) const;
  // True if `path` is known, and was used since this was last asked: then what a write makes
  // unknown is worth a read behind it.
  bool is_worth_a_read_behind(std::string_view path);

  const NodeCache& known() const { return known_; }

  // What the kernel keeps of it.
  KernelCopies& kernel() { return kernel_; }

  // Tells what others change.
  OwnChanges& own_changes() { return own_changes_; }

  // Told of every watch that fires, when nothing older than its change is known any more; and of
  // nothing at all when another client is used, whose ensemble has to be asked anew.
  EventHub& events() { return events_; }

  // Watches that stay (standing_watch.hpp).
  StandingWatches& standing() { return standing_; }

  // A request that sets a one-shot watch of `path` has been sent.
  void sent_one_shot(const std::string& path) { standing_.sent_one_shot(path); }

 private:
  friend class Underway;
  friend class StandingWatches;

  void forget_all();
  // No watch of `path` is there any more.
  void watches_removed(const std::string& path);
  void take_back_dropped();
  // Everything that has been heard is forgotten before anybody is told of a part of it.
  void heard(std::span<const client::WatchNotice> notices);
  void forget_changed(const client::WatchNotice& notice);
  // A write is about to be sent.
  void forget_written(const replication::protocol::Request& request);
  void forget_path(const std::string& path);
  void forget_node(const std::string& path);
  void forget_children(const std::string& path);
  // Reads of `path` that are under way will not be entered; those that are sent behind a write,
  // unless it is an event.
  enum class Cause { event, own };
  void note_change(const std::string& path, Cause cause = Cause::own);
  void enter(replication::protocol::OpCode op, const std::string& path,
             const replication::Result<client::Reply>& reply);
  bool is_guarded(const std::string& path, std::uint64_t started) const;

  client::Client* client_{};
  bool remembers_{true};
  NodeCache known_{};
  KernelCopies kernel_{};
  EventHub events_{};
  StandingWatches standing_{*this};
  OwnChanges own_changes_{};

  // What happened while reads were under way, counted; empty when there are none.
  std::uint64_t happened_{};
  std::uint64_t all_changed_{};
  struct Change {
    std::uint64_t last{};
    std::uint64_t last_own{};
  };
  std::unordered_map<std::string, Change> changed_{};
  std::size_t reads_underway_{};

  // Hashes of paths used lately, each at its place; and those used again, until others come there.
  struct Use {
    std::size_t hash{};
    bool is_repeated{};
    bool is_new{};  // since a write was last followed by a read
  };
  std::vector<Use> recent_{std::vector<Use>(replication::limits::recent_paths_remembered)};
};

}  // namespace zabfs::fusefs::cache
