#include "replication/tree/node_store.hpp"

#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "replication/model/check.hpp"

namespace zabfs::replication::tree {
namespace {

std::uint64_t hash_of_child(Slot parent, std::string_view name) {
  return XXH3_64bits_withSeed(name.data(), name.size(), parent);
}

std::int32_t length_of(const std::optional<ByteView>& data) {
  return data ? static_cast<std::int32_t>(data->size()) : -1;
}

std::size_t bytes_of_data(const Node& node) {
  return node.data_length < 0 ? 0 : static_cast<std::size_t>(node.data_length);
}

}  // namespace

NodeStore::NodeStore() {
  const Slot root = add("", std::nullopt);
  CHECK(root == root_slot);
}

std::uint64_t NodeStore::hash_of(Slot slot) const {
  const Node& node = (*this)[slot];
  return hash_of_child(node.parent, name_of(node));
}

Slot NodeStore::find_child(Slot parent, std::string_view name) const {
  return index_.find(*this, hash_of_child(parent, name), [&](Slot slot) {
    const Node& node = (*this)[slot];
    return node.parent == parent && name_of(node) == name;
  });
}

Slot NodeStore::take_slot() {
  if (free_ != no_slot) {
    return std::exchange(free_, (*this)[free_].next_sibling);
  }
  CHECK(unused_ != no_slot, "every slot is taken");
  if (unused_ == chunks_.size() << chunk_bits) {
    chunks_.push_back(std::make_unique<Chunk>());
    occupied_.resize(chunks_.size() * chunk_size / 64);
  }
  return unused_++;
}

Slot NodeStore::add(std::string_view name, std::optional<ByteView> data) {
  const Slot slot = take_slot();
  Node& node = (*this)[slot];
  node = Node{};
  node.name_length = static_cast<std::uint32_t>(name.size());
  const ByteView bytes = data.value_or(ByteView{});
  node.block = std::make_unique_for_overwrite<std::uint8_t[]>(name.size() + bytes.size());
  std::ranges::copy(bytes, std::ranges::copy(name, node.block.get()).out);
  node.data_length = length_of(data);
  occupied_[slot / 64] |= std::uint64_t{1} << slot % 64;
  ++size_;
  return slot;
}

bool NodeStore::link(Slot slot, Slot parent) {
  Node& node = (*this)[slot];
  const std::string_view name = name_of(node);
  if (find_child(parent, name) != no_slot) {
    return false;
  }
  Node& above = (*this)[parent];
  node.parent = parent;
  node.next_sibling = above.first_child;
  if (above.first_child != no_slot) {
    (*this)[above.first_child].previous_sibling = slot;
  }
  above.first_child = slot;
  ++above.num_children;
  index_.insert(*this, hash_of_child(parent, name), slot);
  return true;
}

void NodeStore::remove(Slot slot) {
  Node& node = (*this)[slot];
  CHECK(slot != root_slot && node.num_children == 0, "slot ", slot);
  index_.erase(*this, hash_of(slot), slot);
  Node& above = (*this)[node.parent];
  --above.num_children;
  (node.previous_sibling == no_slot ? above.first_child
                                    : (*this)[node.previous_sibling].next_sibling) =
      node.next_sibling;
  if (node.next_sibling != no_slot) {
    (*this)[node.next_sibling].previous_sibling = node.previous_sibling;
  }
  node = Node{};
  node.next_sibling = std::exchange(free_, slot);
  occupied_[slot / 64] &= ~(std::uint64_t{1} << slot % 64);
  --size_;
}

void NodeStore::set_data(Slot slot, std::optional<ByteView> data) {
  Node& node = (*this)[slot];
  const ByteView bytes = data.value_or(ByteView{});
  if (bytes.size() != bytes_of_data(node)) {
    auto block = std::make_unique_for_overwrite<std::uint8_t[]>(node.name_length + bytes.size());
    std::copy_n(node.block.get(), node.name_length, block.get());
    node.block = std::move(block);
  }
  std::ranges::copy(bytes, node.block.get() + node.name_length);
  node.data_length = length_of(data);
}

// The next sibling of `slot` or of the nearest of its ancestors that has one; `path`, which was
// that of `slot`, becomes the path of its parent.
Slot NodeStore::next_upwards(Slot slot, std::string& path) const {
  while (slot != root_slot) {
    const Node& node = (*this)[slot];
    path.resize(path.size() - 1 - node.name_length);
    if (node.next_sibling != no_slot) {
      return node.next_sibling;
    }
    slot = node.parent;
  }
  return no_slot;
}

std::string_view NodeStore::name_of(const Node& node) const {
  return text_of(ByteView{node.block.get(), node.name_length});
}

std::optional<ByteView> NodeStore::data_of(const Node& node) const {
  if (node.data_length < 0) {
    return std::nullopt;
  }
  return ByteView{node.block.get() + node.name_length, bytes_of_data(node)};
}

void NodeStore::append_path(std::string& out, const Node& node) const {
  if (&node == &(*this)[root_slot]) {
    out += '/';
    return;
  }
  const std::size_t begin = out.size();
  std::size_t length = 0;
  for (const Node* at = &node; at->parent != no_slot; at = &(*this)[at->parent]) {
    length += 1 + at->name_length;
  }
  out.resize(begin + length);
  for (const Node* at = &node; at->parent != no_slot; at = &(*this)[at->parent]) {
    length -= 1 + at->name_length;
    out[begin + length] = '/';
    std::ranges::copy(name_of(*at), out.begin() + static_cast<std::ptrdiff_t>(begin + length + 1));
  }
}

}  // namespace zabfs::replication::tree
