#include <memory>
#include <utility>

#include "replication/model/check.hpp"
#include "replication/rebuild.hpp"
#include "replication/replica_state.hpp"

namespace zabfs::replication {

// What is known to be committed is applied; the rest of the log waits for a leader to say whether
// it is history.
std::optional<std::string> Replica::State::recover() {
  const std::int64_t began_us = now_us();
  Rebuild rebuild(tree_, sessions_);
  auto recovery = storage_.recover(rebuild);
  if (!recovery) {
    return recovery.error().sentence;
  }
  if (auto refusal = rebuild.finish()) {
    return refusal;
  }
  CHECK(tree_.last_applied() == recovery->committed, "committed up to ", recovery->committed,
        " but ", tree_.last_applied(), " is the last transaction rebuilt");
  committed_ = recovery->committed;
  zab::Recovered recovered{.accepted = recovery->epochs.accepted,
                           .current = recovery->epochs.current,
                           .committed = recovery->committed};
  auto ensemble = ensemble_of_tree();
  if (!ensemble && !options_.ensemble.members.empty()) {
    return "The data of /zookeeper/config is no configuration of servers. Keep the data directory "
           "for "
           "an inquiry, empty it, and start the server again: it will take over the others' state.";
  }
  if (!options_.ensemble.members.empty()) {  // a server alone stays so, whatever its data is from
    recovered.ensemble = std::move(*ensemble);
  }
  for (auto& [zxid, payload] : recovery->tail) {
    auto proposal = std::make_shared<const zab::Proposal>(
        zab::Proposal{.zxid = zxid, .record = std::move(payload)});
    learn(*proposal);
    recovered.tail.push_back(std::move(proposal));
  }
  if (failure_) {
    return failure_;
  }
  applied_since_snapshot_ = {.transactions = recovery->entries, .bytes = rebuild.bytes_applied()};
  draw_next_snapshot();
  newest_snapshot_ = recovery->snapshot;
  metrics_.dbinittime.add(now_us() - began_us);
  metrics_.startup_txns_loaded.add(static_cast<std::int64_t>(recovery->entries));
  ports_.trace.record(Recovered{.last = recovery->last,
                                .transactions_replayed = recovery->entries,
                                .transactions_waiting = recovered.tail.size(),
                                .znodes = tree_.node_count(),
                                .note = recovery->note});
  peer_.start(std::move(recovered));
  return std::nullopt;
}

}  // namespace zabfs::replication
