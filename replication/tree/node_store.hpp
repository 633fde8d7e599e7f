// Where nodes live: a slab of fixed slots, the links between them, and the index by name.
//
// Slots come in chunks that never move, so adding a node never copies others and an address stays
// good. One index over (parent, name) serves every directory, small or huge; see slot_index.hpp.
// The store knows names, bytes and links; what a change means is the DataTree's business.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "replication/model/bytes.hpp"
#include "replication/tree/node.hpp"
#include "replication/tree/slot_index.hpp"

namespace zabfs::replication::tree {

class NodeStore {
 public:
  // Holds one node, the root: without a name and with null data.
  NodeStore();

  Node& operator[](Slot slot) { return (*chunks_[slot >> chunk_bits])[slot & (chunk_size - 1)]; }
  const Node& operator[](Slot slot) const {
    return (*chunks_[slot >> chunk_bits])[slot & (chunk_size - 1)];
  }

  // Nodes that exist, the root and unlinked ones included.
  std::size_t size() const { return size_; }

  // One bit per slot ever used, lowest first: set while the slot holds a node.
  const std::vector<std::uint64_t>& occupied() const { return occupied_; }

  // The child of that name; no_slot if there is none.
  Slot find_child(Slot parent, std::string_view name) const;

  // A new node that no other knows yet. Its parent must be given by `link`.
  Slot add(std::string_view name, std::optional<ByteView> data);

  // Makes `slot` the first child of `parent`. False, and nothing changed, if that name is taken.
  bool link(Slot slot, Slot parent);

  // Takes a childless node that is not the root out of the tree and frees its slot.
  void remove(Slot slot);

  void set_data(Slot slot, std::optional<ByteView> data);

  // Both are good until the node is changed or removed.
  std::string_view name_of(const Node& node) const;
  std::optional<ByteView> data_of(const Node& node) const;

  // Appends the node's path. The root is "/".
  void append_path(std::string& out, const Node& node) const;

  // Calls `visit(path, slot)` for the root and everything below it, parents first. Returns how many
  // that are: fewer than size() only if there are nodes that do not hang from the root.
  template <class Visit>
  std::size_t walk(Visit visit) const {
    std::string path;
    std::size_t count = 0;
    Slot slot = root_slot;
    while (slot != no_slot) {
      const Node& node = (*this)[slot];
      visit(slot == root_slot ? std::string_view{"/"} : std::string_view{path}, slot);
      ++count;
      slot = node.first_child != no_slot ? node.first_child : next_upwards(slot, path);
      if (slot != no_slot) {
        path += '/';
        path += name_of((*this)[slot]);
      }
    }
    return count;
  }

  // Makes a store of nothing but unlinked nodes ready to link all of them quickly.
  void reserve_links() { index_.reserve(size_); }

  // What the index asks; for nobody else.
  Slot& next_in_index(Slot slot) { return (*this)[slot].next_in_index; }
  Slot next_in_index(Slot slot) const { return (*this)[slot].next_in_index; }
  std::uint64_t hash_of(Slot slot) const;

 private:
  static constexpr std::size_t chunk_bits = 10;
  static constexpr std::size_t chunk_size = std::size_t{1} << chunk_bits;
  using Chunk = std::array<Node, chunk_size>;

  Slot take_slot();
  Slot next_upwards(Slot slot, std::string& path) const;

  std::vector<std::unique_ptr<Chunk>> chunks_{};
  std::vector<std::uint64_t> occupied_{};
  SlotIndex index_{};
  Slot free_{no_slot};
  Slot unused_{};  // the lowest slot that was never taken
  std::size_t size_{};
};

}  // namespace zabfs::replication::tree
