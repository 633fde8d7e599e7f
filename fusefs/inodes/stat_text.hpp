// A Stat in words: the fields that `NAME@stat` and the attributes `user.zk.*` show, in the order of
// the wire.
//
// Numbers are decimal (zxids too, so that a shell can compare them; times are milliseconds since
// 1970). A session is hexadecimal with 0x, as ZooKeeper's logs and tools print it; 0x0 is none.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "replication/model/stat.hpp"

namespace zabfs::fusefs::inodes {

struct StatField {
  std::string_view name{};
  std::string (*value)(const replication::Stat&){};
};

std::span<const StatField> stat_fields();

// `key value` per line.
std::string stat_text(const replication::Stat& stat);

}  // namespace zabfs::fusefs::inodes
