// The keys of zoo.cfg that begin with admin. and metricsProvider.
#pragma once

#include <map>
#include <string_view>

#include "daemon/admin_config.hpp"
#include "daemon/config_value.hpp"

namespace zabfs::daemon {

using AdminSetter = Complaint (*)(std::string_view value, AdminConfig& to);

const std::map<std::string_view, AdminSetter>& admin_keys();

}  // namespace zabfs::daemon
