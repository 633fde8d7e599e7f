// The guarantees of docs/coherence.md, one test or more for each, with its number. `warm` makes
// what follows the second use of a path: then its reads set watches.
#include <gtest/gtest.h>
#include <unistd.h>

#include "replication/model/limits.hpp"
#include "tests/fusefs/filesystem/mounted_fake.hpp"

namespace zabfs::test {
namespace {

using fusefs::Attributes;
using fusefs::Content;
using fusefs::Done;
using fusefs::Entry;
using fusefs::Opened;
using replication::ErrorCode;

// A file system whose cache knows /f, a file with "old", as far as it can.
struct WarmFake : MountedFake {
  WarmFake() {
    ensemble.create("/f", bytes("old"));
    warm("/f");
  }

  // Until no request is needed to look the file up, to stat it and to read it.
  void warm(const std::string& path) {
    for (int use = 0; use < 3; ++use) {
      get_attributes(walk(path).inode);
      cat(path);
    }
  }

  // The requests that `action` sends to the ensemble.
  template <class Action>
  std::size_t requests(Action action) {
    const auto before = ensemble.request_count();
    action();
    return ensemble.request_count() - before;
  }
};

TEST(Coherence, WhatIsUsedAgainIsAnsweredWithoutTheEnsemble) {
  WarmFake m;
  EXPECT_EQ(
      m.requests([&] { EXPECT_EQ(m.get_attributes(m.walk("/f").inode).attributes.st_size, 3); }),
      0U);
  EXPECT_EQ(m.requests([&] { EXPECT_EQ(m.cat("/f"), "old"); }), 0U);
}

TEST(Coherence, AListingUsedAgainIsAnsweredWithoutTheEnsemble) {
  WarmFake m;
  const auto names = m.list(root);
  m.list(root);
  m.list(root);
  EXPECT_EQ(m.requests([&] { EXPECT_EQ(m.list(root), names); }), 0U);
  m.ensemble.create("/g", bytes("1"));
  m.ensemble.deliver();
  EXPECT_EQ(m.list(root).size(), names.size() + 1);
}

TEST(Coherence, AnAbsenceUsedAgainIsAnsweredWithoutTheEnsembleUntilItEnds) {
  WarmFake m;
  m.look_up("none");
  m.look_up("none");
  EXPECT_EQ(m.requests([&] { EXPECT_EQ(m.look_up("none").error, ENOENT); }), 0U);
  m.ensemble.create("/none", bytes("1"));
  m.ensemble.deliver();
  EXPECT_EQ(m.look_up("none").error, 0);
}

// 6
TEST(Coherence, WhatIsUsedOnceLeavesNoWatch) {
  MountedFake m;
  for (int i = 0; i < 1'000; ++i) {
    const std::string name = "f" + std::to_string(i);
    m.ensemble.create("/" + name, bytes("1"));
    m.get_attributes(m.look_up(name).inode);
  }
  EXPECT_EQ(m.ensemble.watches(), 0U);
}

// 1
TEST(Coherence, AnEventTakesOutWhatItIsAbout) {
  WarmFake m;
  m.ensemble.set("/f", "newer");
  m.ensemble.deliver();
  EXPECT_EQ(m.get_attributes(m.walk("/f").inode).attributes.st_size, 5);
  EXPECT_EQ(m.cat("/f"), "newer");
  m.warm("/f");
  m.ensemble.remove("/f");
  m.ensemble.deliver();
  EXPECT_EQ(m.look_up("f").error, ENOENT);
}

// 1
TEST(Coherence, WhoSeesALaterChangeSeesTheEarlierOne) {
  WarmFake m;
  m.ensemble.create("/second", bytes("old"));
  m.ensemble.set("/f", "new");
  m.ensemble.set("/second", "new");
  EXPECT_EQ(m.cat("/second"), "new");  // asked for; the event about /f comes before the answer
  EXPECT_EQ(m.cat("/f"), "new");
}

// 1
TEST(Coherence, AFileThatGetsItsFirstChildIsADirectory) {
  WarmFake m;
  m.ensemble.create("/f/child", bytes("1"));
  m.ensemble.deliver();
  EXPECT_TRUE(S_ISDIR(m.look_up("f").attributes.st_mode));
}

// 1
TEST(Coherence, ADirectoryThatGetsDataListsThem) {
  MountedFake m;
  m.ensemble.create("/d", std::nullopt);
  for (int use = 0; use < 4; ++use) {
    EXPECT_EQ(m.list(m.walk("/d").inode), (std::vector<std::string>{".", ".."}));
  }
  m.ensemble.set("/d", "data");
  m.ensemble.deliver();
  EXPECT_EQ(m.list(m.walk("/d").inode), (std::vector<std::string>{".", "..", "@data"}));
}

// 2
TEST(Coherence, AProcessSeesItsOwnWrites) {
  WarmFake m;
  const auto h = m.open(m.look_up("f").inode, O_WRONLY | O_TRUNC).handle;
  m.write(h, 0, "mine");
  m.flush(h);
  EXPECT_EQ(m.cat("/f"), "mine");
  m.release(h);
  m.warm("/f");
  EXPECT_EQ(m.remove_file("f").error, 0);
  EXPECT_EQ(m.look_up("f").error, ENOENT);
  EXPECT_EQ(m.list(root), (std::vector<std::string>{".", ".."}));
  m.look_up("f");
  EXPECT_NE(m.create("f", O_WRONLY | O_CREAT).inode, 0U);
  EXPECT_EQ(m.look_up("f").error, 0);
  EXPECT_EQ(m.list(root), (std::vector<std::string>{".", "..", "f"}));
}

// 2
TEST(Coherence, AReadDuringAWriteIsAskedForBehindIt) {
  WarmFake m;
  const auto inode = m.look_up("f").inode;
  const auto h = m.open(inode, O_WRONLY | O_TRUNC).handle;
  m.write(h, 0, "mine");
  m.ensemble.hold("/f");
  const auto flush = m.begin<Done>([&](auto r) { m.fs.flush(std::move(r), h); });
  const auto read =
      m.begin<Attributes>([&](auto r) { m.fs.get_attributes(std::move(r), inode, {}); });
  EXPECT_EQ(m.answers.of_request(read).times, 0);
  m.ensemble.release();
  m.ensemble.deliver();
  EXPECT_EQ(m.answers.of_request(flush).times, 1);
  EXPECT_EQ(m.answers.of_request(read).attributes.st_size, 4);
  EXPECT_EQ(m.cat("/f"), "mine");
}

struct WrittenFake : WarmFake {
  HandleId open_to_write() { return open(look_up("f").inode, O_WRONLY | O_TRUNC).handle; }
  // What a shell's echo does.
  void echo(const std::string& text) {
    const auto h = open_to_write();
    write(h, 0, text);
    flush(h);
    release(h);
  }
  // Begins to commit what is written to `h`.
  std::uintptr_t begin_flush(HandleId h) {
    return begin<Done>([&](auto r) { fs.flush(std::move(r), h); });
  }
};

TEST(Coherence, WhatTheMountHasWrittenIsKnownWithTheAnswer) {
  WrittenFake m;
  m.echo("one");
  EXPECT_EQ(m.requests([&] { EXPECT_EQ(m.cat("/f"), "one"); }), 0U);
  EXPECT_EQ(m.requests([&] { m.echo("two"); }), 2U) << "the write, and the read behind it";
  EXPECT_EQ(
      m.requests([&] { EXPECT_EQ(m.get_attributes(m.walk("/f").inode).attributes.st_size, 3); }),
      0U);
  m.ensemble.set("/f", "another's");
  m.ensemble.deliver();
  EXPECT_EQ(m.cat("/f"), "another's") << "the read behind the write has set a watch";
}

TEST(Coherence, OnlyWhatIsLookedUpIsReadBehindAWrite) {
  WrittenFake m;
  const auto h = m.open_to_write();
  m.write(h, 0, "one");
  m.ask<Done>([&](auto r) { m.fs.sync(std::move(r), h); });
  m.write(h, 0, "two");
  EXPECT_EQ(m.requests([&] { m.ask<Done>([&](auto r) { m.fs.sync(std::move(r), h); }); }), 1U);
}

// 2
TEST(Coherence, AReadBehindAWriteDoesNotEnterIfAnotherWriteHasFollowed) {
  WrittenFake m;
  const auto first = m.open_to_write();
  const auto second = m.open_to_write();
  m.write(first, 0, "one");
  m.write(second, 0, "second");
  m.ensemble.hold("/f");
  m.begin_flush(first);
  m.ensemble.deliver();
  const auto last = m.begin_flush(second);
  m.ensemble.release();
  m.ensemble.deliver();
  EXPECT_EQ(m.answers.of_request(last).times, 1);
  EXPECT_EQ(m.cat("/f"), "second");
}

// 3
TEST(Coherence, AReadBehindAWriteDoesNotEnterIfAnEventOvertookIt) {
  WrittenFake m;
  const auto h = m.open_to_write();
  m.write(h, 0, "mine");
  const auto flushed = m.begin_flush(h);
  m.ensemble.set("/f", "another's");  // fires the watch of the read
  m.ensemble.deliver();
  EXPECT_EQ(m.answers.of_request(flushed).times, 1);
  EXPECT_EQ(m.cat("/f"), "another's");
}

// 4
TEST(Coherence, AReadBehindAWriteWhoseAnswerIsLostDoesNotEnter) {
  WrittenFake m;
  const auto h = m.open_to_write();
  m.write(h, 0, "mine");
  m.ensemble.hold("/f");
  const auto flushed = m.begin_flush(h);
  m.ensemble.lose_answers();
  m.ensemble.deliver();
  EXPECT_NE(m.answers.of_request(flushed).error, 0);
  m.ensemble.set("/f", "another's");
  m.ensemble.deliver();
  EXPECT_EQ(m.cat("/f"), "another's");
}

// 3
TEST(Coherence, AReplyDoesNotEnterIfAnEventCameWhileItWasUnderway) {
  WarmFake m;
  m.ensemble.set("/f", "one");
  m.ensemble.deliver();
  const auto inode = m.look_up("f").inode;
  m.ensemble.set("/f", "two");  // The event is on its way; now a read that is answered late.
  m.ensemble.hold("/f");
  const auto late = m.begin<Opened>([&](auto r) { m.fs.open(std::move(r), inode, O_RDONLY); });
  m.ensemble.deliver();
  m.ensemble.release();
  m.ensemble.deliver();
  EXPECT_EQ(m.answers.of_request(late).times, 1);
  EXPECT_NE(m.requests([&] { EXPECT_EQ(m.cat("/f"), "two"); }), 0U);
}

// 3
TEST(Coherence, AReplyThatAnEventOvertookIsNotTakenForTheTruth) {
  WarmFake m;
  m.ensemble.set("/f", "one");
  m.ensemble.deliver();
  const auto inode = m.look_up("f").inode;
  m.ensemble.hold("/f");
  const auto late = m.begin<Opened>([&](auto r) { m.fs.open(std::move(r), inode, O_RDONLY); });
  m.ensemble.set("/f", "two");  // fires the watch of that very read
  m.ensemble.deliver();
  m.ensemble.release();
  m.ensemble.deliver();
  EXPECT_EQ(m.answers.of_request(late).times, 1);
  EXPECT_EQ(m.cat("/f"), "two");
}

// 4
TEST(Coherence, NothingIsKnownAfterTheConnectionWasLost) {
  WarmFake m;
  m.ensemble.lose_connection();
  m.ensemble.set("/f", "newer");  // nobody watches
  m.ensemble.deliver();
  EXPECT_EQ(m.cat("/f"), "newer");
}

// 4
TEST(Coherence, AReplyDoesNotEnterIfTheConnectionWasLostWhileItWasUnderway) {
  WarmFake m;
  m.ensemble.set("/f", "one");
  m.ensemble.deliver();
  const auto inode = m.look_up("f").inode;
  m.ensemble.hold("/f");
  const auto late = m.begin<Opened>([&](auto r) { m.fs.open(std::move(r), inode, O_RDONLY); });
  m.ensemble.lose_connection();  // and with it the watch
  m.ensemble.release();
  m.ensemble.deliver();
  EXPECT_EQ(m.answers.of_request(late).times, 1);
  m.ensemble.set("/f", "two");
  m.ensemble.deliver();
  EXPECT_EQ(m.cat("/f"), "two");
}

// 4
TEST(Coherence, NothingIsKnownInANewSession) {
  WarmFake m;
  FakeEnsemble other;
  other.create("/f", bytes("other"));
  m.fs.use(other);
  const auto looked_up = m.begin<Entry>([&](auto r) { m.fs.lookup(std::move(r), {root, "f"}); });
  other.deliver();
  EXPECT_EQ(m.answers.of_request(looked_up).attributes.st_size, 5);
  m.fs.use(m.ensemble);
}

// 5
TEST(Coherence, WhatNoWatchReportsIsAlwaysAskedFor) {
  WarmFake m;
  const auto inode = m.look_up("f").inode;
  for (int use = 0; use < 3; ++use) {
    EXPECT_NE(m.requests([&] { m.get_extended_attribute(inode, "user.zk.numChildren"); }), 0U);
    EXPECT_NE(m.requests([&] { m.cat("/f@stat"); }), 0U);
  }
}

// 3
TEST(Coherence, AnInterruptedReadLeavesNothingBehind) {
  WarmFake m;
  m.ensemble.set("/f", "one");
  m.ensemble.deliver();
  m.ensemble.hold("/f");
  const auto late = m.begin<Entry>([&](auto r) { m.fs.lookup(std::move(r), {root, "f"}); });
  m.fs.interrupt(reinterpret_cast<void*>(late));
  m.ensemble.release();
  m.ensemble.set("/f", "three");
  m.ensemble.deliver();
  EXPECT_EQ(m.cat("/f"), "three");
}

TEST(Coherence, AccessIsAnsweredFromTheModeOfTheOwner) {
  WarmFake m;
  const auto check = [&](InodeNumber inode, int mask) {
    return m.ask<Done>([&](auto r) { m.fs.check_access(std::move(r), inode, mask); }).error;
  };
  const auto file = m.look_up("f").inode;
  EXPECT_EQ(check(file, R_OK | W_OK), 0);
  EXPECT_EQ(check(file, X_OK), EACCES);
  EXPECT_EQ(check(root, R_OK | W_OK | X_OK), 0);
  EXPECT_EQ(check(m.look_up("f@stat").inode, W_OK), EACCES);
}

}  // namespace
}  // namespace zabfs::test
