// What each command over HTTP answers, without "command" and "error".
#pragma once

#include <boost/json/object.hpp>

#include "daemon/admin/subject.hpp"

namespace zabfs::daemon::admin {

using Json = boost::json::object;

// A command that cannot be answered says why in "error" itself.
Json configuration_json(Subject& subject);
Json connections_json(Subject& subject);
Json dump_json(Subject& subject);
Json environment_json(Subject& subject);
Json dirs_json(Subject& subject);
Json hash_json(Subject& subject);
Json initial_configuration_json(Subject& subject);
Json is_read_only_json(Subject& subject);
Json last_snapshot_json(Subject& subject);
Json leader_json(Subject& subject);
Json monitor_json(Subject& subject);
Json observers_json(Subject& subject);
Json server_stats_json(Subject& subject);
Json stats_json(Subject& subject);
Json system_properties_json(Subject& subject);
Json voting_view_json(Subject& subject);
Json watch_summary_json(Subject& subject);
Json watches_json(Subject& subject);
Json watches_by_path_json(Subject& subject);
Json zabstate_json(Subject& subject);
Json reset_conversations_json(Subject& subject);
Json reset_counts_json(Subject& subject);
Json nothing_json(Subject& subject);

}  // namespace zabfs::daemon::admin
