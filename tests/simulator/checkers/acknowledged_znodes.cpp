#include "tests/simulator/checkers/acknowledged_znodes.hpp"

#include <algorithm>
#include <cstdlib>

namespace zabfs::test {

using namespace replication;

namespace {

constexpr std::size_t digits_of_a_sequence = 10;

}  // namespace

void AcknowledgedZnodes::on_created(const std::string& path, Zxid zxid, SessionId owner) {
  created_[path][zxid] = owner;
}

void AcknowledgedZnodes::on_sequential(const std::string& path, Zxid zxid) {
  const std::string parent = path.substr(0, path.rfind('/'));
  const std::string digits = path.substr(path.size() - std::min(path.size(), digits_of_a_sequence));
  const auto number = std::strtoull(digits.c_str(), nullptr, 10);
  sequences_[parent][zxid] = number;
}

std::string AcknowledgedZnodes::numbered(const std::string& stem, std::uint64_t number) {
  return stem + '.' + std::to_string(number);
}

void AcknowledgedZnodes::check_sequence(const std::string& parent,
                                        const std::map<Zxid, std::uint64_t>& numbers) {
  for (auto given = numbers.begin(); given != numbers.end(); ++given) {
    for (auto before = given; before != numbers.begin();) {
      --before;
      if (!restorations_.is_visible(before->first, given->first)) {
        continue;
      }
      if (before->second >= given->second) {
        findings_.add("SequenceNumbers", parent, " gave ", given->second, " at ", given->first,
                      " and ", before->second, " at ", before->first);
      }
      break;
    }
  }
}

void AcknowledgedZnodes::check(const tree::DataTree& tree, const session::SessionTable& sessions) {
  for (const auto& [parent, numbers] : sequences_) {
    check_sequence(parent, numbers);
  }
  check_created(tree, sessions);
  std::map<std::string, Zxid> present;
  tree.nodes().walk([&](std::string_view path, tree::Slot slot) {
    const tree::Node& node = tree.nodes()[slot];
    if (path.starts_with("/w/")) {
      present.emplace(path, node.czxid);
    }
    if (node.is_ephemeral() && sessions.find(node.ephemeral_owner) == nullptr) {
      findings_.add("EphemeralLife", path, " is there and its session is not");
    }
  });
  check_numbered(present);
}

void AcknowledgedZnodes::check_created(const tree::DataTree& tree,
                                       const session::SessionTable& sessions) {
  for (const auto& [path, creations] : created_) {
    const tree::Node* node = tree.find(path);
    if (doubtful_.contains(path)) {
      continue;
    }
    const auto is_there = [&](const auto& creation) {
      return restorations_.is_visible(creation.first, tree.last_applied());
    };
    const auto newest = std::ranges::find_if(creations.rbegin(), creations.rend(), is_there);
    if (newest == creations.rend()) {
      if (node != nullptr && creations.contains(node->czxid)) {
        findings_.add("Durability", path, " of ", node->czxid, " is there, which a restore undid");
      }
      continue;
    }
    const auto& [zxid, owner] = *newest;
    const bool is_ephemeral = owner != SessionId{};
    const bool should_be = !is_ephemeral || sessions.find(owner) != nullptr;
    if (should_be && node == nullptr) {
      findings_.add(is_ephemeral ? "EphemeralLife" : "Durability", path, ", acknowledged at ", zxid,
                    ", is lost");
    } else if (should_be && node->czxid != zxid) {
      findings_.add("Durability", path, " was acknowledged at ", zxid, " and is of ", node->czxid);
    } else if (!should_be && node != nullptr && node->czxid == zxid) {
      findings_.add("EphemeralLife", path, " has outlived its session");
    }
  }
}

// Every stem's numbers begin with 0.
void AcknowledgedZnodes::check_numbered(const std::map<std::string, Zxid>& present) {
  std::map<std::string, std::map<std::uint64_t, Zxid>> stems;
  for (const auto& [path, zxid] : present) {
    const auto dot = path.rfind('.');
    stems[path.substr(0, dot)][std::strtoull(path.c_str() + dot + 1, nullptr, 10)] = zxid;
  }
  for (const auto& [stem, numbers] : stems) {
    std::uint64_t next = 0;
    Zxid before{};
    for (const auto& [number, zxid] : numbers) {
      if (number != next) {
        findings_.add("SessionFifo", numbered(stem, number), " is there and ", numbered(stem, next),
                      " is not");
        break;
      }
      if (zxid < before) {
        findings_.add("SessionFifo", numbered(stem, number), " was made before its predecessor");
      }
      before = zxid;
      ++next;
    }
  }
}

}  // namespace zabfs::test
