// A server for operators to look at, without a server: every part of it can be set.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/admin/subject.hpp"

namespace zabfs::daemon::admin {

class FakeSubject : public Subject {
 public:
  FakeSubject() {
    facts_.replica = {.serving = true,
                      .role = replication::ServerRole::leading,
                      .last_applied = replication::Zxid::at({2}, 17),
                      .znodes = 5,
                      .ephemerals = 1,
                      .watches = 2,
                      .data_bytes = 30,
                      .sessions = 4,
                      .connections = 3,
                      .requests_outstanding = 6,
                      .requests_received = 100,
                      .replies_sent = 99};
    facts_.version = "3.8.0-zabfs, built on today";
    facts_.host = "here";
    facts_.uptime_ms = 1234;
    facts_.wall_ms = 1'795'272'966'000;
    facts_.is_standalone = true;
    settings_.client_port = 2181;
    settings_.data_directory = settings_.log_directory = "/absent";
    settings_.tick_ms = 2000;
    settings_.text = "tickTime=2000\n";
  }

  // A connection with a session, watching `path`.
  void add_client(replication::ConnectionId id, replication::SessionId session,
                  const std::string& path) {
    clients_.push_back({.id = id,
                        .endpoint = "127.0.0.1:4242",
                        .is_read_from = true,
                        .unanswered = 1,
                        .received = 2,
                        .sent = 3,
                        .since_ms = facts_.wall_ms - 50});
    auto& connection = connections_[id];
    connection.session = session;
    connection.timeout_ms = 10'000;
    sessions_.open(session, {.timeout_ms = 10'000, .password = {}});
    expiry_.touch(session, 10'000, 0);
    watches_.add(replication::tree::WatchKind::data, id, path);
  }

  Facts facts() const override {
    ++asked_;
    return facts_;
  }
  const Settings& settings() const override { return settings_; }
  const replication::Metrics& metrics() const override { return metrics_; }
  replication::Inspection inspect() const override {
    return {.tree = tree_,
            .watches = watches_,
            .sessions = sessions_,
            .expiry = expiry_,
            .connections = connections_,
            .digests = digests_};
  }
  std::vector<ClientFacts> clients(std::size_t count) const override {
    return {clients_.begin(),
            clients_.begin() + static_cast<std::ptrdiff_t>(std::min(count, clients_.size()))};
  }
  std::size_t client_count() const override { return clients_.size(); }
  void reset_counts() override { metrics_.reset(); }
  void reset_conversations() override {
    for (auto& [id, connection] : connections_) {
      connection.conversation = {};
    }
  }

  Standing standing(std::string_view scheme, const replication::Data& credential,
                    const std::string& address) const override {
    shown_ = std::string(scheme) + "/" +
             (credential ? std::string(replication::text_of(*credential)) : "none") + "/" + address;
    return standing_;
  }
  void take_snapshot(SnapshotTaken taken) override { waiting_ = std::move(taken); }
  std::optional<std::string> restore(replication::ByteView snapshot,
                                     replication::RestorationDone done) override {
    restored_ = replication::text_of(snapshot);
    restoring_ = std::move(done);
    return unrestorable_;
  }

  Standing standing_{};
  mutable std::string shown_{};
  SnapshotTaken waiting_{};
  std::string restored_{};
  replication::RestorationDone restoring_{};
  std::optional<std::string> unrestorable_{};
  Facts facts_{};
  Settings settings_{};
  replication::Metrics metrics_{};
  std::vector<ClientFacts> clients_{};
  replication::tree::DataTree tree_{};
  replication::tree::WatchTable watches_{};
  replication::session::SessionTable sessions_{};
  replication::session::ExpiryQueue expiry_{2000};
  replication::Connections connections_{};
  replication::NotedDigests digests_{};
  mutable int asked_{};
};

}  // namespace zabfs::daemon::admin
