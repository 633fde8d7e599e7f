// Streams of changes: what they tell, that they lose nothing, and how they end.
#include <gtest/gtest.h>

#include "replication/model/limits.hpp"
#include "tests/fusefs/filesystem/mounted_fake.hpp"

namespace zabfs::test {
namespace {

using fusefs::Content;
using fusefs::Readiness;
namespace limits = replication::limits;

void* pointer(std::uintptr_t request) { return reinterpret_cast<void*>(request); }

struct StreamTest : testing::Test {
  HandleId open(const std::string& name) {
    const auto opened = m.open(m.look_up(name).inode, O_RDONLY);
    EXPECT_EQ(opened.error, 0) << name;
    return opened.handle;
  }
  // What has come since the last call, without its zxids.
  std::string heard(HandleId handle) {
    std::string words;
    for (const std::string& line : lines(handle)) {
      words += line.substr(line.find(' ') + 1) + "\n";
    }
    return words;
  }
  std::vector<std::string> lines(HandleId handle) {
    std::vector<std::string> found;
    m.ensemble.deliver();
    std::string text;
    while (is_ready(handle)) {
      text += m.read(handle, 0, 1000).text;
    }
    for (std::size_t at = 0; at < text.size();) {
      const auto end = text.find('\n', at);
      found.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    return found;
  }
  bool is_ready(HandleId handle) {
    const auto poll =
        m.ask<Readiness>([&](auto r) { m.fs.poll(std::move(r), handle, {}); }).readiness;
    return poll.can_read && !poll.has_failed;
  }
  std::string zxid() { return std::to_string(m.ensemble.last_zxid().wire()); }

  MountedFake m{};
};

TEST_F(StreamTest, BeginsWithTheStateAndTellsEachChangeWithItsZxid) {
  m.ensemble.create("/a", bytes("1"));
  const auto stream = open("a@watch");
  EXPECT_EQ(lines(stream), std::vector<std::string>{zxid() + " exists /a"});
  m.ensemble.set("/a", "2");
  const std::string first = zxid();
  m.ensemble.set("/a", "3");
  const std::string second = zxid();
  m.ensemble.create("/a/b", bytes(""));
  const std::string third = zxid();
  EXPECT_EQ(lines(stream), (std::vector<std::string>{first + " changed /a", second + " changed /a",
                                                     third + " children /a"}));
}

TEST_F(StreamTest, OutlastsTheZnodeAndWaitsForWhatIsNotThere) {
  const auto stream = open("a@watch");
  EXPECT_EQ(heard(stream), "absent /a\n");
  m.ensemble.create("/a", bytes("1"));
  m.ensemble.remove("/a");
  m.ensemble.create("/a", bytes("2"));
  EXPECT_EQ(heard(stream), "created /a\ndeleted /a\ncreated /a\n");
}

TEST_F(StreamTest, OfASubtreeTellsOfAllBelowAndNotOfChildren) {
  m.ensemble.create("/a", replication::Data{});
  const auto stream = open("a@watch=r");
  m.ensemble.create("/a/b", bytes("1"));
  m.ensemble.create("/a/b/c", bytes("1"));
  m.ensemble.set("/a/b/c", "2");
  m.ensemble.remove("/a/b/c");
  m.ensemble.create("/other", bytes("1"));
  EXPECT_EQ(heard(stream),
            "exists /a\ncreated /a/b\ncreated /a/b/c\nchanged /a/b/c\ndeleted /a/b/c\n");
}

TEST_F(StreamTest, WhatHappenedWithoutAConnectionIsFoundByComparing) {
  m.ensemble.create("/a", bytes("1"));
  const auto stream = open("a@watch");
  heard(stream);
  m.ensemble.disconnect();
  EXPECT_EQ(heard(stream), "disconnected /a\n");
  m.ensemble.set("/a", "2");
  m.ensemble.set("/a", "3");
  m.ensemble.create("/a/b", bytes(""));
  m.ensemble.reconnect();
  EXPECT_EQ(heard(stream), "connected /a\nchanged /a\nchildren /a\n");
  m.ensemble.set("/a", "4");
  EXPECT_EQ(heard(stream), "changed /a\n");
  m.ensemble.disconnect();
  m.ensemble.remove("/a/b");
  m.ensemble.remove("/a");
  m.ensemble.reconnect();
  EXPECT_EQ(heard(stream), "disconnected /a\nconnected /a\ndeleted /a\n");
  m.ensemble.disconnect();
  m.ensemble.reconnect();
  EXPECT_EQ(heard(stream), "disconnected /a\nconnected /a\n") << "nothing has happened";
}

TEST_F(StreamTest, OfASubtreeComparesEveryZnode) {
  for (const std::string path : {"/a", "/a/old", "/a/old/deep", "/a/stays", "/a/again"}) {
    m.ensemble.create(path, bytes("1"));
  }
  const auto stream = open("a@watch=r");
  m.ensemble.create("/a/later", bytes("1"));
  heard(stream);
  m.ensemble.disconnect();
  m.ensemble.remove("/a/old/deep");
  m.ensemble.remove("/a/old");
  m.ensemble.remove("/a/later");
  m.ensemble.remove("/a/again");
  m.ensemble.create("/a/again", bytes("2"));
  m.ensemble.set("/a/stays", "2");
  m.ensemble.create("/a/new", bytes("1"));
  m.ensemble.reconnect();
  EXPECT_EQ(heard(stream),
            "disconnected /a\nconnected /a\n"
            "deleted /a/again\ncreated /a/again\nchanged /a/stays\ncreated /a/new\n"
            "deleted /a/old/deep\ndeleted /a/old\ndeleted /a/later\n");
}

TEST_F(StreamTest, AnEventThatTheComparisonHasToldIsNotToldAgain) {
  m.ensemble.create("/a", bytes("1"));
  const auto stream = open("a@watch=r");
  heard(stream);
  m.ensemble.disconnect();
  m.ensemble.set("/a", "2");
  m.ensemble.reconnect();
  m.ensemble.create("/a/b", bytes(""));  // Before the comparison has asked.
  EXPECT_EQ(heard(stream), "disconnected /a\nconnected /a\nchanged /a\ncreated /a/b\n");
}

TEST_F(StreamTest, WithoutZxidsInEventsTheStatTellsThem) {
  m.ensemble.hide_zxids();
  m.ensemble.create("/a", bytes("1"));
  const auto stream = open("a@watch");
  heard(stream);
  m.ensemble.set("/a", "2");
  EXPECT_EQ(lines(stream), std::vector<std::string>{zxid() + " changed /a"});
  m.ensemble.create("/a/b", bytes(""));
  EXPECT_EQ(lines(stream), std::vector<std::string>{zxid() + " children /a"});
  m.ensemble.set("/a", "3");
  m.ensemble.set("/a", "4");
  EXPECT_EQ(heard(stream), "changed /a\nchanged /a\n") << "one for each event";
}

TEST_F(StreamTest, OfASubtreeTellsZxidsOfTheStatToo) {
  m.ensemble.hide_zxids();
  m.ensemble.create("/a", bytes("1"));
  const auto stream = open("a@watch=r");
  heard(stream);
  m.ensemble.set("/a", "2");
  EXPECT_EQ(lines(stream), std::vector<std::string>{zxid() + " changed /a"});
  m.ensemble.create("/a/b", bytes(""));
  EXPECT_EQ(lines(stream), std::vector<std::string>{zxid() + " created /a/b"});
  m.ensemble.remove("/a/b");
  EXPECT_EQ(lines(stream), std::vector<std::string>{zxid() + " deleted /a/b"});
}

TEST_F(StreamTest, ServersWithoutStandingWatchesAreAskedByOneShotWatches) {
  m.ensemble.refuse_standing_watches();
  m.ensemble.create("/a", bytes("1"));
  const auto stream = open("a@watch");
  EXPECT_EQ(heard(stream), "exists /a\n");
  m.ensemble.set("/a", "2");
  EXPECT_EQ(heard(stream), "changed /a\n");
  m.ensemble.create("/a/b", bytes(""));
  EXPECT_EQ(heard(stream), "children /a\n");
  m.ensemble.remove("/a/b");
  m.ensemble.remove("/a");
  EXPECT_EQ(heard(stream), "children /a\ndeleted /a\n");
  const auto subtree = m.open(m.look_up("a@watch=r").inode, O_RDONLY);
  EXPECT_EQ(subtree.error, ENOTSUP);
  EXPECT_NE(m.fs.journal().text().find("ZooKeeper 3.6"), std::string::npos);
}

TEST_F(StreamTest, AReaderThatDoesNotReadIsToldThatItMissedSomething) {
  m.ensemble.create("/a", bytes("1"));
  const auto stream = open("a@watch");
  heard(stream);
  const std::size_t more_than_fits = limits::stream_unread_bytes_max / 8;
  for (std::size_t i = 0; i < more_than_fits; ++i) {
    m.ensemble.set("/a", "2");
    m.ensemble.deliver();
  }
  const auto all = lines(stream);
  EXPECT_LT(all.size(), more_than_fits);
  ASSERT_GT(all.size(), 2U);
  EXPECT_TRUE(all[all.size() - 2].ends_with(" overflow /a")) << all[all.size() - 2];
  EXPECT_EQ(all.back(), zxid() + " exists /a");
  m.ensemble.set("/a", "3");
  EXPECT_EQ(heard(stream), "changed /a\n");
}

TEST_F(StreamTest, ASessionThatExpiresEndsIt) {
  m.ensemble.create("/a", bytes("1"));
  const auto stream = open("a@watch");
  heard(stream);
  FakeEnsemble next;
  m.fs.use(next);
  EXPECT_TRUE(m.read(stream).text.ends_with(" expired /a\n"));
  EXPECT_EQ(m.read(stream).text, "");
  EXPECT_EQ(m.read(stream).times, 1) << "the end of the file";
  m.release(stream);
  m.fs.interrupt_all();
  m.fs.use(m.ensemble);
}

TEST_F(StreamTest, ClosingTakesTheWatchBack) {
  m.ensemble.create("/a", bytes("1"));
  const auto first = open("a@watch");
  const auto second = open("a@watch");
  EXPECT_EQ(m.ensemble.watches(), 1U);
  m.release(first);
  m.ensemble.deliver();
  EXPECT_EQ(m.ensemble.watches(), 1U);
  m.release(second);
  m.ensemble.deliver();
  EXPECT_EQ(m.ensemble.watches(), 0U);
  EXPECT_EQ(m.ensemble.unanswered(), 0U);
}

TEST_F(StreamTest, AReadWaitsAndASignalEndsOnlyTheRead) {
  m.ensemble.create("/a", bytes("1"));
  const auto stream = open("a@watch");
  heard(stream);
  const auto read = m.begin<Content>([&](auto r) { m.fs.read(std::move(r), stream, 0); });
  EXPECT_EQ(m.answers.of_request(read).times, 0);
  m.fs.interrupt(pointer(read));
  EXPECT_EQ(m.answers.of_request(read).error, EINTR);
  m.ensemble.set("/a", "2");
  EXPECT_EQ(heard(stream), "changed /a\n");
  EXPECT_EQ(m.ask<Content>([&](auto r) { m.fs.read(std::move(r), stream, 0, true); }).error,
            EAGAIN);
}

TEST_F(StreamTest, IsRefusedWhereTheZnodeMayNotBeRead) {
  const auto inode = m.look_up("a@watch").inode;
  m.ensemble.fail(replication::ErrorCode::no_auth);
  EXPECT_EQ(m.open(inode, O_RDONLY).error, EACCES);
}

TEST_F(StreamTest, OfTheRootIsOfEverything) {
  const auto stream = open("@watch=r");
  m.ensemble.create("/a", bytes("1"));
  EXPECT_EQ(heard(stream), "exists /\ncreated /a\n");
}

}  // namespace
}  // namespace zabfs::test
