// A client whose root is a znode below the ensemble's root. The server knows nothing of it: every
// path of a request gets the chroot in front, every path of a reply or an event loses it again.
//
// A path with two slashes in front is one of the ensemble, whatever the chroot: `//zabfs/locks`. So
// a reply or an event about a znode that does not lie below the chroot comes with two slashes, too;
// without a chroot there are none. The chroot itself is not created: while it is missing,
// everything answers no_node.
#pragma once

#include <string>

#include "replication/protocol/requests.hpp"
#include "replication/protocol/responses.hpp"

namespace zabfs::fusefs::client {

class Chroot {
 public:
  // A valid path other than the root, or empty for none.
  explicit Chroot(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }

  void add_to(replication::protocol::Request& request) const;
  void strip_from(replication::protocol::Response& response) const;
  void strip_from(std::string& path) const;

 private:
  void add_to(std::string& path) const;

  std::string path_;
};

}  // namespace zabfs::fusefs::client
