#include "daemon/disk/posix_disk.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>

#include "tests/support/temporary_directory.hpp"

namespace zabfs::daemon::disk {
namespace {

using replication::Bytes;
using replication::CreateFile;
using replication::DiskJob;
using replication::RemoveFile;
using replication::RenameFile;
using replication::SyncDirectory;
using replication::SyncFile;
using replication::Ticket;
using replication::TruncateFile;
using replication::WriteFile;

Bytes bytes(std::string_view text) { return {text.begin(), text.end()}; }

class PosixDiskTest : public testing::Test {
 protected:
  PosixDiskTest() { open(); }

  void open() {
    auto directories = DataDirectories::open(directory_.at("data"), directory_.at("log"));
    disk_.emplace(std::get<DataDirectories>(std::move(directories)), [this](Ticket done) {
      const std::scoped_lock lock(mutex_);
      done_.push_back(done.value);
      changed_.notify_one();
    });
  }

  // Submits and waits for the ticket.
  void perform(std::vector<DiskJob> jobs) {
    disk_->submit(std::move(jobs), {++last_ticket_});
    wait_for(last_ticket_);
  }

  void wait_for(std::uint64_t ticket) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20),
                                  [&] { return !done_.empty() && done_.back() >= ticket; }));
  }

  std::string content(const std::string& path) {
    std::ifstream in(directory_.at(path), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  test::TemporaryDirectory directory_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::uint64_t> done_;
  std::uint64_t last_ticket_{};
  std::optional<PosixDisk> disk_;
};

TEST_F(PosixDiskTest, WhatIsWrittenIsReadBack) {
  perform({CreateFile{"snapshot.1", 0}, WriteFile{"snapshot.1", 0, bytes("hello world")},
           WriteFile{"snapshot.1", 6, bytes("there")}, SyncFile{"snapshot.1"}, SyncDirectory{}});
  EXPECT_EQ(content("data/snapshot.1"), "hello there");
  EXPECT_EQ(disk_->list(), (std::vector<std::string>{"lock", "snapshot.1"}));
  EXPECT_EQ(disk_->size("snapshot.1"), 11U);
  EXPECT_EQ(disk_->read("snapshot.1", 6, 3), bytes("the"));
  EXPECT_EQ(disk_->read("snapshot.1", 6, 100), bytes("there"));
  EXPECT_EQ(disk_->read("snapshot.1", 100, 1), Bytes{});
}

TEST_F(PosixDiskTest, APreallocatedFileIsFullOfZeros) {
  perform({CreateFile{"log.1", 3'000'000}, WriteFile{"log.1", 2, bytes("x")}});
  EXPECT_EQ(disk_->size("log.1"), 3'000'000U);
  EXPECT_EQ(disk_->read("log.1", 0, 4), (Bytes{0, 0, 'x', 0}));
  EXPECT_EQ(disk_->read("log.1", 2'999'999, 9), Bytes{0});
}

TEST_F(PosixDiskTest, ARenamedFileGoesOnUnderItsNewName) {
  perform({CreateFile{"snapshot.tmp", 0}, WriteFile{"snapshot.tmp", 0, bytes("old")},
           RenameFile{"snapshot.tmp", "snapshot.1"}, WriteFile{"snapshot.1", 3, bytes("+new")}});
  EXPECT_EQ(content("data/snapshot.1"), "old+new");
  EXPECT_FALSE(std::filesystem::exists(directory_.at("data/snapshot.tmp")));
}

// A descriptor kept open must not outlive the name: the jobs speak of names.
TEST_F(PosixDiskTest, AReplacedOrRemovedFileIsNeverWrittenAgain) {
  perform({CreateFile{"a", 0}, WriteFile{"a", 0, bytes("a")}, CreateFile{"b", 0},
           WriteFile{"b", 0, bytes("b")}, RenameFile{"a", "b"}, WriteFile{"b", 1, bytes("2")},
           CreateFile{"a", 0}, WriteFile{"a", 0, bytes("new")}});
  EXPECT_EQ(content("data/b"), "a2");
  EXPECT_EQ(content("data/a"), "new");
  perform({RemoveFile{"b"}, CreateFile{"b", 0}, WriteFile{"b", 0, bytes("fresh")}});
  EXPECT_EQ(content("data/b"), "fresh");
}

TEST_F(PosixDiskTest, ATruncatedFileIsShorterOrLonger) {
  perform({CreateFile{"a", 0}, WriteFile{"a", 0, bytes("abcdef")}, TruncateFile{"a", 2}});
  EXPECT_EQ(content("data/a"), "ab");
  perform({TruncateFile{"a", 3}});
  EXPECT_EQ(disk_->read("a", 0, 9), (Bytes{'a', 'b', 0}));
}

TEST_F(PosixDiskTest, ManyFilesCanBeWrittenInTurn) {
  std::vector<DiskJob> jobs;
  for (int round = 0; round < 2; ++round) {
    for (int file = 0; file < 30; ++file) {
      const std::string name = "f" + std::to_string(file);
      if (round == 0) {
        jobs.emplace_back(CreateFile{name, 0});
      }
      jobs.emplace_back(WriteFile{name, static_cast<std::uint64_t>(round), bytes(name)});
    }
  }
  perform(std::move(jobs));
  EXPECT_EQ(content("data/f0"), "ff0");
  EXPECT_EQ(content("data/f29"), "ff29");
}

TEST_F(PosixDiskTest, TicketsComeInOrderAndEachOnce) {
  perform({CreateFile{"a", 0}});
  for (std::uint64_t i = 0; i < 2000; ++i) {
    disk_->submit({WriteFile{"a", i, bytes("x")}}, {++last_ticket_});
  }
  wait_for(last_ticket_);
  const std::scoped_lock lock(mutex_);
  ASSERT_EQ(done_.size(), last_ticket_);
  EXPECT_TRUE(std::ranges::is_sorted(done_));
  EXPECT_EQ(content("data/a").size(), 2000U);
}

TEST_F(PosixDiskTest, FinishDoesEverythingThatWasSubmitted) {
  disk_->submit({CreateFile{"a", 0}}, {1});
  for (std::uint64_t i = 0; i < 500; ++i) {
    disk_->submit({WriteFile{"a", i, bytes("x")}}, {i + 2});
  }
  disk_->finish();
  EXPECT_EQ(done_.back(), 501U);
  EXPECT_EQ(content("data/a").size(), 500U);
  disk_.reset();
  open();
  EXPECT_EQ(disk_->size("a"), 500U);
}

TEST_F(PosixDiskTest, AnErrorEndsTheProcessWithASentence) {
  disk_.reset();  // So that the process has one thread where it forks.
  const auto fails = [&](const DiskJob& job) {
    open();
    perform({job});
  };
  EXPECT_EXIT(fails(WriteFile{"absent", 0, bytes("x")}), testing::ExitedWithCode(1),
              "fatal: cannot open .*/data/absent: No such file or directory \\(.*\\)");
  EXPECT_EXIT(fails(CreateFile{"lock", 0}), testing::ExitedWithCode(1),
              "cannot create .*/data/lock: File exists");
}

}  // namespace
}  // namespace zabfs::daemon::disk
