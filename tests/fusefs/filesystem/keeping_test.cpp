// What the kernel is given to keep, and that it is taken back before anybody can learn of a change.
// The numbers are those of docs/coherence.md.
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "tests/fusefs/notify/notified_fake.hpp"

namespace zabfs::test {
namespace {

using fusefs::Attributes;
using fusefs::Done;
using fusefs::Entry;
using fusefs::InodeNumber;
using fusefs::Opened;

class FakeMemory : public fusefs::KernelMemory {
 public:
  bool forgets_names() const override { return knows_epochs; }
  void forget_names() override { ++names_forgotten; }
  void forget_attributes(InodeNumber inode) override { attributes_forgotten.insert(inode); }

  bool knows_epochs{true};
  int names_forgotten{};
  std::set<InodeNumber> attributes_forgotten{};
};

// /f, a file, and /d, a directory with one file in it; used until the kernel may keep everything.
struct KeptFake : NotifiedFake {
  KeptFake() {
    ensemble.create("/f", bytes("old"));
    ensemble.create("/d", std::nullopt);
    ensemble.create("/d/x", bytes("1"));
    fs.let_keep(&memory);
    warm();
  }
  ~KeptFake() { fs.let_keep(nullptr); }
  KeptFake(const KeptFake&) = delete;
  KeptFake& operator=(const KeptFake&) = delete;

  void warm() {
    for (int use = 0; use < 4; ++use) {
      f = look_up("f").inode;
      get_attributes(f);
      d = look_up("d").inode;
      get_attributes(d);
      look_up("none");
      list(d);
    }
  }

  Answer open_directory(InodeNumber directory) {
    return ask<Opened>([&](auto r) { fs.open_directory(std::move(r), directory); });
  }
  std::vector<std::string> read_directory(fusefs::HandleId handle, std::uint64_t offset = 0) {
    return ask<fusefs::Listing>([&](auto r) { fs.read_directory(std::move(r), handle, offset); })
        .names;
  }
  bool keeps_listing() { return open_directory(d).listing_is_kept; }

  FakeMemory memory{};
  InodeNumber f{};
  InodeNumber d{};
};

TEST(Keeping, WhatAWatchGuardsIsKept) {
  KeptFake m;
  EXPECT_TRUE(m.look_up("f").name_is_kept);
  EXPECT_TRUE(m.get_attributes(m.f).attributes_are_kept);
  EXPECT_TRUE(m.look_up("d").name_is_kept);
  EXPECT_TRUE(m.get_attributes(m.d).attributes_are_kept);
  EXPECT_TRUE(m.look_up("none").name_is_kept);
  EXPECT_TRUE(m.keeps_listing());
  EXPECT_EQ(m.memory.names_forgotten, 0);
}

// 11
TEST(Keeping, WhatIsUsedOnceIsNot) {
  KeptFake m;
  m.ensemble.create("/once", bytes("1"));
  const auto once = m.look_up("once");
  EXPECT_FALSE(once.name_is_kept);
  EXPECT_FALSE(m.get_attributes(once.inode).attributes_are_kept);
  EXPECT_FALSE(m.look_up("nothing").name_is_kept);
}

// 11
TEST(Keeping, NothingIsKeptOfViewsAndOfNamesThatCreate) {
  KeptFake m;
  for (const std::string name :
       {"f@stat", "f@data", "d@dir", "f@watch", "f@next", "f@v=0", "@mount", "new@es", "f@cas"}) {
    for (int use = 0; use < 4; ++use) {
      const auto found = m.look_up(name);
      EXPECT_FALSE(found.name_is_kept) << name;
      if (found.error == 0) {
        EXPECT_FALSE(m.get_attributes(found.inode).attributes_are_kept) << name;
      }
    }
  }
  const auto view = m.look_up("d@dir").inode;
  for (int use = 0; use < 4; ++use) {
    EXPECT_FALSE(m.look_up("x", view).name_is_kept);
    EXPECT_FALSE(m.look_up("y", view).name_is_kept);
    EXPECT_FALSE(m.open_directory(view).may_keep_listing);
  }
}

TEST(Keeping, AKernelThatForgetsNoNamesIsGivenNone) {
  KeptFake m;
  m.memory.knows_epochs = false;
  m.fs.let_keep(&m.memory);
  EXPECT_FALSE(m.look_up("f").name_is_kept);
  EXPECT_FALSE(m.look_up("none").name_is_kept);
  EXPECT_TRUE(m.get_attributes(m.f).attributes_are_kept);
  m.ensemble.set("/f", "newer");
  m.ensemble.deliver();
  EXPECT_EQ(m.memory.names_forgotten, 0);
  EXPECT_TRUE(m.memory.attributes_forgotten.contains(m.f));
}

// 7
TEST(Keeping, AChangeOfDataTakesNameAndAttributesBack) {
  KeptFake m;
  m.ensemble.set("/f", "newer");
  m.ensemble.deliver();
  EXPECT_EQ(m.memory.names_forgotten, 1);  // A file with null data would be a directory.
  EXPECT_TRUE(m.memory.attributes_forgotten.contains(m.f));
  EXPECT_FALSE(m.memory.attributes_forgotten.contains(m.d));
}

TEST(Keeping, WhoWritesAgainAndAgainTakesNoNamesBack) {
  KeptFake m;
  const auto write = [&m] {
    const auto h = m.open(m.look_up("f").inode, O_WRONLY | O_TRUNC).handle;
    m.write(h, 0, "newer");
    m.flush(h);
    m.release(h);
  };
  write();
  EXPECT_EQ(m.memory.names_forgotten, 1);
  write();
  write();
  EXPECT_EQ(m.memory.names_forgotten, 1);
  EXPECT_FALSE(m.look_up("f").name_is_kept);
  EXPECT_TRUE(m.look_up("f").name_is_kept) << "looked up again without a write";
}

// 7
TEST(Keeping, ARemovalTakesTheNameBackAndTheListingItWasIn) {
  KeptFake m;
  const auto before = m.get_attributes(m.d).attributes.st_mtim.tv_nsec;
  m.ensemble.remove("/d/x");
  m.ensemble.deliver();
  EXPECT_TRUE(m.memory.attributes_forgotten.contains(m.d));
  EXPECT_NE(m.get_attributes(m.d).attributes.st_mtim.tv_nsec, before);
  EXPECT_FALSE(m.keeps_listing());
  m.ensemble.remove("/f");
  m.ensemble.deliver();
  EXPECT_GE(m.memory.names_forgotten, 1);
}

// 7
TEST(Keeping, AnAbsenceIsTakenBackWhenItEnds) {
  KeptFake m;
  m.ensemble.create("/none", bytes("1"));
  m.ensemble.deliver();
  EXPECT_EQ(m.memory.names_forgotten, 1);
  EXPECT_EQ(m.look_up("none").error, 0);
}

// 7
TEST(Keeping, AFirstChildTakesTheNameOfTheFileBack) {
  KeptFake m;
  m.ensemble.create("/f/child", bytes("1"));
  m.ensemble.deliver();
  EXPECT_GE(m.memory.names_forgotten, 1);
  EXPECT_TRUE(m.memory.attributes_forgotten.contains(m.f));
}

// 7
TEST(Keeping, WhoIsToldOfAChangeIsToldAfterTheKernel) {
  KeptFake m;
  int forgotten_when_told = 0;
  fusefs::cache::Subscription told(m.fs.ensemble().events(), "/f", [&](const auto&) {
    forgotten_when_told = m.memory.names_forgotten;
  });
  told.renew();
  m.ensemble.set("/f", "newer");
  m.ensemble.deliver();
  EXPECT_EQ(forgotten_when_told, 1);
}

// 12
TEST(Keeping, WhatATransactionChangesIsTakenBackBeforeAnyOfItIsTold) {
  KeptFake m;
  int told = 0;
  const auto look = [&](const auto&) {
    ++told;
    for (const std::string path : {"/f", "/d/x"}) {
      const auto* known = m.fs.ensemble().find(path);
      EXPECT_TRUE(known == nullptr || known->presence == fusefs::cache::Presence::unknown) << path;
    }
    EXPECT_TRUE(m.memory.attributes_forgotten.contains(m.f));
    EXPECT_TRUE(m.memory.attributes_forgotten.contains(m.d));
  };
  for (int use = 0; use < 3; ++use) {
    m.get_attributes(m.look_up("x", m.d).inode);
  }
  ASSERT_NE(m.fs.ensemble().find("/d/x"), nullptr);
  fusefs::cache::Subscription first(m.fs.ensemble().events(), "/f", look);
  fusefs::cache::Subscription last(m.fs.ensemble().events(), "/d/x", look);
  first.renew();
  last.renew();
  using namespace replication::protocol;  // NOLINT
  const MultiRequest transaction{.operations = {SetDataRequest{.path = "/f", .data = bytes("new")},
                                                DeleteRequest{.path = "/d/x"}}};
  m.ensemble.submit(transaction, [](const auto&) {});
  m.ensemble.deliver();
  EXPECT_EQ(told, 2);
}

// 7
TEST(Keeping, TheListingIsTakenBackWithTheFirstEventOfACreation) {
  KeptFake m;
  for (int use = 0; use < 4; ++use) {
    m.look_up("y", m.d);
  }
  bool was_forgotten_when_told = false;
  fusefs::cache::Subscription told(m.fs.ensemble().events(), "/d/y", [&](const auto&) {
    was_forgotten_when_told = m.memory.attributes_forgotten.contains(m.d);
  });
  told.renew();
  m.ensemble.create("/d/y", bytes("1"));
  m.ensemble.deliver();
  EXPECT_TRUE(was_forgotten_when_told);
}

// 2
TEST(Keeping, AnOwnWriteTakesBackBeforeItLeaves) {
  KeptFake m;
  m.ensemble.hold("/f");
  m.begin<Done>([&](auto r) { m.fs.remove_file(std::move(r), {root, "f"}); });
  EXPECT_EQ(m.memory.names_forgotten, 1);
  EXPECT_TRUE(m.memory.attributes_forgotten.contains(m.f));
  m.ensemble.release();
  m.ensemble.deliver();
}

// 3
TEST(Keeping, NothingIsKeptFromAReplyThatAnEventOvertook) {
  KeptFake m;
  m.ensemble.set("/d", "one");
  m.ensemble.deliver();
  m.ensemble.hold("/d");
  const auto late =
      m.begin<Attributes>([&](auto r) { m.fs.get_attributes(std::move(r), m.d, {}); });
  m.ensemble.set("/d", "two");  // fires the watch of that very read
  m.ensemble.deliver();
  m.ensemble.release();
  m.ensemble.deliver();
  EXPECT_EQ(m.answers.of_request(late).times, 1);
  EXPECT_FALSE(m.answers.of_request(late).attributes_are_kept);
  EXPECT_TRUE(m.get_attributes(m.d).attributes_are_kept);
}

// 4
TEST(Keeping, EverythingIsTakenBackWithTheConnection) {
  KeptFake m;
  m.ensemble.lose_connection();
  EXPECT_EQ(m.memory.names_forgotten, 1);
  EXPECT_TRUE(m.memory.attributes_forgotten.contains(m.f));
  EXPECT_TRUE(m.memory.attributes_forgotten.contains(m.d));
  EXPECT_FALSE(m.keeps_listing());
}

// 4
TEST(Keeping, EverythingIsTakenBackWithTheSession) {
  KeptFake m;
  FakeEnsemble other;
  m.fs.use(other);
  EXPECT_EQ(m.memory.names_forgotten, 1);
  EXPECT_TRUE(m.memory.attributes_forgotten.contains(m.f));
  m.fs.use(m.ensemble);
}

// 8
TEST(Keeping, SizesThatTheKernelMakesUpAreNotKept) {
  KeptFake m;
  const auto h = m.open(m.f, O_WRONLY | O_TRUNC).handle;
  EXPECT_TRUE(m.memory.attributes_forgotten.contains(m.f));
  EXPECT_FALSE(m.get_attributes(m.f).attributes_are_kept);
  m.write(h, 0, "mine");
  EXPECT_FALSE(m.get_attributes(m.f).attributes_are_kept);
  m.flush(h);
  m.release(h);
  m.warm();
  EXPECT_TRUE(m.get_attributes(m.f).attributes_are_kept);
}

// 6
TEST(Keeping, WhatIsDroppedToMakeRoomIsTakenBack) {
  fusefs::cache::KernelCopies copies;
  FakeMemory memory;
  copies.use({.forget_names = [&] { memory.forget_names(); },
              .forget_attributes = [&](InodeNumber inode) { memory.forget_attributes(inode); },
              .forget_listing = [&](InodeNumber inode) { memory.forget_attributes(inode); }});
  copies.gave_name("/a");
  copies.gave_attributes("/a", 7);
  copies.gave_listing("/b", 8);
  EXPECT_EQ(copies.size(), 2U);
  copies.node_changed("/a");
  copies.children_changed("/b");
  EXPECT_EQ(copies.size(), 0U);
  EXPECT_EQ(memory.names_forgotten, 1);
  EXPECT_EQ(memory.attributes_forgotten, (std::set<InodeNumber>{7, 8}));
  copies.node_changed("/a");
  EXPECT_EQ(memory.names_forgotten, 1);
}

// 9
TEST(Keeping, AListingIsReadOnWhereTheKernelHasLostTheRest) {
  KeptFake m;
  const auto opened = m.open_directory(m.d);
  ASSERT_TRUE(opened.listing_is_kept);
  m.ensemble.create("/d/y", bytes("1"));
  m.ensemble.deliver();
  EXPECT_EQ(m.read_directory(opened.handle, 2), (std::vector<std::string>{"x"}));
  EXPECT_EQ(m.read_directory(opened.handle).size(), 4U);  // rewound
}

// 9
TEST(Keeping, AListingThatNoWatchGuardsIsOldAtOnce) {
  KeptFake m;
  const auto opened = m.open_directory(m.d);
  ASSERT_TRUE(opened.may_keep_listing);
  m.fs.ensemble().remember_nothing();
  m.ensemble.create("/d/y", bytes("1"));
  m.ensemble.deliver();
  const auto mtime = m.get_attributes(m.d).attributes.st_mtim.tv_nsec;
  m.memory.attributes_forgotten.clear();
  EXPECT_EQ(m.read_directory(opened.handle).size(), 4U);
  EXPECT_TRUE(m.memory.attributes_forgotten.contains(m.d));
  EXPECT_NE(m.get_attributes(m.d).attributes.st_mtim.tv_nsec, mtime);
}

// 10
TEST(Keeping, NamesThatInotifyIsAboutToTellAreNotKept) {
  KeptFake m;
  m.watch({"/d"});
  m.warm();
  for (int use = 0; use < 4; ++use) {
    m.look_up("x", m.d);
  }
  EXPECT_TRUE(m.look_up("x", m.d).name_is_kept);
  const int before = m.memory.names_forgotten;
  m.ensemble.remove("/d/x");
  m.ensemble.deliver();  // It is to be told, but has not been.
  EXPECT_GT(m.memory.names_forgotten, before);
  for (int use = 0; use < 4; ++use) {
    EXPECT_FALSE(m.look_up("x", m.d).name_is_kept);
    EXPECT_FALSE(m.look_up("d").name_is_kept);
    EXPECT_TRUE(m.look_up("f").name_is_kept);
  }
  m.settle();
  EXPECT_EQ(m.told(), "remove_file /d/x");
  EXPECT_TRUE(m.look_up("x", m.d).name_is_kept);
}

// 7
TEST(Keeping, OtherCredentialsTakeEverythingBack) {
  KeptFake m;
  m.fs.use(replication::Identities{{.scheme = "digest", .id = "a"}});
  EXPECT_EQ(m.memory.names_forgotten, 1);
  EXPECT_TRUE(m.memory.attributes_forgotten.contains(m.f));
}

// Taking names back makes the kernel forget inodes, and zabfs with it.
TEST(Keeping, WhatTheKernelForgetsIsLookedUpAgainWithoutTheEnsemble) {
  KeptFake m;
  const auto before = m.ensemble.request_count();
  m.fs.forget(m.f, 4);
  EXPECT_EQ(m.look_up("f").inode, m.f);
  EXPECT_TRUE(m.get_attributes(m.f).attributes_are_kept);
  EXPECT_EQ(m.ensemble.request_count(), before);
}

TEST(Keeping, WithoutAMemoryEverythingIsAskedFor) {
  KeptFake m;
  m.fs.ensemble().remember_nothing();
  m.ensemble.set("/f", "newer");
  m.ensemble.deliver();
  for (int use = 0; use < 4; ++use) {
    EXPECT_FALSE(m.look_up("f").name_is_kept);
  }
}

}  // namespace
}  // namespace zabfs::test
