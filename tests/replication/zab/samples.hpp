// One message of every kind and shape, for tests that go over all of them.
#pragma once

#include <vector>

#include "replication/zab/messages.hpp"

namespace zabfs::replication::zab {

// In the order of the alternatives; of each at least one.
std::vector<Message> sample_messages();

}  // namespace zabfs::replication::zab
