// What the links between the servers need to know of the configuration.
#pragma once

#include <string>

#include "daemon/ensemble_config.hpp"
#include "daemon/peers/mesh.hpp"

namespace zabfs::daemon {

// Who votes, with which weight, in which group: what all servers must agree on, as text. Addresses
// are not in it: a server may be known by different ones in different places.
std::string membership_of(const EnsembleConfig& ensemble);

// For the server that `ensemble` is read by.
peers::MeshOptions mesh_options(const EnsembleConfig& ensemble);

}  // namespace zabfs::daemon
