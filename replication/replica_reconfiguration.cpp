#include <utility>
#include <variant>

#include "replication/model/ensemble_text.hpp"
#include "replication/pipeline/access.hpp"
#include "replication/pipeline/reconfiguration.hpp"
#include "replication/replica_state.hpp"

// How the ensemble changes, behind what zab/membership.hpp says of quorums:
//
//   1. the leader proposes the configuration; quorums of the old and of the new one commit it
//   2. it is delivered, and the servers with a later part of the log need the new one alone
//   3. the leader proposes an empty transaction, the seal. Whoever has logged it has logged with it
//      that the configuration is committed. When the seal is committed, a quorum of the new servers
//      knows for good that the old ones are not needed any more
//   4. the client is told; and a leader that has no vote any more hands over
//
// So who is told that a server has left may switch it off at that moment, and all the others with
// it that left.

namespace zabfs::replication {

using tree::SetEnsemble;

// Empty if it was written by a client, when this server was alone.
std::string Replica::State::ensemble_text_of_tree() const {
  const tree::Node* node = tree_.find(SetEnsemble::path);
  const bool is_ensemble = node != nullptr && node->version == SetEnsemble::znode_version;
  const auto data = is_ensemble ? tree_.data_of(*node) : std::nullopt;
  return data ? std::string(data->begin(), data->end()) : std::string();
}

std::optional<Ensemble> Replica::State::ensemble_of_tree() const {
  auto parsed = parse_ensemble(ensemble_text_of_tree());
  auto* ensemble = std::get_if<Ensemble>(&parsed);
  if (ensemble == nullptr || mistake_in(*ensemble)) {
    return std::nullopt;
  }
  return std::move(*ensemble);
}

void Replica::State::carry_out(zab::EnsembleChanged& /*effect*/) {
  const auto& membership = peer_.standing().membership;
  KnownServers servers{.in_force = membership.in_force()};
  if (membership.is_changing()) {
    servers.next = membership.newest();
  }
  servers.heard = membership.heard();
  ports_.trace.record(
      EnsembleLearned{.in_force = to_text(servers.in_force),
                      .next = servers.next ? to_text(*servers.next) : std::string()});
  ports_.peers.on_servers(servers);
}

// Servers that were only given their ensemble agree on it first: from then on theirs has a version,
// and a server that comes with other lines of its own sees which of the two counts. A leader of
// such an ensemble seals it at once, for the last one may not have come to it.
void Replica::State::begin_with_ensemble() {
  const Ensemble& in_force = peer_.standing().membership.in_force();
  if (in_force.members.empty() || tree_.find(SetEnsemble::path) == nullptr) {
    return;
  }
  if (in_force.version != Zxid{}) {
    reconfiguration_ = {.ensemble = in_force.version};
    advance_reconfiguration();
  } else if (options_.is_reconfigurable) {
    propose_ensemble(in_force, {}, {});
  }
}

void Replica::State::propose_ensemble(Ensemble ensemble, SessionId session, zab::Origin origin) {
  ensemble.version = peer_.next_zxid();
  reconfiguration_ = {.origin = origin, .ensemble = ensemble.version};
  propose(session, SetEnsemble{.text = to_text(ensemble)}, {});
}

void Replica::State::advance_reconfiguration() {
  if (!reconfiguration_ || !peer_.is_leading()) {
    return;
  }
  Reconfiguration& change = *reconfiguration_;
  if (change.seal == Zxid{} && tree_.last_applied() >= change.ensemble && !peer_.is_exhausted()) {
    change.seal = peer_.next_zxid();
    propose({}, tree::MultiChange{}, {});
  }
  if (change.seal == Zxid{} || tree_.last_applied() < change.seal || change.handed_over_by) {
    return;
  }
  if (change.origin != zab::Origin{}) {
    tell(change.origin,
         pipeline::Reconfigured{.connection = change.origin.connection, .until = change.seal});
  }
  if (peer_.standing().membership.may_lead(options_.id)) {
    reconfiguration_.reset();
  } else {
    change.handed_over_by = peer_.confirm();  // others have heard all this by then
  }
}

bool Replica::State::must_hand_over() const {
  return reconfiguration_ && reconfiguration_->handed_over_by &&
         confirmed_ >= *reconfiguration_->handed_over_by;
}

void Replica::State::decide_reconfig(zab::Origin origin, const pipeline::Client& client,
                                     const protocol::ReconfigRequest& request) {
  auto wanted = wanted_ensemble(origin, client, request);
  if (wanted) {
    propose_ensemble(std::move(*wanted), client.session, origin);
    return;
  }
  tell(origin, pipeline::Reconfigured{.connection = origin.connection,
                                      .until = peer_.proposed(),
                                      .error = static_cast<std::int32_t>(wanted.error())});
}

// The checks come in ZooKeeper's order.
Result<Ensemble> Replica::State::wanted_ensemble(zab::Origin origin, const pipeline::Client& client,
                                                 const protocol::ReconfigRequest& request) const {
  const auto& membership = peer_.standing().membership;
  if (!options_.is_reconfigurable) {
    return ErrorCode::reconfig_disabled;
  }
  if (closing_.contains(client.session)) {
    return ErrorCode::session_expired;
  }
  if (!owns(origin, client.session)) {
    return ErrorCode::session_moved;
  }
  if (membership.in_force().members.empty()) {
    return ErrorCode::unimplemented;
  }
  if (reconfiguration_ || membership.is_changing()) {
    return ErrorCode::reconfig_in_progress;
  }
  if (request.config_version != -1 &&
      request.config_version != membership.in_force().version.wire()) {
    return ErrorCode::bad_version;
  }
  auto wanted = pipeline::reconfigured(
      membership.in_force(),
      {.joining = request.joining, .leaving = request.leaving, .new_members = request.new_members},
      options_.voters_min);
  if (!wanted) {
    return wanted;
  }
  if (!peer_.has_quorum_in_sync(*wanted)) {
    return ErrorCode::new_config_no_quorum;
  }
  const auto node = pending_.find(SetEnsemble::path);
  if (!node || !pipeline::is_allowed(*node->acl, permission::write, client.identities)) {
    return ErrorCode::no_auth;
  }
  return wanted;
}

}  // namespace zabfs::replication
