// A network of Elections, and of nothing else: links that are first in, first out, with messages of
// different links in any order, and a clock that moves when told to.
//
// Each server does by itself what the rest of a peer would: it looks again when its decision does
// not hold any more, and a leader then breaks the links to those who follow it.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "replication/ports/random.hpp"
#include "replication/zab/election.hpp"

namespace zabfs::test {

class ElectionNetwork {
 public:
  ElectionNetwork(replication::Ensemble ensemble, std::uint64_t seed);

  // Starts the process of `server`, whose log ends at `last` in `epoch`: it looks at once. It has
  // no links yet.
  void start(replication::ServerId server, replication::Epoch epoch, replication::Zxid last);

  // Its process ends, and all its links with it.
  void stop(replication::ServerId server);

  // Both ends must run. Nothing happens if the link is that way already.
  void link(replication::ServerId a, replication::ServerId b);
  void cut(replication::ServerId a, replication::ServerId b);
  void link_all();

  bool is_running(replication::ServerId server) const { return servers_.contains(server); }
  bool is_linked(replication::ServerId a, replication::ServerId b) const;

  // Delivers the oldest message of a link chosen by chance; false if none is under way.
  bool deliver_one();
  void deliver_all();

  // Time passes: one tick of all.
  void advance(std::int64_t ms);

  // Delivers all and lets time pass, until every server of `servers` follows the same leader of
  // them, or `ms` are over; that leader.
  std::optional<replication::ServerId> agree(const std::set<replication::ServerId>& servers,
                                             std::int64_t ms);

  // The leader that all of `servers` have decided for, if it is one of them and leads.
  std::optional<replication::ServerId> leader_of(
      const std::set<replication::ServerId>& servers) const;

  replication::zab::Election& operator[](replication::ServerId server);
  const replication::zab::Vote& own_vote(replication::ServerId server) const;
  const replication::zab::Membership& quorums(replication::ServerId server) const;
  std::set<replication::ServerId> running() const;

 private:
  struct Server {
    std::unique_ptr<replication::zab::Membership> quorums;
    std::unique_ptr<replication::zab::Election> election;
    replication::zab::Vote own{};
  };

  void collect(replication::ServerId server);
  void react();
  bool must_look(replication::ServerId server);
  void look(replication::ServerId server);

  replication::Ensemble ensemble_;
  replication::Random random_;
  std::int64_t now_ms_{};
  std::map<replication::ServerId, Server> servers_;
  // Messages under way by link and direction (from, to); a link is up if it stands here.
  std::map<std::pair<replication::ServerId, replication::ServerId>,
           std::deque<replication::zab::Ballot>>
      links_;
};

}  // namespace zabfs::test
