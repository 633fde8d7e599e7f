#include "daemon/version.hpp"

namespace zabfs::daemon {

std::string version() { return ZABFS_VERSION; }

std::string zookeeper_version() {
  return "3.8.0-zabfs-" ZABFS_VERSION ", built on " ZABFS_BUILT_ON;
}

}  // namespace zabfs::daemon
