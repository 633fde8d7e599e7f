// The znodes that may go without being asked: containers and znodes with a time to live that have
// no children now, in the order in which their time comes. A look at it costs what is due, not what
// is there.
//
//   znode                                    goes
//   container that has had children          at the next look
//   container that never had any             when untouched for `never_used_ms`, if that is not 0
//   znode with a time to live                when untouched for longer than that
//
// Untouched means that the data was not set. The times are those of the leaders that made the
// changes, compared with that of the leader that asks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "replication/tree/node.hpp"

namespace zabfs::replication::tree {

struct RemovalTerms {
  std::int64_t now_ms{};         // since 1970
  std::int64_t never_used_ms{};  // 0: never
};

// True if `node` may go now.
bool is_removal_due(const Node& node, const RemovalTerms& terms);

class RemovalIndex {
 public:
  // To be called before and after every change of a znode's children, data or existence, with the
  // znode as it is at that moment. Znodes of other kinds, or with children, are passed over.
  void remove(Slot slot, const Node& node);
  void add(Slot slot, const Node& node);

  // At most `count` znodes that may go now.
  std::vector<Slot> due(const RemovalTerms& terms, std::size_t count) const;

 private:
  using ByTime = std::set<std::pair<std::int64_t, Slot>>;

  std::set<Slot> used_containers_{};
  ByTime unused_containers_{};  // when they were last touched
  ByTime with_ttl_{};           // until when they stay
};

}  // namespace zabfs::replication::tree
