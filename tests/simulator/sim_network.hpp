// The network between servers: at most one connection per pair, and everything that happens to
// real ones.
//
//   start   --> connected after a while --> up at both ends, each at its own moment
//   send    --> leaves as fast as the link can --> arrives later, in order
//   break   --> both ends hear down, each later; of what is under way a part from the front arrives
//   replace --> both ends hear down and at once up again: a new connection took the old one's place
//   drop    --> one end is closed by its owner, who hears nothing; the other hears down
//   cut     --> one direction carries nothing; nobody is told, and what is sent waits
//   hold    --> a server takes nothing in (it is paused); what is sent to it waits
//   stop    --> killed: the others hear down; without power: they hear it very late, or when the
//               server comes back
//
// A connection is made only when neither direction is cut. Delays come from one Random, so one seed
// is one network.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"
#include "tests/simulator/event_queue.hpp"

namespace zabfs::test {

struct NetworkOptions {
  Micros delay_min{100};
  Micros delay_max{1 * millisecond};
  Micros connect_min{1 * millisecond};  // until a connection that is missing is made
  Micros connect_max{100 * millisecond};
  Micros notice_max{20 * millisecond};    // how late an end hears that its connection broke
  Micros silence_max{15 * second};        // likewise, when the other side lost its power
  std::uint64_t breaks_per_100k{};        // frames after which their connection breaks
  std::uint64_t replacements_per_100k{};  // frames after which another connection replaces theirs
  std::uint64_t bytes_per_ms{1'000'000};  // what a link carries
  std::size_t buffered_bytes{
      64UL << 10};  // what a blocked link takes in before it counts as unsent
};

class SimNetwork {
 public:
  // Who hears what happens at the ends. Not called from inside a function below.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_peer_up(replication::ServerId at, replication::ServerId peer) = 0;
    virtual void on_peer_frame(replication::ServerId at, replication::ServerId peer,
                               replication::ByteView payload) = 0;
    virtual void on_peer_down(replication::ServerId at, replication::ServerId peer) = 0;

    // Whether one of them has the other's address.
    virtual bool know_each_other(replication::ServerId /*one*/,
                                 replication::ServerId /*other*/) const {
      return true;
    }
  };

  enum class Stop { killed, without_power };

  // `events`, `chance` and `listener` outlive the network.
  SimNetwork(const NetworkOptions& options, std::vector<replication::ServerId> servers,
             EventQueue& events, replication::Random& chance, Listener& listener);
  SimNetwork(const SimNetwork&) = delete;
  SimNetwork& operator=(const SimNetwork&) = delete;

  void start(replication::ServerId server);
  void stop(replication::ServerId server, Stop how);
  void hold(replication::ServerId server);
  void release(replication::ServerId server);

  // One whole frame. The connection must be up at `from`.
  void send(replication::ServerId from, replication::ServerId to, replication::Bytes payload);

  bool is_up(replication::ServerId at, replication::ServerId peer) const;

  // Bytes that `from` has sent and that have not left it.
  std::size_t unsent(replication::ServerId from, replication::ServerId to) const;

  // `at` closes its end, which must be up.
  void drop(replication::ServerId at, replication::ServerId peer);

  void break_connection(replication::ServerId one, replication::ServerId other);

  // The connection breaks when `from` has sent so many more frames to `to`; all of them arrive.
  void break_after(replication::ServerId from, replication::ServerId to, std::uint64_t frames);
  void replace_connection(replication::ServerId one, replication::ServerId other);
  void cut(replication::ServerId from, replication::ServerId to);
  void heal(replication::ServerId from, replication::ServerId to);

  // Heals everything; no connection breaks by itself any more.
  void calm();
  void set_bytes_per_ms(replication::ServerId one, replication::ServerId other,
                        std::uint64_t bytes_per_ms);

 private:
  using Pair = std::pair<replication::ServerId, replication::ServerId>;  // the smaller id first

  struct Frame {
    replication::Bytes payload{};
    bool is_end{};  // nothing follows: the receiver hears down
    Micros leaves{};
    Micros arrives{};
  };

  enum class EndState { connecting, up, closed };

  struct Connection {
    std::array<EndState, 2> ends{EndState::connecting, EndState::connecting};
    std::array<std::deque<Frame>, 2> pipes{};  // by sender
    std::array<bool, 2> is_planned{};          // the arrival of a pipe's front is
  };

  struct Link {
    std::shared_ptr<Connection> newest{};
    std::array<std::shared_ptr<Connection>, 2> at{};  // what is up at that end; null if nothing
    bool is_connecting{};
    std::array<bool, 2> is_cut{};  // by sender
    std::uint64_t bytes_per_ms{};
    std::array<std::uint64_t, 2> breaks_after{};  // frames of that sender; 0: does not
  };

  static Pair pair_of(replication::ServerId one, replication::ServerId other);
  static std::size_t side_of(const Pair& pair, replication::ServerId server);
  static replication::ServerId at_side(const Pair& pair, std::size_t side);

  Link& link_of(const Pair& pair) { return links_.at(pair); }
  bool may_connect(const Pair& pair, const Link& link) const;
  bool is_blocked(const Pair& pair, const Link& link, std::size_t sender) const;
  void plan_connection(const Pair& pair);
  void connect(const Pair& pair);
  void come_up(const Pair& pair, const std::shared_ptr<Connection>& connection, std::size_t side);
  void close_end(const Pair& pair, std::size_t side, bool tell);
  void leave(const Pair& pair, const std::shared_ptr<Connection>& connection, std::size_t side,
             Micros noticed_after);
  void lose_some(Connection& connection, std::size_t sender);
  void end_pipe(const Pair& pair, const std::shared_ptr<Connection>& connection, std::size_t sender,
                Micros after);
  void pump(const Pair& pair, const std::shared_ptr<Connection>& connection, std::size_t sender);
  void arrive(const Pair& pair, const std::shared_ptr<Connection>& connection, std::size_t sender);
  void pump_into(replication::ServerId server);

  NetworkOptions options_;
  EventQueue& events_;
  replication::Random& chance_;
  Listener& listener_;
  std::map<replication::ServerId, bool> is_running_{};
  std::map<replication::ServerId, bool> is_held_{};
  std::map<Pair, Link> links_{};
};

}  // namespace zabfs::test
