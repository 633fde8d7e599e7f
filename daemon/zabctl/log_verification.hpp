// The log, segment by segment and from one to the next: no record damaged, none missing, every zxid
// in its place.
#pragma once

#include <string>
#include <vector>

#include "daemon/zabctl/read_only_directory.hpp"
#include "daemon/zabctl/verification.hpp"
#include "replication/store/layout.hpp"

namespace zabfs::daemon::zabctl {

// Adds to the report what it finds. `segments` are of one generation and ascending.
void verify_log(const ReadOnlyDirectory& directory,
                const std::vector<replication::store::SegmentId>& segments,
                VerificationReport& report);

// What to do about a server whose history is not whole. A server of an ensemble that begins anew
// has forgotten what it acknowledged, so it may do that only while the others can do without it.
std::string replacement_advice(const ReadOnlyDirectory& directory);

}  // namespace zabfs::daemon::zabctl
