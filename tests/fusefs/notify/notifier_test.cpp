// What programs that watch by inotify are told, and what they are not.
#include <gtest/gtest.h>

#include "tests/fusefs/notify/notified_fake.hpp"

namespace zabfs::test {
namespace {

using replication::protocol::Create2Request;
using replication::protocol::CreateRequest;
using replication::protocol::DeleteRequest;
using replication::protocol::MultiRequest;

struct WatchedDirectory : NotifiedFake {
  WatchedDirectory() {
    ensemble.create("/d", std::nullopt);
    ensemble.create("/d/f", bytes("1"));
    watch({"/d"});
  }
};

TEST(Notifier, ChangesOfOthersAreToldInTheirOrder) {
  WatchedDirectory m;
  m.ensemble.create("/d/new", bytes("1"));
  m.ensemble.set("/d/new", "2");
  m.ensemble.set("/d/f", "3");
  m.ensemble.remove("/d/new");
  m.ensemble.create("/d/new", std::nullopt);
  m.ensemble.remove("/d/new");
  m.settle();
  EXPECT_EQ(m.told(),
            "make_file /d/new, write /d/new, write /d/f, remove_file /d/new, make_file /d/new, "
            "remove_file /d/new");
}

TEST(Notifier, DirectoriesAreToldAsSuch) {
  WatchedDirectory m;
  m.ensemble.create("/d/sub", std::nullopt);
  m.settle();
  EXPECT_EQ(m.told(), "make_directory /d/sub");
  m.ensemble.set("/d", "data");
  m.settle();
  EXPECT_EQ(m.told(), "touch /d");
  m.ensemble.remove("/d/sub");
  m.settle();
  EXPECT_EQ(m.told(), "remove_directory /d/sub");
}

TEST(Notifier, WhatNobodyWatchesIsNotTold) {
  WatchedDirectory m;
  m.ensemble.create("/d/sub", std::nullopt);
  m.ensemble.create("/e", bytes("1"));
  m.settle();
  m.told();
  m.ensemble.create("/d/sub/deep", bytes("1"));
  m.ensemble.set("/d/sub/deep", "2");
  m.ensemble.set("/e", "2");
  m.settle();
  EXPECT_EQ(m.told(), "");
  m.notifier.watched({});
  m.ensemble.set("/d/f", "2");
  m.settle();
  EXPECT_EQ(m.told(), "");
}

TEST(Notifier, WithoutWatchesTheEnsembleIsNotAsked) {
  NotifiedFake m;
  m.ensemble.create("/f", bytes("1"));
  const auto requests = m.ensemble.request_count();
  m.ensemble.set("/f", "2");
  m.settle();
  EXPECT_EQ(m.ensemble.request_count(), requests);
}

TEST(Notifier, AFileIsWatchedAlone) {
  NotifiedFake m;
  m.ensemble.create("/f", bytes("1"));
  m.ensemble.create("/g", bytes("1"));
  m.watch({"/f"});
  m.ensemble.set("/f", "2");
  m.ensemble.set("/g", "2");
  m.ensemble.remove("/f");
  m.settle();
  EXPECT_EQ(m.told(), "write /f, remove_file /f");
}

TEST(Notifier, WhatTheMountDoesByPlainNamesTheKernelHasTold) {
  WatchedDirectory m;
  const auto d = m.walk("/d").inode;
  const auto made = m.create("own", O_WRONLY | O_CREAT, d);
  m.write(made.handle, 0, "text");
  m.flush(made.handle);
  m.release(made.handle);
  m.make_directory("dir", d);
  m.rename({d, "own"}, {d, "moved"});
  m.remove_file("moved", d);
  m.remove_directory("dir", d);
  m.settle();
  EXPECT_EQ(m.told(), "");
}

TEST(Notifier, WhatItDoesByOtherNamesIsTold) {
  WatchedDirectory m;
  const auto d = m.walk("/d").inode;
  const auto made = m.create("job-@s", O_WRONLY | O_CREAT, d);
  m.release(made.handle);
  m.settle();
  EXPECT_EQ(m.told(), "make_file /d/job-0000000001");
  const auto conditional = m.open(m.look_up("f@v=0", d).inode, O_WRONLY);
  EXPECT_EQ(m.write(conditional.handle, 0, "new").written, 3U);
  m.settle();
  EXPECT_EQ(m.told(), "write /d/f");
  const auto held = m.create("worker@h", O_WRONLY | O_CREAT, d);
  m.release(held.handle);
  m.settle();
  EXPECT_EQ(m.told(), "make_file /d/worker, remove_file /d/worker");
}

TEST(Notifier, ATransactionThatIsNoRenameIsToldAsItIs) {
  WatchedDirectory m;
  MultiRequest beside;
  beside.operations.emplace_back(DeleteRequest{.path = "/d/f"});
  beside.operations.emplace_back(Create2Request{.path = "/d/g", .data = bytes("1")});
  m.transact(std::move(beside));
  EXPECT_EQ(m.told(), "remove_file /d/f, make_file /d/g");
}

TEST(Notifier, AMoveIsToldAsOne) {
  WatchedDirectory m;
  MultiRequest move;
  move.operations.emplace_back(Create2Request{.path = "/d/g", .data = bytes("1")});
  move.operations.emplace_back(DeleteRequest{.path = "/d/f"});
  m.transact(std::move(move));
  EXPECT_EQ(m.told(), "move /d/f /d/g");
  MultiRequest over;
  m.ensemble.create("/d/f", bytes("1"));
  m.settle();
  m.told();
  over.operations.emplace_back(DeleteRequest{.path = "/d/g"});
  over.operations.emplace_back(Create2Request{.path = "/d/g", .data = bytes("2")});
  over.operations.emplace_back(DeleteRequest{.path = "/d/f"});
  m.transact(std::move(over));
  EXPECT_EQ(m.told(), "move /d/f /d/g");
}

TEST(Notifier, TheFirstChildMakesADirectoryOfAFile) {
  WatchedDirectory m;
  m.ensemble.create("/d/new", bytes(""));
  m.settle();
  m.told();
  m.ensemble.create("/d/new/child", bytes(""));
  m.settle();
  EXPECT_EQ(m.told(), "remove_file /d/new, make_directory /d/new");
}

TEST(Notifier, DataMakeAFileOfADirectoryThatNeverHadAChild) {
  WatchedDirectory m;
  m.ensemble.create("/d/new", std::nullopt);
  m.settle();
  m.told();
  m.ensemble.set("/d/new", "data");
  m.settle();
  EXPECT_EQ(m.told(), "remove_directory /d/new, make_file /d/new");
}

TEST(Notifier, TheChildThatOnlyMarksADirectoryIsNotTold) {
  WatchedDirectory m;
  MultiRequest mark;
  mark.operations.emplace_back(CreateRequest{.path = "/d/@dir"});
  mark.operations.emplace_back(DeleteRequest{.path = "/d/@dir"});
  m.transact(std::move(mark));
  EXPECT_EQ(m.told(), "");
}

TEST(Notifier, WhatHappenedWithoutAConnectionIsFoundByComparing) {
  WatchedDirectory m;
  m.ensemble.create("/d/gone", bytes("1"));
  m.ensemble.create("/d/same", bytes("1"));
  m.ensemble.create("/d/again", bytes("1"));
  m.settle();
  m.told();
  m.ensemble.disconnect();
  m.ensemble.set("/d/f", "2");
  m.ensemble.set("/d/f", "3");
  m.ensemble.create("/d/new", bytes("1"));
  m.ensemble.remove("/d/gone");
  m.ensemble.remove("/d/again");
  m.ensemble.create("/d/again", bytes("2"));
  m.ensemble.reconnect();
  m.settle();
  EXPECT_EQ(m.told(),
            "remove_file /d/again, make_file /d/again, write /d/f, remove_file /d/gone, "
            "make_file /d/new");
  m.ensemble.set("/d/f", "4");
  m.settle();
  EXPECT_EQ(m.told(), "write /d/f");
}

TEST(Notifier, AndSoIsWhatWasHeardAndNotYetTold) {
  WatchedDirectory m;
  m.ensemble.set("/d/f", "2");
  m.ensemble.deliver();
  m.ensemble.disconnect();
  m.ensemble.reconnect();
  m.settle();
  EXPECT_EQ(m.told(), "write /d/f");
}

TEST(Notifier, AServerWithoutSuchWatchesRefuses) {
  NotifiedFake m;
  m.ensemble.create("/f", bytes("1"));
  m.ensemble.refuse_standing_watches();
  m.watch({"/f"});
  ASSERT_TRUE(m.notifier.refusal());
  m.ensemble.set("/f", "2");
  m.settle();
  EXPECT_EQ(m.told(), "");
}

TEST(Interest, TheFewestRootsCoverEverything) {
  fusefs::notify::Interest interest;
  interest.replace({{"/a", true}, {"/a/b/c", true}, {"/ab", false}, {"/b/c", true}});
  EXPECT_EQ(interest.roots(), (std::set<std::string>{"/a", "/ab", "/b/c"}));
  interest.replace({{"/", true}, {"/a", true}});
  EXPECT_EQ(interest.roots(), (std::set<std::string>{"/"}));
}

}  // namespace
}  // namespace zabfs::test
