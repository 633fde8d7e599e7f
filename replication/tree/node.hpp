// One znode in memory. There may be tens of millions, so a node is one slot of a slab plus one heap
// block that holds its name and then its data; everything that points at a node is a 32-bit slot.
//
//   links     parent; first child; a ring-free doubly linked list of siblings; chain of the index
//   block     name, then data. The data's length is -1 for null data, which is not empty data
//
// Nodes belong to a NodeStore. Whoever holds a `const Node*` may read the plain numbers; names,
// data, ACLs and Stats are asked of the DataTree. An address is good until the znode is deleted.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>

#include "replication/model/ids.hpp"
#include "replication/model/owner.hpp"

namespace zabfs::replication::tree {

// A node's place in the slab. A slot is reused after its node is deleted.
using Slot = std::uint32_t;
inline constexpr Slot no_slot = std::numeric_limits<Slot>::max();
inline constexpr Slot root_slot = 0;

// A list of permissions in the AclTable.
using AclId = std::uint32_t;

struct Node {
  Slot parent{no_slot};
  Slot first_child{no_slot};
  Slot next_sibling{no_slot};  // in a free slot, the next free slot
  Slot previous_sibling{no_slot};
  Slot next_in_index{no_slot};
  std::int32_t num_children{};
  AclId acl{};
  std::uint32_t name_length{};
  std::int32_t data_length{-1};
  std::int32_t version{};   // of the data, as Stat has it
  std::int32_t aversion{};  // of the ACL, as Stat has it
  std::int32_t creates{};   // children ever created: the number of the next sequential child
  std::unique_ptr<std::uint8_t[]> block{};
  Zxid czxid{};
  Zxid mzxid{};
  Zxid pzxid{};
  std::int64_t ctime{};
  std::int64_t mtime{};
  SessionId ephemeral_owner{};  // see model/owner.hpp
  std::uint32_t descendants{};  // children, theirs, and so on

  bool is_ephemeral() const { return owner::is_session(ephemeral_owner); }

  // True for a znode that the leader removes when it has served its purpose.
  bool is_removable() const {
    return owner::is_container(ephemeral_owner) || owner::has_ttl(ephemeral_owner);
  }
};

static_assert(sizeof(Node) <= 112, "a million nodes are to stay below 250 MB");

}  // namespace zabfs::replication::tree
