// What this program calls itself: to its users, and to programs that expect ZooKeeper.
#pragma once

#include <string>

namespace zabfs::daemon {

// The version of this repository, as in CMakeLists.txt.
std::string version();

// As ZooKeeper's own tools and clients expect it: the release of ZooKeeper whose protocol is
// spoken, then ours, then the day of the build (SOURCE_DATE_EPOCH, if that is set).
std::string zookeeper_version();

}  // namespace zabfs::daemon
