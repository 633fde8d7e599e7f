#include "replication/model/check.hpp"
#include "replication/rebuild.hpp"
#include "replication/replica_state.hpp"

namespace zabfs::replication {

std::optional<std::string> Replica::State::recover() {
  Rebuild rebuild(tree_, sessions_);
  const auto recovery = storage_.recover(rebuild);
  if (!recovery) {
    return recovery.error().sentence;
  }
  // The log of one voter is that of its quorum: what is in it is committed.
  for (const auto& [zxid, payload] : recovery->tail) {
    if (auto refusal = rebuild.on_entry(zxid, payload)) {
      return refusal;
    }
  }
  if (auto refusal = rebuild.finish()) {
    return refusal;
  }
  CHECK(tree_.last_applied() == recovery->last, "the log ends at ", recovery->last, " but ",
        tree_.last_applied(), " is the last transaction rebuilt");
  epochs_ = recovery->epochs;
  applied_since_snapshot_ = recovery->entries + recovery->tail.size();
  ports_.trace.record(Recovered{.last = recovery->last,
                                .transactions_replayed = applied_since_snapshot_,
                                .znodes = tree_.node_count(),
                                .note = recovery->note});
  return std::nullopt;
}

}  // namespace zabfs::replication
