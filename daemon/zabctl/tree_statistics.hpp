// How many znodes and bytes there are, by subtree down to a depth; sessions and their ephemerals.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <map>
#include <ostream>
#include <string>

#include "daemon/zabctl/loaded_state.hpp"

namespace zabfs::daemon::zabctl {

class TreeStatistics {
 public:
  // Of everything at and below `subtree`, with a row for each znode at most `depth` levels below
  // it.
  TreeStatistics(const LoadedState& state, const std::string& subtree, int depth);

  void print(std::ostream& out) const;
  boost::json::object to_json() const;

 private:
  struct Sum {
    std::uint64_t znodes{};
    std::uint64_t bytes{};  // of data
    std::uint64_t ephemerals{};
  };

  std::map<std::string, Sum> subtrees_{};
  std::map<replication::SessionId, std::uint64_t> ephemerals_{};  // by session
  std::uint64_t sessions_{};
  std::uint64_t acls_{};
};

}  // namespace zabfs::daemon::zabctl
