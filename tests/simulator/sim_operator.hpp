// An operator of the simulated ensemble who changes it at random: servers join and leave, voters
// become observers and back, the leader is removed, ports move, all members are replaced at once.
// With the version that was read last, or with any.
//
// Whoever is told that a change worked may switch off a server that has left; it comes back later,
// as operators and machines do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "replication/model/ensemble.hpp"
#include "tests/simulator/ensemble_world.hpp"
#include "tests/support/wire_client.hpp"

namespace zabfs::test {

struct OperatorOptions {
  Micros think_max{500 * millisecond};
  std::int32_t timeout_ms{6000};
  std::uint64_t switches_off_of_1000{};  // servers that have left, when that is told
};

class SimOperator : private ClientTransport {
 public:
  // `world` outlives the operator.
  SimOperator(const OperatorOptions& options, EnsembleWorld& world);
  SimOperator(const SimOperator&) = delete;
  SimOperator& operator=(const SimOperator&) = delete;

  void start() { plan(); }

  // Changes nothing any more.
  void rest() { is_resting_ = true; }

  // Changes that were told to have worked.
  std::uint64_t changes() const { return changes_; }

  // The version of the last of them.
  std::optional<replication::Zxid> told() const { return told_; }

  // Whether that is the last one that it asked for.
  bool is_answered() const { return unanswered_ == 0; }

 private:
  replication::ConnectionId connect() override;
  void deliver(replication::ConnectionId connection, replication::ByteView payload) override;
  void disconnect(replication::ConnectionId connection) override;
  bool is_open(replication::ConnectionId connection) const override;
  replication::Bytes take_sent(replication::ConnectionId connection) override;

  void plan();
  void act();
  void listen();
  void on_reply(const Reply& reply);
  void open_connection();
  void ask_change();
  replication::protocol::ReconfigRequest draw_change();
  std::string line_of(replication::ServerId server, bool is_observer);
  replication::ServerId anybody();
  replication::ServerId somebody_in();

  const OperatorOptions options_;
  EnsembleWorld& world_;
  replication::Random chance_;
  WireClient wire_;
  replication::ServerId server_{};
  replication::protocol::ConnectResponse session_{};
  std::int64_t seen_{};
  std::optional<replication::Ensemble> known_{};
  std::optional<replication::Zxid> told_{};
  Micros asked_at_{};
  bool is_greeted_{};
  bool is_asking_{};
  bool is_resting_{};
  std::uint64_t changes_{};
  std::uint64_t unanswered_{};
};

}  // namespace zabfs::test
