#include "daemon/zabctl/tree_difference.hpp"

#include <algorithm>
#include <vector>

#include "daemon/zabctl/presentation.hpp"
#include "daemon/zabctl/selection.hpp"

namespace zabfs::daemon::zabctl {

using replication::Stat;
using replication::tree::DataTree;
using replication::tree::Node;
using replication::tree::Slot;

namespace {

class Fields {
 public:
  void add(const char* name, const std::string& first, const std::string& second) {
    if (first != second) {
      text_ += (text_.empty() ? "" : ", ") + std::string(name) + " " + first + " -> " + second;
    }
  }
  void add(const char* name, std::int64_t first, std::int64_t second) {
    add(name, std::to_string(first), std::to_string(second));
  }
  void add_zxid(const char* name, std::int64_t first, std::int64_t second) {
    add(name, hex(static_cast<std::uint64_t>(first)), hex(static_cast<std::uint64_t>(second)));
  }

  const std::string& text() const { return text_; }

 private:
  std::string text_{};
};

std::string data_text(const DataTree& tree, const Node& node) {
  const auto data = tree.data_of(node);
  return data ? std::string(replication::text_of(*data)) : "null";
}

std::string changes(const DataTree& first_tree, const Node& first, const DataTree& second_tree,
                    const Node& second) {
  const Stat one = first_tree.stat_of(first);
  const Stat two = second_tree.stat_of(second);
  Fields fields;
  fields.add_zxid("czxid", one.czxid, two.czxid);
  fields.add_zxid("mzxid", one.mzxid, two.mzxid);
  fields.add_zxid("pzxid", one.pzxid, two.pzxid);
  fields.add("ctime", time_text(one.ctime), time_text(two.ctime));
  fields.add("mtime", time_text(one.mtime), time_text(two.mtime));
  fields.add("version", one.version, two.version);
  fields.add("cversion", one.cversion, two.cversion);
  fields.add("aversion", one.aversion, two.aversion);
  fields.add_zxid("owner", first.ephemeral_owner.value, second.ephemeral_owner.value);
  fields.add("children", one.num_children, two.num_children);
  fields.add("acl", acl_text(first_tree.acl_of(first)), acl_text(second_tree.acl_of(second)));
  std::string text = fields.text();
  if (data_text(first_tree, first) != data_text(second_tree, second) ||
      first_tree.data_of(first).has_value() != second_tree.data_of(second).has_value()) {
    text += (text.empty() ? "" : ", ") + std::string("data of ") +
            counted(static_cast<std::uint64_t>(one.data_length), "byte") + " -> " +
            counted(static_cast<std::uint64_t>(two.data_length), "byte");
  }
  return text;
}

void compare_sessions(const LoadedState& first, const LoadedState& second,
                      const DifferenceVisitor& visit) {
  const auto name = [](replication::SessionId id) { return "session " + hex(id); };
  for (const auto& [id, session] : first.sessions.sessions()) {
    const auto* other = second.sessions.find(id);
    if (other == nullptr) {
      visit({DifferenceKind::only_in_first, name(id), ""});
    } else if (!(session == *other)) {
      visit({DifferenceKind::changed, name(id), "timeout or password"});
    }
  }
  for (const auto& [id, session] : second.sessions.sessions()) {
    if (first.sessions.find(id) == nullptr) {
      visit({DifferenceKind::only_in_second, name(id), ""});
    }
  }
}

}  // namespace

void compare(const LoadedState& first, const LoadedState& second, const std::string& subtree,
             const DifferenceVisitor& visit) {
  first.tree.nodes().walk([&](std::string_view path, Slot slot) {
    if (!lies_in(path, subtree)) {
      return;
    }
    const Node* other = second.tree.find(path);
    if (other == nullptr) {
      visit({DifferenceKind::only_in_first, std::string(path), ""});
      return;
    }
    if (auto what = changes(first.tree, first.tree.nodes()[slot], second.tree, *other);
        !what.empty()) {
      visit({DifferenceKind::changed, std::string(path), std::move(what)});
    }
  });
  second.tree.nodes().walk([&](std::string_view path, Slot /*slot*/) {
    if (lies_in(path, subtree) && first.tree.find(path) == nullptr) {
      visit({DifferenceKind::only_in_second, std::string(path), ""});
    }
  });
  if (subtree.empty() || subtree == "/") {
    compare_sessions(first, second, visit);
  }
}

}  // namespace zabfs::daemon::zabctl
