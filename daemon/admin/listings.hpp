// The long answers to four-letter words: lists of connections, sessions, znodes and watches.
#pragma once

#include <string>

#include "daemon/admin/subject.hpp"

namespace zabfs::daemon::admin {

std::string stat_clients(const Subject& subject);  // the lines within `stat`
std::string cons(const Subject& subject);
std::string dump(const Subject& subject);
std::string wchs(const Subject& subject);
std::string wchc(const Subject& subject);
std::string wchp(const Subject& subject);

// ZooKeeper's four letters for an operation, as `cons` shows them: "GETD".
std::string_view letters_of(replication::protocol::OpCode op);

}  // namespace zabfs::daemon::admin
