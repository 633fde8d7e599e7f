#include "replication/tree/node_store.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace zabfs::replication::tree {
namespace {

Slot add_child(NodeStore& nodes, Slot parent, std::string_view name) {
  const Slot slot = nodes.add(name, bytes_of("data"));
  EXPECT_TRUE(nodes.link(slot, parent)) << name;
  return slot;
}

TEST(NodeStore, GivesAFreedSlotToTheNextNode) {
  NodeStore nodes;
  const Slot a = add_child(nodes, root_slot, "a");
  const Slot b = add_child(nodes, root_slot, "b");
  nodes.remove(a);
  EXPECT_EQ(nodes.occupied().front(), (1U << root_slot) | (1U << b));
  const Slot c = add_child(nodes, root_slot, "c");
  EXPECT_EQ(c, a);
  EXPECT_EQ(nodes[c].num_children, 0);
  EXPECT_EQ(nodes.find_child(root_slot, "a"), no_slot);
  EXPECT_EQ(nodes.find_child(root_slot, "c"), c);
  EXPECT_EQ(nodes.size(), 3U);
}

TEST(NodeStore, RefusesAChildTwice) {
  NodeStore nodes;
  const Slot a = add_child(nodes, root_slot, "x");
  add_child(nodes, a, "x");
  EXPECT_FALSE(nodes.link(nodes.add("x", std::nullopt), root_slot));
  EXPECT_EQ(nodes[root_slot].num_children, 1);
}

TEST(NodeStore, UnlinksAnyOfThreeSiblings) {
  for (const std::string removed : {"a", "b", "c"}) {
    NodeStore nodes;
    for (const char* name : {"a", "b", "c"}) {
      add_child(nodes, root_slot, name);
    }
    nodes.remove(nodes.find_child(root_slot, removed));
    std::size_t seen = 0;
    for (Slot slot = nodes[root_slot].first_child; slot != no_slot;
         slot = nodes[slot].next_sibling) {
      EXPECT_NE(nodes.name_of(nodes[slot]), removed);
      ++seen;
    }
    EXPECT_EQ(seen, 2U);
    add_child(nodes, root_slot, removed);
    EXPECT_EQ(nodes.walk([](auto, auto) {}), 4U);
  }
}

TEST(NodeStore, WalksParentsFirstAndSkipsWhatDoesNotHangFromTheRoot) {
  NodeStore nodes;
  const Slot a = add_child(nodes, root_slot, "a");
  add_child(nodes, add_child(nodes, a, "b"), "c");
  add_child(nodes, root_slot, "d");
  nodes.add("unlinked", std::nullopt);
  std::vector<std::string> paths;
  EXPECT_EQ(nodes.walk([&](std::string_view path, Slot) { paths.emplace_back(path); }), 5U);
  EXPECT_EQ(paths, (std::vector<std::string>{"/", "/d", "/a", "/a/b", "/a/b/c"}));
  EXPECT_EQ(nodes.size(), 6U);
}

TEST(NodeStore, KeepsTheNameWhenDataGrowsShrinksAndVanishes) {
  NodeStore nodes;
  const Slot slot = add_child(nodes, root_slot, "name");
  for (const std::string& text : {std::string(1000, 'x'), std::string{}, std::string{"abc"}}) {
    nodes.set_data(slot, bytes_of(text));
    EXPECT_EQ(text_of(*nodes.data_of(nodes[slot])), text);
    EXPECT_EQ(nodes.name_of(nodes[slot]), "name");
  }
  nodes.set_data(slot, std::nullopt);
  EXPECT_FALSE(nodes.data_of(nodes[slot]).has_value());
  EXPECT_EQ(nodes.name_of(nodes[slot]), "name");
}

TEST(NodeStore, AddressesStayWhileItGrows) {
  NodeStore nodes;
  const Node* const first = &nodes[add_child(nodes, root_slot, "first")];
  for (int i = 0; i < 10'000; ++i) {
    add_child(nodes, root_slot, std::to_string(i));
  }
  EXPECT_EQ(first, &nodes[nodes.find_child(root_slot, "first")]);
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_NE(nodes.find_child(root_slot, std::to_string(i)), no_slot) << i;
  }
}

}  // namespace
}  // namespace zabfs::replication::tree
