// The lines of the configuration about authentication and TLS: one at a time, and then together.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "daemon/config_value.hpp"
#include "daemon/ensemble_lines.hpp"
#include "daemon/security_config.hpp"

namespace zabfs::daemon {

using SecuritySetter = std::function<Complaint(std::string_view value, SecurityConfig& to)>;

// Every key; the map lives as long as the process.
const std::map<std::string, SecuritySetter, std::less<>>& security_keys();

// What is wrong with the lines together, of a server in `ensemble`.
LineComplaints complete_security(const KeyLines& lines, const EnsembleConfig& ensemble,
                                 const SecurityConfig& security);

// Reads the passwords that stand in files of their own. The complaint names the file.
Complaint read_passwords(SecurityConfig& to);

}  // namespace zabfs::daemon
