// A file of Apache ZooKeeper that is not what it should be; what() says why, as the end of a
// sentence that begins with the file's name.
#pragma once

#include <stdexcept>

namespace zabfs::daemon::zabctl::zookeeper {

class Damaged : public std::runtime_error {
 public:
  using runtime_error::runtime_error;
};

}  // namespace zabfs::daemon::zabctl::zookeeper
