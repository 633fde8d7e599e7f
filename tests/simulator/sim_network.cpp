#include "tests/simulator/sim_network.hpp"

#include <algorithm>

#include "replication/model/check.hpp"

namespace zabfs::test {

using replication::Bytes;
using replication::ServerId;

SimNetwork::SimNetwork(const NetworkOptions& options, std::vector<ServerId> servers,
                       EventQueue& events, replication::Random& chance, Listener& listener)
    : options_(options), events_(events), chance_(chance), listener_(listener) {
  for (const ServerId one : servers) {
    is_running_[one] = false;
    is_held_[one] = false;
    for (const ServerId other : servers) {
      if (one < other) {
        links_[{one, other}].bytes_per_ms = options_.bytes_per_ms;
      }
    }
  }
}

SimNetwork::Pair SimNetwork::pair_of(ServerId one, ServerId other) {
  return {std::min(one, other), std::max(one, other)};
}

std::size_t SimNetwork::side_of(const Pair& pair, ServerId server) {
  return server == pair.first ? 0 : 1;
}

ServerId SimNetwork::at_side(const Pair& pair, std::size_t side) {
  return side == 0 ? pair.first : pair.second;
}

// --- servers ---

void SimNetwork::start(ServerId server) {
  is_running_.at(server) = true;
  is_held_.at(server) = false;
  for (const auto& [pair, link] : links_) {
    if (pair.first == server || pair.second == server) {
      plan_connection(pair);
    }
  }
}

void SimNetwork::stop(ServerId server, Stop how) {
  is_running_.at(server) = false;
  const Micros noticed = how == Stop::killed ? options_.notice_max : options_.silence_max;
  for (auto& [pair, link] : links_) {
    if (pair.first != server && pair.second != server) {
      continue;
    }
    const std::size_t side = side_of(pair, server);
    if (const auto connection = link.at[side]) {
      close_end(pair, side, false);
      leave(pair, connection, side, noticed);
    }
    if (link.newest && link.newest->ends[side] == EndState::connecting) {
      link.newest->ends[side] = EndState::closed;
      leave(pair, link.newest, side, noticed);
    }
  }
}

void SimNetwork::hold(ServerId server) { is_held_.at(server) = true; }

void SimNetwork::release(ServerId server) {
  is_held_.at(server) = false;
  pump_into(server);
}

// --- what one end does ---

bool SimNetwork::is_up(ServerId at, ServerId peer) const {
  const Pair pair = pair_of(at, peer);
  return links_.at(pair).at[side_of(pair, at)] != nullptr;
}

void SimNetwork::send(ServerId from, ServerId to, Bytes payload) {
  CHECK(is_up(from, to), "server ", from, " has no connection to ", to);
  const Pair pair = pair_of(from, to);
  const Link& link = link_of(pair);
  const std::size_t sender = side_of(pair, from);
  const auto connection = link.at[sender];
  auto& pipe = connection->pipes[sender];
  const Micros begins = pipe.empty() ? events_.now() : std::max(events_.now(), pipe.back().leaves);
  const Micros leaves =
      begins + static_cast<Micros>(payload.size() * millisecond / link.bytes_per_ms);
  Micros arrives = leaves + draw_between(chance_, options_.delay_min, options_.delay_max);
  if (!pipe.empty()) {
    arrives = std::max(arrives, pipe.back().arrives);
  }
  pipe.push_back({.payload = std::move(payload), .leaves = leaves, .arrives = arrives});
  pump(pair, connection, sender);
  auto& breaks_after = link_of(pair).breaks_after[sender];
  if (breaks_after > 0 && --breaks_after == 0) {
    pipe.pop_back();
    for (const std::size_t each : {0U, 1U}) {
      end_pipe(pair, connection, each, options_.notice_max);
    }
    return;
  }
  const auto mishap = chance_.below(100'000);
  if (mishap < options_.breaks_per_100k) {
    break_connection(from, to);
  } else if (mishap < options_.breaks_per_100k + options_.replacements_per_100k) {
    events_.after(draw_between(chance_, 0, options_.delay_max),
                  [this, from, to] { replace_connection(from, to); });
  }
}

std::size_t SimNetwork::unsent(ServerId from, ServerId to) const {
  const Pair pair = pair_of(from, to);
  const Link& link = links_.at(pair);
  const std::size_t sender = side_of(pair, from);
  if (!link.at[sender]) {
    return 0;
  }
  std::size_t bytes = 0;
  const bool is_stuck = is_blocked(pair, link, sender);
  for (const Frame& frame : link.at[sender]->pipes[sender]) {
    bytes += is_stuck || frame.leaves > events_.now() ? frame.payload.size() : 0;
  }
  return is_stuck ? bytes - std::min(bytes, options_.buffered_bytes) : bytes;
}

void SimNetwork::drop(ServerId at, ServerId peer) {
  CHECK(is_up(at, peer), "server ", at, " has no connection to ", peer);
  const Pair pair = pair_of(at, peer);
  const std::size_t side = side_of(pair, at);
  const auto connection = link_of(pair).at[side];
  close_end(pair, side, false);
  leave(pair, connection, side, options_.delay_max);
  plan_connection(pair);
}

// --- what happens to links ---

void SimNetwork::break_connection(ServerId one, ServerId other) {
  const Pair pair = pair_of(one, other);
  for (const std::size_t sender : {0U, 1U}) {
    if (const auto connection = link_of(pair).at[1 - sender]) {
      leave(pair, connection, sender, options_.notice_max);
    }
  }
}

void SimNetwork::break_after(ServerId from, ServerId to, std::uint64_t frames) {
  const Pair pair = pair_of(from, to);
  link_of(pair).breaks_after[side_of(pair, from)] = frames + 1;
}

void SimNetwork::replace_connection(ServerId one, ServerId other) {
  const Pair pair = pair_of(one, other);
  if (may_connect(pair, link_of(pair))) {
    connect(pair);
  }
}

void SimNetwork::cut(ServerId from, ServerId to) {
  const Pair pair = pair_of(from, to);
  link_of(pair).is_cut[side_of(pair, from)] = true;
}

void SimNetwork::heal(ServerId from, ServerId to) {
  const Pair pair = pair_of(from, to);
  Link& link = link_of(pair);
  const std::size_t sender = side_of(pair, from);
  link.is_cut[sender] = false;
  if (const auto connection = link.at[1 - sender]) {
    pump(pair, connection, sender);
  }
  plan_connection(pair);
}

void SimNetwork::calm() {
  options_.breaks_per_100k = 0;
  options_.replacements_per_100k = 0;
  for (auto& [pair, link] : links_) {
    link.bytes_per_ms = options_.bytes_per_ms;
    heal(pair.first, pair.second);
    heal(pair.second, pair.first);
  }
}

void SimNetwork::set_bytes_per_ms(ServerId one, ServerId other, std::uint64_t bytes_per_ms) {
  link_of(pair_of(one, other)).bytes_per_ms = bytes_per_ms;
}

// --- connections ---

bool SimNetwork::may_connect(const Pair& pair, const Link& link) const {
  return is_running_.at(pair.first) && is_running_.at(pair.second) && !link.is_cut[0] &&
         !link.is_cut[1] && !is_held_.at(pair.first) && !is_held_.at(pair.second) &&
         listener_.know_each_other(pair.first, pair.second);
}

// Keeps trying for as long as both servers run and there is none.
void SimNetwork::plan_connection(const Pair& pair) {
  Link& link = link_of(pair);
  if (link.is_connecting) {
    return;
  }
  link.is_connecting = true;
  events_.after(draw_between(chance_, options_.connect_min, options_.connect_max), [this, pair] {
    Link& now = link_of(pair);
    now.is_connecting = false;
    const bool is_whole = now.newest && now.newest->ends[0] != EndState::closed &&
                          now.newest->ends[1] != EndState::closed;
    if (is_whole || !is_running_.at(pair.first) || !is_running_.at(pair.second)) {
      return;
    }
    if (may_connect(pair, now)) {
      connect(pair);
    } else {
      plan_connection(pair);
    }
  });
}

void SimNetwork::connect(const Pair& pair) {
  const auto made = std::make_shared<Connection>();
  link_of(pair).newest = made;
  for (const std::size_t side : {0U, 1U}) {
    events_.after(draw_between(chance_, options_.delay_min, options_.delay_max),
                  [this, pair, made, side] { come_up(pair, made, side); });
  }
}

// An older connection that has not noticed its end hears it now.
void SimNetwork::come_up(const Pair& pair, const std::shared_ptr<Connection>& connection,
                         std::size_t side) {
  Link& link = link_of(pair);
  if (link.newest != connection || connection->ends[side] != EndState::connecting) {
    return;
  }
  if (link.at[side]) {
    close_end(pair, side, true);
  }
  connection->ends[side] = EndState::up;
  link.at[side] = connection;
  listener_.on_peer_up(at_side(pair, side), at_side(pair, 1 - side));
  pump(pair, connection, 1 - side);
}

// What is up at this end is so no more.
void SimNetwork::close_end(const Pair& pair, std::size_t side, bool tell) {
  auto& at = link_of(pair).at[side];
  at->ends[side] = EndState::closed;
  at->pipes[1 - side].clear();
  at.reset();
  if (tell) {
    listener_.on_peer_down(at_side(pair, side), at_side(pair, 1 - side));
  }
}

// `side` has nothing more to say on `connection`, and some of what it said is lost.
void SimNetwork::leave(const Pair& pair, const std::shared_ptr<Connection>& connection,
                       std::size_t side, Micros noticed_after) {
  lose_some(*connection, side);
  end_pipe(pair, connection, side, noticed_after);
}

// Of what is under way a part from the front remains.
void SimNetwork::lose_some(Connection& connection, std::size_t sender) {
  auto& pipe = connection.pipes[sender];
  pipe.resize(chance_.below(pipe.size() + 1));
}

// The receiver hears down within `after`, when what is under way has arrived.
void SimNetwork::end_pipe(const Pair& pair, const std::shared_ptr<Connection>& connection,
                          std::size_t sender, Micros after) {
  auto& pipe = connection->pipes[sender];
  if (!pipe.empty() && pipe.back().is_end) {
    return;
  }
  Micros arrives = events_.now() + draw_between(chance_, 0, after);
  if (!pipe.empty()) {
    arrives = std::max(arrives, pipe.back().arrives);
  }
  pipe.push_back({.payload = {}, .is_end = true, .leaves = arrives, .arrives = arrives});
  pump(pair, connection, sender);
}

// --- frames ---

bool SimNetwork::is_blocked(const Pair& pair, const Link& link, std::size_t sender) const {
  return link.is_cut[sender] || is_held_.at(at_side(pair, 1 - sender));
}

void SimNetwork::pump(const Pair& pair, const std::shared_ptr<Connection>& connection,
                      std::size_t sender) {
  const auto& pipe = connection->pipes[sender];
  if (pipe.empty() || connection->is_planned[sender] ||
      connection->ends[1 - sender] == EndState::connecting ||
      is_blocked(pair, link_of(pair), sender)) {
    return;
  }
  connection->is_planned[sender] = true;
  events_.after(std::max<Micros>(0, pipe.front().arrives - events_.now()),
                [this, pair, connection, sender] { arrive(pair, connection, sender); });
}

void SimNetwork::arrive(const Pair& pair, const std::shared_ptr<Connection>& connection,
                        std::size_t sender) {
  connection->is_planned[sender] = false;
  auto& pipe = connection->pipes[sender];
  const std::size_t receiver = 1 - sender;
  if (connection->ends[receiver] != EndState::up) {
    pipe.clear();
    return;
  }
  if (pipe.empty() || is_blocked(pair, link_of(pair), sender)) {
    return;
  }
  if (pipe.front().arrives > events_.now()) {  // what this was planned for is lost
    pump(pair, connection, sender);
    return;
  }
  const Frame frame = std::move(pipe.front());
  pipe.pop_front();
  if (frame.is_end) {
    close_end(pair, receiver, true);
    leave(pair, connection, receiver, options_.notice_max);
    plan_connection(pair);
    return;
  }
  listener_.on_peer_frame(at_side(pair, receiver), at_side(pair, sender), frame.payload);
  pump(pair, connection, sender);
}

void SimNetwork::pump_into(ServerId server) {
  for (auto& [pair, link] : links_) {
    if (pair.first == server || pair.second == server) {
      const std::size_t side = side_of(pair, server);
      if (const auto connection = link.at[side]) {
        pump(pair, connection, 1 - side);
      }
    }
  }
}

}  // namespace zabfs::test
