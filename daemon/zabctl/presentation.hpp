// How zabctl writes down what it found: numbers, times, Stats and ACLs, as text and as JSON.
//
// A zxid is written as clients and the four-letter words write it, 0x200000007; times are UTC.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "replication/model/acl.hpp"
#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"
#include "replication/model/stat.hpp"

namespace zabfs::daemon::zabctl {

std::string hex(std::uint64_t number);
inline std::string hex(replication::Zxid zxid) { return hex(zxid.value); }
inline std::string hex(replication::SessionId session) {
  return hex(static_cast<std::uint64_t>(session.value));
}

// 2026-05-04T12:30:01.123Z
std::string time_text(std::int64_t ms_since_1970);

// "1 znode", "2 znodes".
std::string counted(std::uint64_t count, std::string_view noun);

// Text that can be printed on one line: what is no printable UTF-8 is escaped as \xNN.
std::string printable(std::string_view text);

// world:anyone:cdrwa, as ZooKeeper's shell writes it; entries are separated by commas.
std::string acl_text(const replication::Acl& acl);

boost::json::object json_of(const replication::Stat& stat);
boost::json::array json_of(const replication::Acl& acl);

// Sets "data" if it is text in UTF-8 or null, and "dataBase64" if it is anything else.
void set_data(boost::json::object& object, const std::optional<replication::ByteView>& data);

}  // namespace zabfs::daemon::zabctl
