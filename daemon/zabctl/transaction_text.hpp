// A transaction in words: its kind, the paths it touches, a line of text, a JSON object.
//
// Fields are found by their names, so a new kind of change is shown before anybody has thought of
// it here; only its name has to be added.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "replication/tree/transaction.hpp"

namespace zabfs::daemon::zabctl {

// "create", "setData" ...
std::string kind_of(const replication::tree::Transaction& transaction);

// The znodes it names. The ephemeral znodes that end with a session are not: they are implied.
std::vector<std::string_view> paths_of(const replication::tree::Transaction& transaction);

// One line: time, zxid, session, what happens.
std::string line_of(const replication::tree::Transaction& transaction, bool with_data);

boost::json::object json_of(const replication::tree::Transaction& transaction, bool with_data);

}  // namespace zabfs::daemon::zabctl
