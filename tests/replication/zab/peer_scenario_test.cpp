// Scenarios of agreement: one rule of it per file in scenarios/. One server is real; what the
// others say, and what its disk and its clock do, is written down, and everything it asks for is
// printed.
//
//   server ID                  voters=1,2,3 observers=4 accepted=E current=E committed=Z
//   log=Z,Z,...
//                              window=BYTES counters=N init=MS sync=MS; starts it. Its peer timeout
//                              is 1000 ms
//   members                    prints the configuration in force, and the one on its way. A record
//                              that begins with `server.` is such a configuration
//   up ID, down ID             a link comes up, or breaks
//   elected                    every linked voter wants this server
//   elects ID                  server ID says that it has won this server's round
//   ballots                    ballots are printed from now on
//   disk                       everything asked for becomes durable: log, then epochs, then
//   barriers durable Z, saved, barrier  the same, one thing alone; of all barriers the last wait MS
//   the clock moves, then a tick turn                       the turn of the replica ends propose
//   TEXT, confirm, delivered Z digest=N, snapshot-begun ID Z, snapshot-sent ID, status ID MESSAGE
//   ...             server ID says it; see message_of()
//
// Z is EPOCH.COUNTER. Whatever the server asks for is printed after every command. The name of a
// file is the rule it shows.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include "replication/model/check.hpp"
#include "replication/zab/peer.hpp"
#include "tests/replication/pipeline/scenario_text.hpp"
#include "tests/replication/zab/effect_text.hpp"
#include "tests/support/data_driven.hpp"

namespace zabfs::replication::zab {
namespace {

using test::Command;
using test::Words;
using test::zxid_of;

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> items;
  std::istringstream in(list);
  for (std::string item; std::getline(in, item, ',');) {
    items.push_back(item);
  }
  return items;
}

Zxid zxid_in(const Words& words, const std::string& key) {
  return zxid_of(words.value(key).value_or("0.0"));
}

Epoch epoch_of(const std::string& text) { return {static_cast<std::uint32_t>(std::stoul(text))}; }

Bytes bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

// The message that the words name, as in messages.hpp.
std::optional<Message> message_of(const std::string& kind, const Words& words) {
  const std::string first = words.at(0);
  const auto zxid = [&first] { return zxid_of(first); };
  const auto epoch = [&first] { return epoch_of(first); };
  if (kind == "LearnerInfo") {
    return LearnerInfo{epoch()};
  }
  if (kind == "NewEpoch") {
    return NewEpoch{epoch()};
  }
  if (kind == "AckEpoch") {
    return AckEpoch{epoch_of(words.value("current").value_or("0")), zxid_in(words, "last"),
                    !words.has("uncounted")};
  }
  if (kind == "Difference") {
    return Difference{zxid()};
  }
  if (kind == "Truncate") {
    return Truncate{zxid()};
  }
  if (kind == "SnapshotBegin") {
    return SnapshotBegin{zxid(), words.at(1)};
  }
  if (kind == "SnapshotSlice") {
    return SnapshotSlice{bytes_of(first)};
  }
  if (kind == "SnapshotEnd") {
    return SnapshotEnd{};
  }
  if (kind == "Proposal") {
    return Proposal{.zxid = zxid(), .record = bytes_of(words.at(1))};
  }
  if (kind == "NewLeader") {
    return NewLeader{epoch()};
  }
  if (kind == "AckNewLeader") {
    return AckNewLeader{epoch(), zxid_in(words, "upto")};
  }
  if (kind == "UpToDate") {
    return UpToDate{zxid()};
  }
  if (kind == "Ack") {
    return Ack{zxid()};
  }
  if (kind == "Commit") {
    return Commit{zxid(), static_cast<std::uint64_t>(words.number("digest", 0))};
  }
  if (kind == "Heartbeat") {
    return Heartbeat{std::stoull(first)};
  }
  if (kind == "HeartbeatReply") {
    HeartbeatReply reply{std::stoull(first), {}};
    for (const std::string& session : split(words.value("alive").value_or(""))) {
      reply.alive.push_back({std::stoll(session)});
    }
    return reply;
  }
  if (kind == "Forwarded") {
    return Forwarded{bytes_of(first)};
  }
  if (kind == "KnownEnsemble") {
    return KnownEnsemble{first, words.at(1)};
  }
  return std::nullopt;
}

class Scenario {
 public:
  std::string run(const std::vector<Command>& commands) {
    for (const Command& command : commands) {
      const Words words(command.arguments);
      if (!run_on_server(command.name, words) && !run_on_disk(command.name, words) &&
          !run_as_leader(command.name, words)) {
        say(command, words);
      }
      print();
    }
    return std::exchange(printed_, "");
  }

 private:
  bool run_on_server(const std::string& name, const Words& words) {
    if (name == "server") {
      start(words);
    } else if (name == "up") {
      linked_.insert(id_of(words.at(0)));
      peer_->on_link_up(id_of(words.at(0)));
    } else if (name == "down") {
      linked_.erase(id_of(words.at(0)));
      peer_->on_link_down(id_of(words.at(0)), now_ms_);
    } else if (name == "elected") {
      elected();
    } else if (name == "elects") {
      const ServerId leader = id_of(words.at(0));
      hear(leader, Ballot{PeerState::leading, mine_.round, {.leader = leader, .epoch = {}}});
    } else if (name == "ballots") {
      shows_ballots_ = true;
    } else if (name == "wait") {
      now_ms_ += std::stoll(words.at(0));
      peer_->on_tick(now_ms_);
    } else if (name == "turn") {
      peer_->on_turn_end(now_ms_);
    } else if (name == "members") {
      const Membership& membership = peer_->standing().membership;
      printed_ += "in force" + servers_of(membership.in_force()) + '\n';
      printed_ +=
          membership.is_changing() ? "on its way" + servers_of(membership.newest()) + '\n' : "";
    } else if (name == "status") {
      const Standing& standing = peer_->standing();
      std::ostringstream text;
      text << "accepted " << standing.accepted << " current " << standing.current << " history "
           << standing.history.base() << " to " << standing.history.last() << " committed "
           << standing.committed << " active learners " << peer_->count_learners().active << '\n';
      printed_ += text.str();
    } else {
      return false;
    }
    return true;
  }

  bool run_on_disk(const std::string& name, const Words& words) {
    if (name == "durable") {
      peer_->on_durable(zxid_of(words.at(0)));
    } else if (name == "saved") {
      CHECK(std::exchange(is_saving_, false), "nothing is being saved");
      peer_->on_epochs_saved();
    } else if (name == "barrier") {
      CHECK(barrier_ != 0, "no barrier is awaited");
      peer_->on_barrier(std::exchange(barrier_, 0), now_ms_);
    } else if (name == "disk") {
      do_everything();
    } else {
      return false;
    }
    return true;
  }

  bool run_as_leader(const std::string& name, const Words& words) {
    if (name == "propose") {
      peer_->propose({}, bytes_of(words.at(0)));
    } else if (name == "confirm") {
      printed_ += "wants " + std::to_string(peer_->confirm()) + '\n';
    } else if (name == "delivered") {
      peer_->on_delivered(zxid_of(words.at(0)),
                          static_cast<std::uint64_t>(words.number("digest", 0)));
    } else if (name == "snapshot-begun") {
      peer_->on_snapshot_begun(id_of(words.at(0)), zxid_of(words.at(1)), words.at(2));
    } else if (name == "snapshot-sent") {
      peer_->on_snapshot_sent(id_of(words.at(0)));
    } else {
      return false;
    }
    return true;
  }

  void say(const Command& command, const Words& words) {
    const auto message = message_of(words.at(0), Words(words.from(1)));
    CHECK(message, "line ", command.line, ": no such command or message: ", command.name);
    hear(id_of(command.name), *message);
  }

  static std::string servers_of(const Ensemble& ensemble) {
    std::ostringstream text;
    for (const Member& member : ensemble.members) {
      text << ' ' << member.id << (member.is_observer ? " observes" : "");
    }
    text << " since " << ensemble.version;
    return text.str();
  }

  // A transaction with another configuration begins so here.
  static std::optional<std::string> ensemble_text_in(ByteView record) {
    const std::string text(record.begin(), record.end());
    return text.starts_with("server.") ? std::optional(text) : std::nullopt;
  }

  static ServerId id_of(const std::string& text) { return {std::stoll(text)}; }

  void start(const Words& words) {
    self_ = id_of(words.at(0));
    PeerOptions options{
        .self = self_,
        .timeouts = {.peer_ms = 1'000,
                     .init_ms = words.number("init", 20'000),
                     .sync_ms = words.number("sync", 10'000)},
        .counter_max = static_cast<std::uint32_t>(words.number("counters", 1'000)),
        .history_bytes_max = static_cast<std::size_t>(words.number("window", 1'000)),
        .ensemble_text_in = ensemble_text_in};
    for (const std::string& voter : split(words.value("voters").value_or("1,2,3"))) {
      options.ensemble.members.push_back({.id = id_of(voter)});
    }
    for (const std::string& observer : split(words.value("observers").value_or(""))) {
      options.ensemble.members.push_back({.id = id_of(observer), .is_observer = true});
    }
    voters_ = std::make_unique<Quorums>(options.ensemble, self_);
    peer_ = std::make_unique<Peer>(options);
    Recovered recovered{.accepted = epoch_of(words.value("accepted").value_or("0")),
                        .current = epoch_of(words.value("current").value_or("0")),
                        .committed = zxid_in(words, "committed")};
    for (const std::string& zxid : split(words.value("log").value_or(""))) {
      recovered.tail.push_back(std::make_shared<const Proposal>(Proposal{.zxid = zxid_of(zxid)}));
    }
    peer_->start(std::move(recovered));
  }

  void elected() {
    for (const ServerId voter : std::set(linked_)) {
      if (voters_->is_voter(voter)) {
        hear(voter, Ballot{PeerState::looking, mine_.round, mine_.vote});
        print();
      }
    }
  }

  void do_everything() {
    const Zxid end = peer_->standing().history.last();
    if (peer_->standing().durable != end) {
      peer_->on_durable(end);
      print();
    }
    while (is_saving_ || barrier_ != 0) {
      if (std::exchange(is_saving_, false)) {
        peer_->on_epochs_saved();
      } else {
        peer_->on_barrier(std::exchange(barrier_, 0), now_ms_);
      }
      print();
    }
  }

  void hear(ServerId from, const Message& message) { peer_->on_message(from, message, now_ms_); }

  void print() {
    Effects effects;
    for (peer_->take_effects(effects); !effects.empty(); peer_->take_effects(effects)) {
      for (const Effect& effect : effects) {
        note(effect);
      }
    }
  }

  void note(const Effect& effect) {
    bool is_ballot = false;
    if (const auto* send = std::get_if<Send>(&effect)) {
      if (const auto* ballot = std::get_if<Ballot>(&send->message)) {
        is_ballot = true;
        mine_ = *ballot;
      }
    } else if (const auto* barrier = std::get_if<Barrier>(&effect)) {
      barrier_ = barrier->number;
    } else if (const auto* broken = std::get_if<Disconnect>(&effect)) {
      linked_.erase(broken->server);
    }
    is_saving_ = is_saving_ || std::holds_alternative<SaveEpochs>(effect);
    if (!is_ballot || shows_ballots_) {
      printed_ += to_text(effect) + '\n';
    }
  }

  ServerId self_{};
  std::unique_ptr<Quorums> voters_{};
  std::unique_ptr<Peer> peer_{};
  std::set<ServerId> linked_{};
  std::int64_t now_ms_{};
  Ballot mine_{};
  std::uint64_t barrier_{};  // the last that is awaited; 0 for none
  bool is_saving_{};
  bool shows_ballots_{};
  std::string printed_{};
};

test::Interpreter fresh_scenario() {
  auto scenario = std::make_shared<Scenario>();
  return [scenario](const std::vector<Command>& commands) { return scenario->run(commands); };
}

[[maybe_unused]] const int registered = test::register_transcripts(
    "Agreement", std::string(SOURCE_ROOT) + "/tests/replication/zab/scenarios", fresh_scenario);

}  // namespace
}  // namespace zabfs::replication::zab
