#include "tests/simulator/checkers/committed_log_durability.hpp"

#include <algorithm>
#include <functional>

namespace zabfs::test {

void CommittedLogDurability::check(const std::vector<Server>& servers, std::string_view when) {
  std::vector<std::size_t> reached;
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
    if (server.is_voter) {
      reached.push_back(reach);
    }
  }
  std::ranges::sort(reached, std::greater<>());
  const std::size_t by_majority = reached[reached.size() / 2];
  if (by_majority < prefix_.history().size()) {
    findings_.add("CommittedLogDurability", when, ", no majority has ",
                  prefix_.history()[by_majority].zxid, ", which was delivered");
  }
}

}  // namespace zabfs::test
