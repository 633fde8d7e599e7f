// The ledger on real memory files: what was written is found, and what was damaged is not believed.
#include "fusefs/continuity/ledger.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

#include <array>
#include <atomic>
#include <csignal>
#include <string>
#include <thread>

#include "fusefs/continuity/limits.hpp"

namespace zabfs::fusefs::continuity {
namespace {

using replication::Bytes;

class LedgerTest : public testing::Test {
 protected:
  void SetUp() override {
    for (int& file : files_) {
      file = ::memfd_create("ledger", MFD_CLOEXEC);
      ASSERT_GE(file, 0);
    }
  }
  ~LedgerTest() override {
    for (const int file : files_) {
      ::close(file);
    }
  }

  Ledger ledger() {
    return {Store(files_[0], files_[1]), [this](std::string_view reason) { given_up_ = reason; }};
  }
  Ledger::Inherited inherit() { return ledger().inherit(); }

  // The file that is in use.
  int current() const { return size_of(files_[0]) > size_of(files_[1]) ? files_[0] : files_[1]; }
  static off_t size_of(int file) {
    struct stat values {};
    ::fstat(file, &values);
    return values.st_size;
  }
  static void flip(int file, off_t at) {
    char byte{};
    ASSERT_EQ(::pread(file, &byte, 1, at), 1);
    byte = static_cast<char>(byte ^ 1);
    ASSERT_EQ(::pwrite(file, &byte, 1, at), 1);
  }

  // Where the published end of the groups stands in a file, and where they begin.
  static constexpr off_t end_at = 32;
  static constexpr std::uint64_t first_group = 40;

  std::uint64_t end() const {
    std::uint64_t value = 0;
    EXPECT_EQ(::pread(current(), &value, sizeof(value), end_at), 8);
    return value;
  }
  void set_end(std::uint64_t value) const {
    ASSERT_EQ(::pwrite(current(), &value, sizeof(value), end_at), 8);
  }

  std::array<int, 2> files_{};
  std::string given_up_{};
};

TEST_F(LedgerTest, NothingIsInheritedFromNobody) {
  const auto found = inherit();
  EXPECT_FALSE(found.state.has_value());
  EXPECT_EQ(found.problem, "");
}

TEST_F(LedgerTest, WhatWasWrittenIsFound) {
  auto writer = ledger();
  writer.inherit();
  writer.write(SessionHeld{.id = 7, .password = {1, 2}});
  writer.add(InodeKnown{.number = 5, .path = "/a", .lookups = 1});
  writer.write(HandleOpen{.id = 9, .inode = 5});
  writer.write(InodeLookups{.number = 5, .lookups = 3});
  const auto found = inherit();
  ASSERT_TRUE(found.state.has_value());
  EXPECT_EQ(found.state->session.id, 7);
  EXPECT_EQ(found.state->inodes.at(5).lookups, 3U);
  EXPECT_EQ(found.state->handles.at(9).handle.inode, 5U);
  EXPECT_EQ(found.state->last_handle, 9U);
}

TEST_F(LedgerTest, WhatTheEndDoesNotCoverCountsAsNotWritten) {
  auto writer = ledger();
  writer.inherit();
  writer.write(ZxidSeen{1});
  const auto before = end();
  writer.write(ZxidSeen{2});
  flip(current(), static_cast<off_t>(end()) - 1);  // It was not yet whole when the process died.
  set_end(before);
  const auto found = inherit();
  ASSERT_TRUE(found.state.has_value());
  EXPECT_EQ(found.state->zxid, 1);
  auto next = ledger();
  next.inherit();
  next.write(ZxidSeen{3});
  EXPECT_EQ(inherit().state.value().zxid, 3) << "the next takes its place";
}

TEST_F(LedgerTest, AnEndThatLiesIsDamage) {
  for (std::uint64_t lie = 0;; ++lie) {
    auto writer = ledger();
    writer.inherit();
    writer.write(ZxidSeen{1});
    const auto first = end();
    writer.write(ZxidSeen{2});
    const auto second = end();
    if (lie == second) {
      break;
    }
    set_end(lie);
    // Between groups it is no lie.
    EXPECT_EQ(inherit().problem.empty(), lie == first || lie == first_group) << lie;
    for (const int file : files_) {
      ASSERT_EQ(::ftruncate(file, 0), 0);
    }
  }
  for (const std::uint64_t lie :
       {~std::uint64_t{0}, ~std::uint64_t{0} >> 1U, std::uint64_t{limits::ledger_step_bytes},
        std::uint64_t{limits::ledger_step_bytes} + 1}) {
    auto writer = ledger();
    writer.inherit();
    writer.write(ZxidSeen{1});
    writer.write(ZxidSeen{2});
    set_end(lie);
    EXPECT_NE(inherit().problem, "") << lie;
  }
}

// Killed at any instruction, a process leaves everything that it had finished, and of what it had
// begun all or nothing. Most of its time it copies a large group, so most are killed in there.
TEST_F(LedgerTest, ItIsWholeWhereverTheProcessIsKilled) {
  constexpr std::size_t content_bytes = 200'000;
  const auto content_at = [](std::int64_t zxid) {
    return Bytes(content_bytes, static_cast<std::uint8_t>(zxid));
  };
  auto* const finished = static_cast<std::atomic<std::int64_t>*>(::mmap(
      nullptr, sizeof(std::int64_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(static_cast<void*>(finished), MAP_FAILED);
  for (std::int64_t wanted = 1; wanted <= 40; ++wanted) {
    finished->store(0);
    const pid_t child = ::fork();
    if (child == 0) {
      auto writer = ledger();
      writer.inherit();
      writer.write(HandleOpen{.id = 1, .inode = 5});
      for (std::int64_t zxid = 1;; ++zxid) {
        writer.add(ContentWhole{.handle = 1, .content = content_at(zxid)});
        writer.write(ZxidSeen{zxid});
        finished->store(zxid);
      }
    }
    while (finished->load() < wanted) {
      std::this_thread::yield();
    }
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    const auto found = inherit();
    ASSERT_TRUE(found.state.has_value()) << found.problem;
    const std::int64_t zxid = found.state->zxid;
    EXPECT_GE(zxid, finished->load());
    EXPECT_LE(zxid, finished->load() + 1);
    EXPECT_EQ(found.state->handles.at(1).content, content_at(zxid));
    for (const int file : files_) {
      ASSERT_EQ(::ftruncate(file, 0), 0);
    }
  }
  ::munmap(finished, sizeof(std::int64_t));
}

TEST_F(LedgerTest, DamageAnywhereIsToldAndNotBelieved) {
  for (off_t at = 0;; ++at) {
    auto writer = ledger();
    writer.inherit();
    writer.write(ZxidSeen{1});
    writer.write(SessionHeld{.id = 7, .password = {1, 2, 3}});
    writer.write(ZxidSeen{2});
    if (at == static_cast<off_t>(end())) {
      break;
    }
    flip(current(), at);
    const auto found = inherit();
    if (found.state) {
      // An end before the last group, or what means nothing.
      EXPECT_TRUE(found.state->zxid <= 2) << at;
    } else {
      EXPECT_NE(found.problem, "") << at;
      EXPECT_FALSE(inherit().state.has_value()) << "nothing of it is left";
    }
    for (const int file : files_) {
      ASSERT_EQ(::ftruncate(file, 0), 0);
    }
  }
}

TEST_F(LedgerTest, AnotherVersionIsTold) {
  auto writer = ledger();
  writer.inherit();
  writer.write(ZxidSeen{1});
  // magic, version, generation, checksum of these: as a later program would write them.
  std::array<std::uint64_t, 4> header{};
  ASSERT_EQ(::pread(current(), header.data(), sizeof(header), 0), 32);
  EXPECT_EQ(header[1], ledger_version);
  ++header[1];
  header[3] = XXH3_64bits(header.data(), 24);
  ASSERT_EQ(::pwrite(current(), header.data(), sizeof(header), 0), 32);
  const auto found = inherit();
  EXPECT_FALSE(found.state.has_value());
  EXPECT_NE(found.problem.find("another version"), found.problem.npos) << found.problem;
}

TEST_F(LedgerTest, ItIsShortenedWhenItHasGrown) {
  auto writer = ledger();
  writer.inherit();
  writer.write(InodeKnown{.number = 5, .path = "/a"});
  const Bytes content(1 << 20);
  off_t most = 0;
  for (std::uint64_t i = 1; i <= 64; ++i) {
    writer.add(HandleOpen{.id = i, .inode = 5});
    writer.write(ContentWhole{.handle = i, .content = content});
    writer.write(HandleGone{i});
    most = std::max(most, size_of(files_[0]) + size_of(files_[1]));
  }
  EXPECT_LT(most, static_cast<off_t>(2 * limits::ledger_shortened_bytes));
  const auto found = inherit();
  ASSERT_TRUE(found.state.has_value());
  EXPECT_EQ(found.state->inodes.at(5).path, "/a");
  EXPECT_TRUE(found.state->handles.empty());
  EXPECT_EQ(found.state->last_handle, 64U);
  EXPECT_EQ(given_up_, "");
}

TEST_F(LedgerTest, TheOlderFileIsGoodWhileTheNewerIsBeingWritten) {
  auto writer = ledger();
  writer.inherit();
  writer.write(ZxidSeen{1});
  const int other = current() == files_[0] ? files_[1] : files_[0];
  // Its group is there and its header is not.
  const std::string begun(100, 'x');
  ASSERT_EQ(::pwrite(other, begun.data(), begun.size(), 32), 100);
  const auto found = inherit();
  ASSERT_TRUE(found.state.has_value());
  EXPECT_EQ(found.state->zxid, 1);
}

TEST_F(LedgerTest, WithoutMemoryItIsGivenUpAndNothingOldIsLeft) {
  auto writer = ledger();
  writer.inherit();
  writer.write(ZxidSeen{1});
  for (const int file : files_) {
    const int full = ::open("/dev/full", O_RDWR | O_CLOEXEC);
    ::dup2(full, file);
    ::close(full);
  }
  // More than there is memory for already.
  writer.write(ContentWhole{.handle = 1, .content = Bytes(limits::ledger_step_bytes)});
  EXPECT_TRUE(writer.is_given_up());
  EXPECT_NE(given_up_, "");
  EXPECT_FALSE(inherit().state.has_value());
}

// --- what entries add up to ---

State state_of(std::initializer_list<Entry> entries) {
  State state;
  for (const Entry& entry : entries) {
    state.apply(entry);
  }
  return state;
}

TEST(LedgerState, AChangeLastsUntilItIsAnswered) {
  State state = state_of({HandleOpen{.id = 1}, ChangeBegun{.request = 4, .handle = 1}});
  EXPECT_TRUE(state.handles.at(1).has_begun_change);
  state.apply(Answered{.request = 4});
  EXPECT_FALSE(state.handles.at(1).has_begun_change);
  EXPECT_TRUE(state.changes.empty());
}

TEST(LedgerState, ContentIsWrittenIntoAndTakenFrom) {
  State state = state_of({HandleOpen{.id = 1}, ContentWhole{.handle = 1, .content = {1, 2, 3}},
                          ContentWritten{.handle = 1, .offset = 4, .bytes = {5}},
                          ContentTaken{.handle = 1, .bytes = 1}});
  EXPECT_EQ(state.handles.at(1).content, (Bytes{2, 3, 0, 5}));
  state.apply(ContentTaken{.handle = 1, .bytes = 100});
  EXPECT_TRUE(state.handles.at(1).content.empty());
  state.apply(ContentWritten{.handle = 1, .offset = ~std::uint64_t{0}, .bytes = {5}});
  EXPECT_TRUE(state.handles.at(1).content.empty()) << "no offset makes it larger than its bound";
}

TEST(LedgerState, WhatASessionHeldEndsWithIt) {
  State state =
      state_of({SessionHeld{.id = 1}, ZnodeHeld{.path = "/q/c1", .czxid = 1, .session = 1},
                PlaceTaken{.owner = {.inode = 2}, .contender = "/q/c1"}});
  EXPECT_EQ(state.places.size(), 1U);
  state.apply(SessionHeld{.id = 2});
  EXPECT_TRUE(state.held.empty());
  EXPECT_TRUE(state.places.empty());
}

TEST(LedgerState, ItsShortestFormSaysTheSame) {
  const State state = state_of(
      {SessionHeld{.id = 1, .password = {9}}, ZxidSeen{3}, Worker{.replayer = 4, .port = 5},
       InodeKnown{.number = 5, .path = "/a"}, HandleOpen{.id = 7, .inode = 5},
       ContentWhole{.handle = 7, .content = {1}}, Polled{.handle = 7, .by = 8},
       HandleOpen{.id = 11}, HandleGone{11}, ChangeBegun{.request = 2, .handle = 7},
       ZnodeHeld{.path = "/h", .czxid = 1, .session = 1},
       CreationBegun{.number = 1, .path = "/n", .session = 1}, CreatedMeanwhile{"/m"},
       PlaceTaken{.owner = {.inode = 5}, .contender = "/h"}, LockHeld{.owner = {.inode = 5}}});
  State again;
  ASSERT_TRUE(again.apply_group(state.as_group()));
  EXPECT_EQ(again.as_group(), state.as_group());
  EXPECT_EQ(again.last_handle, 11U);
  EXPECT_TRUE(again.handles.at(7).has_begun_change);
  EXPECT_EQ(again.handles.at(7).polled_by, 8U);
}

TEST(LedgerState, AnythingElseIsRefused) {
  State state;
  EXPECT_FALSE(state.apply_group(Bytes{200}));
  EXPECT_FALSE(state.apply_group(Bytes{0, 0, 0}));
}

}  // namespace
}  // namespace zabfs::fusefs::continuity
