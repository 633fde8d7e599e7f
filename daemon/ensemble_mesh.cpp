#include "daemon/ensemble_mesh.hpp"

#include <algorithm>

namespace zabfs::daemon {

std::string membership_of(const EnsembleConfig& ensemble) {
  std::string text;
  for (const auto& [id, member] : ensemble.members) {
    text += "server " + std::to_string(id.value);
    text += member.is_observer ? " observes" : " weighs " + std::to_string(member.weight);
    for (const auto& [group, servers] : ensemble.groups) {
      if (!member.is_observer && std::ranges::find(servers, id) != servers.end()) {
        text += " in group " + std::to_string(group);
      }
    }
    text += "\n";
  }
  return text;
}

peers::MeshOptions mesh_options(const EnsembleConfig& ensemble) {
  peers::MeshOptions options{.self = ensemble.self,
                             .membership = membership_of(ensemble),
                             .secret = ensemble.secret,
                             .admits_joiners = ensemble.is_reconfigurable};
  for (const auto& [id, member] : ensemble.members) {
    if (id == ensemble.self) {
      options.listen = {ensemble.listens_on_all_addresses ? "" : member.host, member.port};
    } else {
      options.others[id] = {member.host, member.port};
    }
  }
  return options;
}

}  // namespace zabfs::daemon
