// The connections of clients with servers: in order, delayed, and lost like real ones.
//
//   open, send, hang_up        what a client does; the server hears of it later
//   reply, close               what a server does; the client hears of it later
//   stop                       a server is killed: its clients hear their connections close, after
//                              a part of what was under way; without power: they hear nothing until
//                              they send something to a server that runs again
//   break_one                  both ends hear that the connection is gone
//   hold, release              a paused server takes nothing in
//
// What a server may not read yet (Replica::may_read) waits in front of it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"
#include "tests/simulator/event_queue.hpp"

namespace zabfs::test {

class SimConnections {
 public:
  // The servers' side. Not called from inside a function below.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_client_connected(replication::ServerId at, replication::ConnectionId id) = 0;
    virtual void on_client_frame(replication::ServerId at, replication::ConnectionId id,
                                 replication::ByteView payload) = 0;
    virtual void on_client_gone(replication::ServerId at, replication::ConnectionId id) = 0;
    virtual bool may_read(replication::ServerId at, replication::ConnectionId id) const = 0;
  };

  // All outlive the connections.
  SimConnections(Micros delay_max, EventQueue& events, replication::Random& chance,
                 Listener& listener)
      : delay_max_(delay_max), events_(events), chance_(chance), listener_(listener) {}

  // --- clients ---

  // `wake` is called when something has come.
  replication::ConnectionId open(replication::ServerId server, std::function<void()> wake);
  void send(replication::ConnectionId id, replication::ByteView payload);
  void hang_up(replication::ConnectionId id);
  bool is_open(replication::ConnectionId id) const;
  replication::Bytes take_received(replication::ConnectionId id);

  // --- servers ---

  void start(replication::ServerId server) { running_.insert(server); }
  void stop(replication::ServerId server, bool without_power);
  void hold(replication::ServerId server) { held_.insert(server); }
  void release(replication::ServerId server);

  // Whole frames for a connection that the server has not closed.
  void reply(replication::ConnectionId id, replication::Bytes frames);
  void close(replication::ConnectionId id);

  // The server will close: it is to hear nothing more of the connection.
  void refuse(replication::ConnectionId id);

  // What may be read now is; to be called when replies have left.
  void read_on(replication::ServerId server);

  // One of the open connections breaks, if there is any.
  void break_one();

 private:
  struct Frame {
    replication::Bytes bytes{};
    bool is_end{};
    Micros arrives{};
  };

  struct Pipe {
    std::deque<Frame> frames{};
    bool is_planned{};
  };

  struct Connection {
    replication::ServerId server{};
    std::function<void()> wake{};
    bool is_client_open{true};
    bool is_server_open{};  // it has heard of the connection and not of its end
    bool is_accepted{};     // the server's process has heard of it
    Pipe to_server{};
    Pipe to_client{};
    replication::Bytes received{};
  };

  void push(Pipe& pipe, replication::Bytes bytes, bool is_end);
  void lose_some(Pipe& pipe);
  void pump_server(replication::ConnectionId id);
  void pump_client(replication::ConnectionId id);
  void arrive_at_server(replication::ConnectionId id);
  void arrive_at_client(replication::ConnectionId id);
  void forget_if_over(replication::ConnectionId id);
  std::vector<replication::ConnectionId> of(replication::ServerId server) const;

  const Micros delay_max_;
  EventQueue& events_;
  replication::Random& chance_;
  Listener& listener_;
  std::uint64_t last_id_{};
  std::map<replication::ConnectionId, Connection> connections_{};
  std::set<replication::ServerId> running_{};
  std::set<replication::ServerId> held_{};
};

}  // namespace zabfs::test
