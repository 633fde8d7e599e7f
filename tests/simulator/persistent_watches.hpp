// What one client is told by the watches that stay, against what it reads.
//
// A register's version grows by one with every change, and a register is never deleted. So a client
// can tell by itself whether it was told of everything while its connection lived:
//
//   WatchOrder          a read shows a watched register as the last event left it; the events of a
//                       register come in the order of their zxids, each once, and only while it is
//                       watched
//   WatchCompleteness   between two reads there were as many events as the version has grown
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "replication/model/ids.hpp"
#include "replication/model/stat.hpp"
#include "tests/simulator/checkers/findings.hpp"

namespace zabfs::test {

class PersistentWatches {
 public:
  // "/" is watched recursively, and so is every register with it; registers only themselves.
  static constexpr const char* everything = "/";

  // `findings` outlives this.
  PersistentWatches(int client, Findings& findings) : client_(client), findings_(findings) {}

  // The paths to be watched, on every connection of the session.
  const std::set<std::string>& wanted() const { return wanted_; }
  bool has(const std::string& path) const { return set_.contains(path); }

  // A request that sets, or takes away, the watch at `path` was answered at `at`.
  void on_set(const std::string& path, replication::Zxid at);
  void on_removed(const std::string& path);

  // The watches of a connection go with it; those of a session are not wanted any more.
  void on_connection_lost();
  void forget() { wanted_.clear(); }

  // An event; `has_other_watch` if the client has a one-shot watch at the path too.
  void on_event(const std::string& path, replication::Zxid zxid, bool has_other_watch);
  void on_read(const std::string& path, const replication::Stat& stat);

 private:
  // What was told of one register since it is watched.
  struct Told {
    replication::Zxid since{};
    replication::Zxid last{};
    std::vector<replication::Zxid> since_read{};
    std::optional<replication::Stat> read{};
  };

  bool is_watched(const std::string& path) const { return has(path) || has(everything); }
  Told& told_of(const std::string& path);

  const int client_;
  Findings& findings_;
  std::set<std::string> wanted_{};
  std::map<std::string, replication::Zxid> set_{};  // on this connection, and when
  std::map<std::string, Told> told_{};
};

}  // namespace zabfs::test
