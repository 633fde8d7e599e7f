#include "tests/simulator/sim_restorer.hpp"

#include <string>
#include <utility>
#include <variant>

#include "replication/rebuild.hpp"
#include "replication/store/storage.hpp"

namespace zabfs::test {

using namespace replication;

std::unique_ptr<RestorableState> state_on(const SimServer& server) {
  auto state = std::make_unique<RestorableState>();
  Rebuild rebuild(state->tree, state->sessions);
  const auto recovered =
      store::recover_directory(server.disk(), server.options().snapshots_kept, rebuild);
  return recovered && !rebuild.finish() ? std::move(state) : nullptr;
}

SimRestorer::SimRestorer(Micros think_max, EnsembleWorld& world)
    : think_max_(think_max), world_(world), chance_(world.chance().next()) {}

void SimRestorer::plan() {
  world_.events().after(draw_between(chance_, 0, think_max_), [this] {
    if (!is_resting_) {
      act();
      plan();
    }
  });
}

void SimRestorer::act() {
  const auto& servers = world_.servers();
  const ServerId server = servers[chance_.below(servers.size())];
  if (!kept_) {
    kept_ = state_on(world_.server(server));
    return;
  }
  if (!world_.is_serving(server)) {
    return;
  }
  world_.note("an operator restores ", kept_->tree.last_applied(), " through ", server);
  world_.restore(server, std::exchange(kept_, nullptr),
                 [this, server](const std::variant<Zxid, std::string>& outcome) {
                   const auto* zxid = std::get_if<Zxid>(&outcome);
                   done_ += zxid == nullptr ? 0U : 1U;
                   world_.note("the operator hears from ", server, ": ",
                               zxid == nullptr ? std::get<std::string>(outcome)
                                               : "restored at " + std::to_string(zxid->value));
                 });
}

}  // namespace zabfs::test
