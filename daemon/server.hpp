// One replica and its world: sockets, disk, clock, log. It decides nothing.
//
//   clients --> ConnectionTable --> Replica --> PosixDisk
//           <--  (ClientLinks)  <--         <-- (a report, posted from the disk's thread)
//   servers <-->      Mesh      <-->
//
// `zabd` runs it as its only business; `zabfs --embedded` runs it on the loop of the mount. All
// functions are called on the thread that runs the context.
//
// Life: start(); run the context; stop(). After stop() nothing of it is waiting for anything, but
// handlers that were already on their way still pass through it: destroy it when the context has
// run dry, or will never run again.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "daemon/admin/four_letter.hpp"
#include "daemon/audit_log.hpp"
#include "daemon/authentication/schemes.hpp"
#include "daemon/burst.hpp"
#include "daemon/clients/client_events.hpp"
#include "daemon/clients/connection_table.hpp"
#include "daemon/config.hpp"
#include "daemon/disk/posix_disk.hpp"
#include "daemon/logging.hpp"
#include "daemon/machine.hpp"
#include "daemon/operator_access.hpp"
#include "daemon/operator_view.hpp"
#include "daemon/pace/rate_limit.hpp"
#include "daemon/peers/mesh.hpp"
#include "daemon/peers/peer_events.hpp"
#include "daemon/sockets/acceptor.hpp"
#include "daemon/tls/credentials.hpp"
#include "replication/ports/random.hpp"
#include "replication/replica.hpp"

namespace zabfs::daemon {

class Server : private clients::ClientEvents, private peers::PeerEvents {
 public:
  // `on_serving` is called once, when the first client is let in. In an ensemble that is at once: a
  // server that looks for a leader closes the connections of clients, but answers operators.
  Server(boost::asio::io_context& context, const Config& config, std::function<void()> on_serving);
  ~Server() override;

  // Opens the directories and the port, and reads the data (blocking). Returns a sentence if that
  // cannot be done; then the server is of no further use. Clients can connect from now on; they are
  // answered once on_serving has been called.
  std::optional<std::string> start();

  // Lets nobody in any more, waits for the disk (blocking) and tells the clients what it has done,
  // then closes everything.
  void stop();

  // Where clients connect, and with TLS; after start().
  std::uint16_t client_port() const { return acceptor_.port(); }
  std::uint16_t secure_port() const { return secure_acceptor_.port(); }

 private:
  struct ClientAddress {
    std::string host{};
    std::uint16_t port{};

    bool operator==(const ClientAddress&) const = default;
  };

  void on_connected(replication::ConnectionId connection, std::string address,
                    const X509* certificate) override;
  void on_refused(const std::string& address, const std::string& why) override;
  void on_frame(replication::ConnectionId connection, replication::ByteView payload) override;
  void on_disconnected(replication::ConnectionId connection) override;
  bool may_read(replication::ConnectionId connection, std::size_t bytes) const override;
  std::optional<std::string> answer_to(std::string_view beginning) override;
  void on_turn_end() override;

  void on_peer_up(replication::ServerId peer) override;
  void on_peer_frame(replication::ServerId peer, replication::ByteView payload) override;
  void on_peer_down(replication::ServerId peer) override;
  void on_servers(const replication::KnownServers& servers) override;
  void schedule_turn_end() override { table_.schedule_turn_end(); }

  std::optional<std::string> start_replica(disk::DataDirectories directories);
  std::optional<std::string> open_audit();
  std::optional<std::string> load_credentials();
  std::optional<std::string> listen();
  void refresh();
  void refresh_credentials();

  // Listens for clients there from now on, or says why that cannot be done.
  std::optional<std::string> move_clients(const ClientAddress& wanted);
  void on_disk_progress(replication::Ticket done);  // on the disk's thread
  void take_disk_report();
  void serve_when_ready();
  void await_burst_end();
  void await_tick();
  void end_if_failed();
  [[noreturn]] void end_with(const std::string& sentence);
  bool is_alone() const { return config_.ensemble.is_alone(); }
  replication::ReplicaOptions replica_options() const;
  std::optional<std::string> admit_operators();
  void count_syncs();

  boost::asio::io_context& context_;
  const Config config_;
  std::function<void()> on_serving_;

  MachineClock clock_;
  MachineEntropy entropy_;
  replication::Random chance_;  // for the pace of connecting to other servers
  std::shared_ptr<spdlog::logger> logger_;
  TraceLog trace_;
  replication::Metrics metrics_;
  clients::ConnectionTable table_;
  std::unique_ptr<AuditLog> audit_;  // null: nothing is audited
  authentication::Schemes schemes_;
  std::unique_ptr<tls::Credentials> client_credentials_;  // null: no TLS
  std::unique_ptr<tls::Credentials> peer_credentials_;    // null: no TLS
  sockets::Acceptor acceptor_;
  sockets::Acceptor secure_acceptor_;  // listens only if there is TLS
  RateLimit refused_{lines_per_second_max};
  OperatorView view_;
  OperatorAccess operators_;
  admin::FourLetterWords words_;
  boost::asio::steady_timer tick_;
  Burst burst_;
  boost::asio::steady_timer burst_end_;
  std::int64_t minute_began_ms_;
  std::int64_t refreshed_ms_{};  // when the certificates, and a missed port, were last looked after
  std::optional<ClientAddress>
      missed_address_{};  // the ensemble wants it, and it cannot be had yet
  bool is_accepting_{};
  bool is_overloaded_{};  // as of the end of the last turn
  bool is_stopped_{};

  std::unique_ptr<peers::Mesh> mesh_;
  std::unique_ptr<disk::PosixDisk> disk_;
  std::unique_ptr<replication::Replica> replica_;

  // The way back from the disk's thread: the last ticket, and whether the loop has yet to look.
  std::atomic<std::uint64_t> disk_done_{};
  std::atomic<bool> disk_report_is_posted_{};
};

}  // namespace zabfs::daemon
