// Watches that stay until they are taken back (ZooKeeper's addWatch): who needs which, so that the
// ensemble holds each once and none that nobody needs.
//
//   StandingWatch watch(coherence, "/a", Scope::subtree, [&](const StandingNews& news) { ... });
//
//   scope     reports
//   --------  ------------------------------------------------
//   znode     created, changed, deleted; children came or went
//   subtree   created, changed, deleted: of it and all below
//
// What its owner is told, in the order in which it happens:
//
//   set           from now on nothing is missed
//   refused       the server knows no such watches, or not for this path
//                 (neither is told to whoever comes when it is_set() or is_refused() already)
//   event         something changed, and nothing older is known to the mount any more
//   disconnected  what happens from now on is not reported
//   connected     reported again: whoever relies on it compares
//   expired       the session is over; `set` follows once the next one has the watch
//
// Between `disconnected` and `connected` there can be events, of one-shot watches of the same path
// which the server makes up for.
//
// Apache ZooKeeper before 3.9 keeps one kind of watch for a path and a connection (ZOOKEEPER-4466),
// so a one-shot watch that is set on the same path ends a standing one. Therefore each standing
// watch is set again behind a request that sets a one-shot watch of its path, and behind an event
// of a server whose events carry no zxid, which is how such a server is known; there the watch of a
// subtree, which suppresses reports of the children of its root, makes up for these too.
//
// Everything happens on one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fusefs/client/client.hpp"
#include "replication/model/error_code.hpp"
#include "replication/protocol/requests.hpp"

namespace zabfs::fusefs::cache {

class Coherence;
class StandingWatch;

enum class Scope { znode, subtree };

struct StandingNews {
  enum class Kind { set, refused, event, disconnected, connected, expired };
  Kind kind{};
  const client::WatchNotice* notice{};  // of `event`
  replication::ErrorCode error{};       // of `refused`
};

class StandingWatches {
 public:
  explicit StandingWatches(Coherence& ensemble) : ensemble_(ensemble) {}
  StandingWatches(const StandingWatches&) = delete;
  StandingWatches& operator=(const StandingWatches&) = delete;
  ~StandingWatches() { forget_requests(); }

  // For Coherence, which calls these when its own knowledge is as new.
  void heard(const client::WatchNotice& notice);
  void connection_lost();
  void connected();
  void session_ended();
  // A request that sets a one-shot watch of `path` has been sent.
  void sent_one_shot(const std::string& path);

  // True if a standing watch of exactly this path is wanted.
  bool covers(const std::string& path) const;

 private:
  friend class StandingWatch;

  using Key = std::pair<std::string, Scope>;
  using Number = std::uint64_t;

  struct Entry {
    std::set<Number> users{};
    bool is_set{};
    bool is_asked{};    // a request is under way
    bool is_refused{};  // and not asked for again in this session
  };

  Number add(StandingWatch& watch);
  void remove(StandingWatch& watch);
  void ask(const Key& key);
  void take_back(const std::string& path);
  void submit(replication::protocol::Request request,
              std::function<void(replication::ErrorCode)> answered);
  void forget_requests();
  void on_answer(const Key& key, replication::ErrorCode outcome);
  void tell(const std::set<Number>& users, const StandingNews& news);
  void tell_all(StandingNews::Kind kind);

  Coherence& ensemble_;
  std::map<Key, Entry> entries_{};
  std::map<Number, StandingWatch*> watches_{};
  std::map<Number, client::RequestId> requests_{};  // under way at `client_`
  client::Client* client_{};
  std::set<std::string> to_be_taken_back_{};  // as soon as there is a connection
  Number last_{};
};

class StandingWatch {
 public:
  using Listener = std::function<void(const StandingNews&)>;

  // The Coherence outlives it. The listener may end this and other watches and make new ones; it is
  // not called before the constructor has returned.
  StandingWatch(Coherence& ensemble, std::string path, Scope scope, Listener listener);
  StandingWatch(const StandingWatch&) = delete;
  StandingWatch& operator=(const StandingWatch&) = delete;
  ~StandingWatch();

  bool is_set() const;
  bool is_refused() const;
  const std::string& path() const { return path_; }
  Scope scope() const { return scope_; }

 private:
  friend class StandingWatches;

  StandingWatches& all_;
  std::string path_;
  Scope scope_;
  Listener listener_;
  std::uint64_t number_{};
};

}  // namespace zabfs::fusefs::cache
