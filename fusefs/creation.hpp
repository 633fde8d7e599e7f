// Makes the znodes that creating names ask for (`N@e`, `N@s`, `N@h` and their combinations, `N@c`,
// `N@ttl=30s`), and sees that none that was to be held outlives what holds it.
//
// A held znode is a lock or a worker to others, so one that nobody knows of would stop them until
// the session ends. Two things could leave such a ghost behind:
//
//   what happened                               | what is done
//   --------------------------------------------|---------------------------------------------------
//   the process got a signal while it waited    | the creation goes on without it; what comes of it
//   is
//                                               | deleted again
//   the connection was lost before the answer   | on the next connection the znode is looked for
//   and
//                                               | deleted; only then the creation has failed
//
// A ghost is told from others by what only it is: ephemeral of this session, under the name that
// was asked for, created after the request left, there when the next connection is first asked, and
// not the answer to any other creation. Later it cannot come: the leader decides nothing of the old
// connection once the session is attached to the next one.
//
// When the session ends, all of this is done already: the ensemble has deleted what it owned.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "fusefs/cache/coherence.hpp"
#include "fusefs/continuity/ledger.hpp"
#include "fusefs/failure.hpp"
#include "fusefs/inodes/node.hpp"
#include "fusefs/naming/name.hpp"
#include "fusefs/operation.hpp"
#include "fusefs/reply.hpp"
#include "fusefs/task.hpp"

namespace zabfs::fusefs {

struct CreationPlan {
  std::string path{};  // without the digits of a sequential one
  replication::Data data{};
  naming::Creation creation{};
};

// A znode that was made, by its real path.
struct Born {
  std::string path{};
  inodes::Node node{};
};

class Creator {
 public:
  // Both outlive this.
  Creator(cache::Coherence& ensemble, OperationTable& operations)
      : ensemble_(ensemble), operations_(operations) {}

  // Errors are those of the ensemble; node_exists if the znode is there already.
  Task<Outcome<Born>> make(Operation& operation, CreationPlan plan);

  // The same for a held znode, in two steps: what is asked in between travels behind the creation.
  // Whoever begins has to end.
  struct Attempt;
  std::shared_ptr<Attempt> begin(CreationPlan plan);
  Task<Outcome<Born>> end(Operation& operation, std::shared_ptr<Attempt> attempt);

  // Deletes the ephemeral znode `path` that the transaction `czxid` created, unless its session is
  // over. Tries again when the connection is lost in between. Fails if the ensemble refuses it.
  Task<Outcome<Done>> let_go(Operation& operation, std::string path, std::int64_t czxid);

  // The held znode `path` is known to be gone.
  void is_gone(const std::string& path);

  // From now on `ledger` says what is held, and what may be; from before its creation is asked for
  // until it is known to be gone.
  void keep_in(continuity::Ledger& ledger) { ledger_ = &ledger; }

  // Goes on with what a predecessor with the same session had begun: what may have come of its
  // creations is deleted, as after a lost connection.
  void resume(const continuity::State& state);
  // Deletes what the predecessor held, but for what is `claimed`.
  void let_go_of_unclaimed(const continuity::State& state, const std::set<std::string>& claimed);

 private:
  Task<Outcome<Born>> ask(Operation& operation, CreationPlan plan);
  Detached carry_out(std::shared_ptr<Attempt> attempt);
  Detached carry_off(std::shared_ptr<Attempt> attempt);
  Detached let_go_of(std::shared_ptr<continuity::ZnodeHeld> held);
  Task<Outcome<Done>> delete_held(Operation& operation, std::string path, std::int64_t czxid);
  Task<Outcome<Done>> remove_ghost(Operation& operation, std::shared_ptr<Attempt> attempt);
  void take_over_ghost(const Attempt& attempt, const std::string& path,
                       const replication::Stat& stat);
  Task<Outcome<std::vector<std::string>>> possible_ghosts(Operation& operation, std::string path,
                                                          bool is_sequential);
  // What is at `path` is not the ghost of any attempt under way.
  void answered(const std::string& path);
  bool is_over(replication::SessionId session) const;

  cache::Coherence& ensemble_;
  OperationTable& operations_;
  std::set<Attempt*> attempts_{};  // under way
  std::uint64_t last_attempt_{};
  continuity::Ledger* ledger_{};
};

// The creation of a held znode.
struct Creator::Attempt {
  CreationPlan plan{};
  replication::SessionId session{};
  std::int64_t since{};            // the newest zxid when it was asked for
  std::set<std::string> others{};  // what other creations were answered meanwhile
  std::optional<Outcome<Born>> outcome{};
  Wake* waiting{};
  bool is_abandoned{};  // nobody waits for it any more
  std::uint64_t number{};
};

}  // namespace zabfs::fusefs
