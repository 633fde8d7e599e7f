// What zab asks for and what servers say, as one line of text each.
#pragma once

#include <string>

#include "replication/zab/effects.hpp"
#include "replication/zab/messages.hpp"

namespace zabfs::replication::zab {

std::string to_text(const Message& message);
std::string to_text(const Effect& effect);

}  // namespace zabfs::replication::zab
