// The lines of the configuration that say what clients may take of a server.
#pragma once

#include <map>
#include <string_view>

#include "daemon/client_limits.hpp"
#include "daemon/config_value.hpp"

namespace zabfs::daemon {

using LimitSetter = Complaint (*)(std::string_view value, ClientLimits& to);

// Every key; the map lives as long as the process.
const std::map<std::string_view, LimitSetter>& limit_keys();

}  // namespace zabfs::daemon
