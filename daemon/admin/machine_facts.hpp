// What an operator is told about the configuration, the machine and the disk, as pairs of key and
// value under ZooKeeper's names.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "daemon/admin/subject.hpp"

namespace zabfs::daemon::admin {

using KeyValues = std::vector<std::pair<std::string, std::string>>;

// As the word `conf` has them.
KeyValues configuration_lines(const Settings& settings);

// The lines server.N, and version=0 without a line end.
std::string membership_text(const Settings& settings);

// As the word `envi` has them. Of ZooKeeper's keys, those of a Java runtime are not there.
KeyValues environment(const Facts& facts);

// The newest snapshot on the disk; all zero if there is none.
struct NewestSnapshot {
  std::uint64_t zxid{};
  std::int64_t written_at{};  // seconds since 1970
  std::uint64_t bytes{};
  std::string path{};
};
NewestSnapshot newest_snapshot(const std::string& directory);

// Of the files in the directory; 0 if it cannot be read.
std::uint64_t bytes_below(const std::string& directory);

}  // namespace zabfs::daemon::admin
