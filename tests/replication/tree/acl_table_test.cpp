#include "replication/tree/acl_table.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace zabfs::replication::tree {
namespace {

TEST(AclTable, KeepsEqualListsOnce) {
  AclTable table;
  const AclId open = table.intern(open_acl());
  EXPECT_EQ(table.intern(open_acl()), open);
  EXPECT_NE(table.intern(read_only_acl()), open);
  EXPECT_EQ(table.size(), 2U);
  EXPECT_EQ(table.at(open), open_acl());
}

TEST(AclTable, DropsAListAfterItsLastReference) {
  AclTable table;
  const AclId open = table.intern(open_acl());
  table.add_reference(open);
  table.release(open);
  EXPECT_TRUE(table.contains(open));
  table.release(open);
  EXPECT_FALSE(table.contains(open));
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(table.at(open), open_acl());  // events may still speak of it
  table.forget_unused();
  EXPECT_EQ(table.intern(read_only_acl()), open);
  EXPECT_EQ(table.at(open), read_only_acl());
  EXPECT_EQ(table.id_limit(), 1U);
}

TEST(AclTable, AListThatIsUsedAgainIsNotForgotten) {
  AclTable table;
  const AclId open = table.intern(open_acl());
  for (int i = 0; i < 2; ++i) {
    table.release(open);
    EXPECT_EQ(table.intern(open_acl()), open);
  }
  table.forget_unused();
  EXPECT_EQ(table.at(open), open_acl());
  EXPECT_EQ(table.size(), 1U);
  table.release(open);
  table.forget_unused();
  EXPECT_EQ(table.size(), 0U);
}

TEST(AclTable, SurvivesAMove) {
  AclTable first;
  const AclId open = first.intern(open_acl());
  AclTable second = std::move(first);
  EXPECT_EQ(second.at(open), open_acl());
  EXPECT_EQ(second.intern(open_acl()), open);
}

TEST(AclTable, DifferentListsHashDifferently) {
  AclTable table;
  const auto hash = [&](const Acl& acl) { return table.hash_of(table.intern(acl)); };
  const Acl base{{1, {"a", "bc"}}};
  for (const Acl& other : {Acl{}, Acl{{2, {"a", "bc"}}}, Acl{{1, {"ab", "c"}}},
                           Acl{{1, {"a", "bd"}}}, Acl{{1, {"a", "bc"}}, {1, {"a", "bc"}}}}) {
    EXPECT_NE(hash(other), hash(base));
  }
}

}  // namespace
}  // namespace zabfs::replication::tree
