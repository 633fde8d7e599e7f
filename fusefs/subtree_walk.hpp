// Looks at every znode of a subtree once.
#pragma once

#include <functional>
#include <string>

#include "fusefs/cache/coherence.hpp"
#include "fusefs/failure.hpp"
#include "fusefs/operation.hpp"
#include "fusefs/task.hpp"
#include "replication/model/stat.hpp"

namespace zabfs::fusefs {

// Called with each znode as its reply comes; false ends the walk.
using Visit = std::function<bool(const std::string& path, const replication::Stat& stat)>;

// A znode comes before what is below it. What goes meanwhile, or may not be read, is left out with
// what is below it. Asks for as many znodes at a time as fit into one round trip.
Task<Outcome<Done>> walk_subtree(cache::Coherence& ensemble, Operation& operation, std::string top,
                                 Visit visit);

}  // namespace zabfs::fusefs
