#include "tests/replication/zab/election_network.hpp"

#include <gtest/gtest.h>

namespace zabfs::test {

using replication::Ensemble;
using replication::Epoch;
using replication::Member;
using replication::ServerId;
using replication::Zxid;
using replication::zab::Ballot;
using replication::zab::Election;
using replication::zab::Membership;
using replication::zab::PeerState;
using replication::zab::Vote;

ElectionNetwork::ElectionNetwork(Ensemble ensemble, std::uint64_t seed)
    : ensemble_(std::move(ensemble)), random_(seed) {}

void ElectionNetwork::start(ServerId server, Epoch epoch, Zxid last) {
  Server started{.quorums = std::make_unique<Membership>(ensemble_, server),
                 .election = nullptr,
                 .own = {.leader = server, .epoch = epoch, .last = last}};
  started.election = std::make_unique<Election>(server, *started.quorums);
  started.election->begin(started.own, now_ms_);
  servers_[server] = std::move(started);
  collect(server);
  react();
}

void ElectionNetwork::stop(ServerId server) {
  for (const Member& member : ensemble_.members) {
    cut(server, member.id);
  }
  servers_.erase(server);
}

void ElectionNetwork::link(ServerId a, ServerId b) {
  if (a == b || is_linked(a, b)) {
    return;
  }
  links_[{a, b}] = {};
  links_[{b, a}] = {};
  for (const auto& [server, peer] : {std::pair{a, b}, std::pair{b, a}}) {
    servers_.at(server).election->link_up(peer);
    collect(server);
  }
  react();
}

void ElectionNetwork::cut(ServerId a, ServerId b) {
  if (!is_linked(a, b)) {
    return;
  }
  links_.erase({a, b});
  links_.erase({b, a});
  for (const auto& [server, peer] : {std::pair{a, b}, std::pair{b, a}}) {
    servers_.at(server).election->link_down(peer);
    collect(server);
  }
  react();
}

void ElectionNetwork::link_all() {
  for (const auto& [a, one] : servers_) {
    for (const auto& [b, other] : servers_) {
      link(a, b);
    }
  }
}

bool ElectionNetwork::is_linked(ServerId a, ServerId b) const { return links_.contains({a, b}); }

bool ElectionNetwork::deliver_one() {
  std::vector<std::pair<ServerId, ServerId>> ready;
  for (const auto& [ends, messages] : links_) {
    if (!messages.empty()) {
      ready.push_back(ends);
    }
  }
  if (ready.empty()) {
    return false;
  }
  const auto [from, to] = ready[random_.below(ready.size())];
  auto& messages = links_[{from, to}];
  const Ballot ballot = messages.front();
  messages.pop_front();
  servers_.at(to).election->on_ballot(from, ballot, now_ms_);
  collect(to);
  react();
  return true;
}

void ElectionNetwork::deliver_all() {
  constexpr int messages_max = 100'000;
  int delivered = 0;
  while (deliver_one()) {
    ASSERT_LT(++delivered, messages_max) << "the servers talk without end";
  }
}

void ElectionNetwork::advance(std::int64_t ms) {
  now_ms_ += ms;
  for (const auto& [id, server] : servers_) {
    server.election->on_tick(now_ms_);
    collect(id);
  }
  react();
}

std::optional<ServerId> ElectionNetwork::agree(const std::set<ServerId>& servers, std::int64_t ms) {
  constexpr std::int64_t tick_ms = 50;
  for (std::int64_t passed = 0;; passed += tick_ms) {
    deliver_all();
    const auto leader = leader_of(servers);
    if (leader || passed >= ms) {
      return leader;
    }
    advance(tick_ms);
  }
}

std::optional<ServerId> ElectionNetwork::leader_of(const std::set<ServerId>& servers) const {
  std::set<ServerId> leaders;
  for (const ServerId server : servers) {
    const auto& decision = servers_.at(server).election->decision();
    leaders.insert(decision ? decision->leader : ServerId{});
  }
  const ServerId leader = *leaders.begin();
  if (leaders.size() != 1 || !servers.contains(leader) ||
      !servers_.at(leader).election->still_holds()) {
    return std::nullopt;
  }
  return leader;
}

Election& ElectionNetwork::operator[](ServerId server) { return *servers_.at(server).election; }

const Vote& ElectionNetwork::own_vote(ServerId server) const { return servers_.at(server).own; }

const Membership& ElectionNetwork::quorums(ServerId server) const {
  return *servers_.at(server).quorums;
}

std::set<ServerId> ElectionNetwork::running() const {
  std::set<ServerId> ids;
  for (const auto& [id, server] : servers_) {
    ids.insert(id);
  }
  return ids;
}

void ElectionNetwork::collect(ServerId server) {
  for (auto& [to, ballot] : servers_.at(server).election->take_outgoing()) {
    const auto link = links_.find({server, to});
    ASSERT_NE(link, links_.end()) << server << " sends to " << to << " without a link";
    link->second.push_back(ballot);
  }
}

// Until nobody has a reason to look again.
void ElectionNetwork::react() {
  for (const auto& [id, server] : servers_) {
    if (must_look(id)) {
      look(id);
      return;
    }
  }
}

bool ElectionNetwork::must_look(ServerId server) {
  const Election& election = *servers_.at(server).election;
  return election.decision() && !election.still_holds();
}

// A leader's links to its followers break, and come back: they look, too.
void ElectionNetwork::look(ServerId server) {
  Server& one = servers_.at(server);
  one.election->begin(one.own, now_ms_);
  collect(server);
  for (const auto& [id, other] : servers_) {
    const auto& decision = other.election->decision();
    if (is_linked(server, id) && decision && decision->leader == server) {
      cut(server, id);
      link(server, id);
    }
  }
  react();
}

}  // namespace zabfs::test
