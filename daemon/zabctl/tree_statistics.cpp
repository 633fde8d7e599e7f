#include "daemon/zabctl/tree_statistics.hpp"

#include <algorithm>
#include <iomanip>

#include "daemon/zabctl/presentation.hpp"
#include "daemon/zabctl/selection.hpp"

namespace zabfs::daemon::zabctl {

using replication::tree::Node;
using replication::tree::Slot;

namespace {

// `path` down to `depth` levels below `subtree`: "/a/b/c", "/a", 1 gives "/a/b".
std::string_view row_of(std::string_view path, std::string_view subtree, int depth) {
  std::size_t end = subtree == "/" ? 0 : subtree.size();
  for (int level = 0; level < depth && end < path.size(); ++level) {
    end = std::min(path.find('/', end + 1), path.size());
  }
  return end == 0 ? std::string_view("/") : path.substr(0, end);
}

}  // namespace

TreeStatistics::TreeStatistics(const LoadedState& state, const std::string& subtree, int depth)
    : sessions_(state.sessions.size()), acls_(state.tree.acls().size()) {
  const auto& tree = state.tree;
  tree.nodes().walk([&](std::string_view path, Slot slot) {
    if (!lies_in(path, subtree)) {
      return;
    }
    const Node& node = tree.nodes()[slot];
    const auto owner = tree.stat_of(node).ephemeral_owner;
    for (int level = 0; level <= depth; ++level) {
      const std::string_view row = row_of(path, subtree, level);
      Sum& sum = subtrees_[std::string(row)];
      ++sum.znodes;
      sum.bytes += static_cast<std::uint64_t>(std::max(node.data_length, 0));
      sum.ephemerals += owner == 0 ? 0 : 1;
      if (row == path) {
        break;
      }
    }
    if (owner != 0) {
      ++ephemerals_[{owner}];
    }
  });
}

void TreeStatistics::print(std::ostream& out) const {
  out << std::right << std::setw(12) << "znodes" << std::setw(15) << "bytes" << std::setw(12)
      << "ephemeral"
      << "\n";
  for (const auto& [path, sum] : subtrees_) {
    out << std::setw(12) << sum.znodes << std::setw(15) << sum.bytes << std::setw(12)
        << sum.ephemerals << "  " << printable(path) << "\n";
  }
  out << "\n"
      << counted(sessions_, "session") << ", " << ephemerals_.size()
      << " of them with ephemeral znodes; " << counted(acls_, "different ACL") << "\n";
  for (const auto& [session, count] : ephemerals_) {
    out << std::setw(12) << count << "  " << hex(session) << "\n";
  }
}

boost::json::object TreeStatistics::to_json() const {
  boost::json::object subtrees;
  for (const auto& [path, sum] : subtrees_) {
    subtrees[path] = boost::json::object{
        {"znodes", sum.znodes}, {"bytes", sum.bytes}, {"ephemerals", sum.ephemerals}};
  }
  boost::json::object ephemerals;
  for (const auto& [session, count] : ephemerals_) {
    ephemerals[hex(session)] = count;
  }
  return {{"subtrees", std::move(subtrees)},
          {"sessions", sessions_},
          {"acls", acls_},
          {"ephemeralsBySession", std::move(ephemerals)}};
}

}  // namespace zabfs::daemon::zabctl
