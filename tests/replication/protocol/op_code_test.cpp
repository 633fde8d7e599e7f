#include "replication/protocol/op_code.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tests/replication/protocol/samples.hpp"

namespace zabfs::replication::protocol {
namespace {

TEST(OpCode, HasANameForEveryRequest) {
  std::set<std::string_view> names;
  std::set<OpCode> ops;
  for (const auto& request : sample_requests()) {
    names.insert(name_of(op_of(request)));
    ops.insert(op_of(request));
  }
  EXPECT_EQ(names.size(), ops.size());
  EXPECT_FALSE(names.contains("unknown"));
}

TEST(OpCode, IsNamedAsInZooKeeper) {
  EXPECT_EQ(name_of(OpCode{2}), "delete");
  EXPECT_EQ(name_of(OpCode{12}), "getChildren2");
  EXPECT_EQ(name_of(OpCode{13}), "check");
  EXPECT_EQ(name_of(OpCode{19}), "createContainer");
  EXPECT_EQ(name_of(OpCode{21}), "createTTL");
  EXPECT_EQ(name_of(OpCode{104}), "getAllChildrenNumber");
  EXPECT_EQ(name_of(OpCode{-11}), "closeSession");
}

TEST(OpCode, WritesWhereATransactionIsNeeded) {
  for (const auto op : {OpCode::create, OpCode::create2, OpCode::create_container,
                        OpCode::create_ttl, OpCode::remove, OpCode::set_data, OpCode::set_acl,
                        OpCode::reconfig, OpCode::multi, OpCode::close_session}) {
    EXPECT_TRUE(is_write(op)) << name_of(op);
  }
  for (const auto op :
       {OpCode::exists, OpCode::get_data, OpCode::get_acl, OpCode::get_children,
        OpCode::get_children2, OpCode::sync, OpCode::ping, OpCode::check, OpCode::set_watches,
        OpCode::set_watches2, OpCode::add_watch, OpCode::check_watches, OpCode::remove_watches,
        OpCode::get_ephemerals, OpCode::get_all_children_number, OpCode::multi_read, OpCode::auth,
        OpCode::sasl, OpCode::who_am_i}) {
    EXPECT_FALSE(is_write(op)) << name_of(op);
  }
}

TEST(OpCode, IsUnknownAndNoWriteWhereWeDoNotServe) {
  for (const std::int32_t op : {-10, -1, 0, 10, 20, 23, 99, 108, 1000}) {
    EXPECT_EQ(name_of(OpCode{op}), "unknown") << op;
    EXPECT_FALSE(is_write(OpCode{op})) << op;
  }
}

}  // namespace
}  // namespace zabfs::replication::protocol
