#include "fusefs/inodes/inode_table.hpp"

#include <gtest/gtest.h>

namespace zabfs::fusefs::inodes {
namespace {

using naming::View;

Node file(std::int64_t czxid) { return {.stat = {.czxid = czxid}, .data = DataKind::present}; }
Node directory(std::int64_t czxid) { return {.stat = {.czxid = czxid}, .data = DataKind::null}; }

TEST(InodeTable, OneZnodeHasOneNumberPerView) {
  InodeTable table;
  const Inode& plain = table.look_up("/a", View::plain, file(1));
  const Inode& again = table.look_up("/a", View::plain, file(1));
  const Inode& data = table.look_up("/a", View::data, file(1));
  EXPECT_EQ(plain.number, again.number);
  EXPECT_NE(plain.number, data.number);
  EXPECT_EQ(plain.lookups, 2U);
}

TEST(InodeTable, ANumberIsTheSameAfterItWasForgottenAndInEveryTable) {
  InodeTable table;
  const InodeNumber number = table.look_up("/a", View::plain, file(7)).number;
  table.forget(number, 1);
  EXPECT_EQ(table.size(), 1U);
  EXPECT_EQ(table.look_up("/a", View::plain, file(7)).number, number);
  InodeTable other;
  EXPECT_EQ(other.look_up("/a", View::plain, file(7)).number, number);
  EXPECT_LT(number, InodeNumber{1} << 53);
}

TEST(InodeTable, ARecreatedZnodeHasANewInodeAndTheOldOneStays) {
  InodeTable table;
  const Inode& old = table.look_up("/a", View::plain, file(1));
  const Inode& created_again = table.look_up("/a", View::plain, file(2));
  EXPECT_NE(old.number, created_again.number);
  EXPECT_TRUE(old.is_detached);
  EXPECT_EQ(table.find("/a", View::plain), &created_again);
  EXPECT_EQ(table.find(old.number), &old);
}

TEST(InodeTable, AFileThatBecomesADirectoryHasANewInode) {
  InodeTable table;
  const Inode& old = table.look_up("/a", View::plain, file(1));
  Node node = file(1);
  node.stat.cversion = 1;
  const Inode& now = table.look_up("/a", View::plain, node);
  EXPECT_NE(old.number, now.number);
  EXPECT_EQ(old.kind, Kind::file);
  EXPECT_EQ(now.kind, Kind::directory);
}

TEST(InodeTable, AnInodeLivesAsLongAsItsLookupsAndHandles) {
  InodeTable table;
  Inode& inode = table.look_up("/a", View::plain, file(1));
  const InodeNumber number = inode.number;
  table.look_up("/a", View::plain, file(1));
  table.open(inode);
  table.forget(number, 2);
  EXPECT_NE(table.find(number), nullptr);
  table.close(number);
  EXPECT_EQ(table.find(number), nullptr);
  EXPECT_EQ(table.find("/a", View::plain), nullptr);
}

TEST(InodeTable, TheRootIsNeverForgotten) {
  InodeTable table;
  table.forget(root_number, 1);
  ASSERT_NE(table.find(root_number), nullptr);
  EXPECT_EQ(table.look_up("/", View::plain, file(0)).number, root_number);
  EXPECT_EQ(table.find(root_number)->kind, Kind::directory);
}

TEST(InodeTable, AMovedZnodeKeepsItsInodeAndItsNumber) {
  InodeTable table;
  const Inode& moved = table.look_up("/a", View::plain, file(1));
  const Inode& replaced = table.look_up("/b", View::plain, file(2));
  table.move("/a", "/b", file(3));
  EXPECT_EQ(table.find("/a", View::plain), nullptr);
  EXPECT_EQ(table.find("/b", View::plain), &moved);
  EXPECT_EQ(moved.path, "/b");
  EXPECT_TRUE(replaced.is_removed);
  EXPECT_EQ(table.look_up("/b", View::plain, file(3)).number, moved.number);
}

TEST(InodeTable, ANumberInUseIsNotGivenOutAgain) {
  InodeTable table;
  const InodeNumber moved = table.look_up("/a", View::plain, file(1)).number;
  table.move("/a", "/b", file(2));
  // The same path and transaction hash to the number that the moved inode still has.
  EXPECT_NE(table.look_up("/a", View::plain, file(1)).number, moved);
}

TEST(Kind, FollowsFromNullDataAndChildren) {
  EXPECT_EQ(kind_of(file(1)), Kind::file);
  EXPECT_EQ(kind_of(directory(1)), Kind::directory);
  EXPECT_EQ(kind_of({.stat = {.cversion = 2, .data_length = 5}, .data = DataKind::present}),
            Kind::directory);
  EXPECT_EQ(kind_of({.stat = {.ephemeral_owner = 9}, .data = DataKind::null}), Kind::file);
}

}  // namespace
}  // namespace zabfs::fusefs::inodes
