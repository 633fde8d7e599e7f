#include "tests/simulator/checkers/committed_log_durability.hpp"

#include <algorithm>
#include <map>

#include "tests/simulator/checkers/voting_power.hpp"

namespace zabfs::test {

void CommittedLogDurability::check(const replication::Ensemble& ensemble,
                                   const std::vector<Server>& servers, std::string_view when) {
  std::map<replication::ServerId, std::size_t> reached;
  for (const Server& server : servers) {
    const DurableLog log = read_log(server.disk->durable_copy());
    if (log.refusal) {
      findings_.add("CommittedLogDurability", when, ", server ", server.id,
                    " could not be started from its disk: ", *log.refusal);
    }
    const std::size_t reach = prefix_.reach_of(log);
    if (reach < prefix_.position_of(server.id)) {
      findings_.add("ProcessConsistency", when, ", server ", server.id, " has delivered ",
                    prefix_.history()[reach].zxid, " and would lose it with its power");
    }
    reached[server.id] = reach;
  }
  std::size_t by_quorum = 0;
  for (const auto& [id, reach] : reached) {
    const auto has_it = [&](replication::ServerId server) { return reached.at(server) >= reach; };
    if (reach > by_quorum && are_quorum(ensemble, has_it)) {
      by_quorum = reach;
    }
  }
  if (by_quorum < prefix_.history().size()) {
    findings_.add("CommittedLogDurability", when, ", no quorum has ",
                  prefix_.history()[by_quorum].zxid, ", which was delivered");
  }
}

}  // namespace zabfs::test
