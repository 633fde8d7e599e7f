// What operators are told of this process: the replica, its connections and its configuration, put
// together for daemon/admin.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/admin/subject.hpp"
#include "daemon/clients/connection_table.hpp"
#include "daemon/config.hpp"
#include "replication/ports/authenticator.hpp"
#include "replication/ports/clock.hpp"

namespace zabfs::daemon {

class OperatorView : public admin::Subject {
 public:
  // All of them outlive the view; `replica` may be null until the first question.
  OperatorView(const Config& config, const replication::Clock& clock,
               const clients::ConnectionTable& table, replication::Metrics& metrics,
               const replication::Authenticator& authenticator,
               const std::unique_ptr<replication::Replica>& replica);

  // Clients connect to these ports; -1 if there is none for TLS.
  void on_listening(std::uint16_t port, int secure_port) {
    settings_.client_port = port;
    settings_.secure_client_port = secure_port;
  }

  // These are the servers now.
  void on_servers(const replication::Ensemble& in_force);

  admin::Facts facts() const override;
  const admin::Settings& settings() const override { return settings_; }
  const replication::Metrics& metrics() const override { return metrics_; }
  replication::Inspection inspect() const override { return replica_->inspect(); }
  std::vector<admin::ClientFacts> clients(std::size_t count) const override;
  std::size_t client_count() const override { return table_.open_connections().size(); }
  void reset_counts() override { replica_->reset_counts(); }
  void reset_conversations() override { replica_->reset_conversations(); }
  admin::Standing standing(std::string_view scheme, const replication::Data& credential,
                           const std::string& address) const override;
  void take_snapshot(SnapshotTaken taken) override;
  std::optional<std::string> restore(replication::ByteView snapshot,
                                     replication::RestorationDone done) override;

  // The events at hand have been handled: whoever waits for a snapshot may get it now.
  void on_turn_end();

 private:
  // Somebody who waits for a snapshot of this moment, or of a later one.
  struct Waiting {
    replication::Zxid since{};
    SnapshotTaken taken{};
  };

  const replication::Clock& clock_;
  const clients::ConnectionTable& table_;
  replication::Metrics& metrics_;
  const replication::Authenticator& authenticator_;
  const std::unique_ptr<replication::Replica>& replica_;
  admin::Settings settings_;
  const bool is_standalone_;
  const std::int64_t started_ms_;
  std::vector<Waiting> waiting_{};
};

}  // namespace zabfs::daemon
