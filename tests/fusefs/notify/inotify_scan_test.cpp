// What /proc says of inotify, from directories that look like it, and from the real one.
#include "fusefs/notify/inotify_scan.hpp"

#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/support/temporary_directory.hpp"

namespace zabfs::fusefs::notify {
namespace {

constexpr std::string_view line =
    "inotify wd:3 ino:1c09d2 sdev:2f00031 mask:fce ignored_mask:0 fhandle-bytes:8";

TEST(InotifyScan, ALineTellsInodeAndDevice) {
  EXPECT_EQ(watched_inode(line, device_of(0x2f, 0x31)), 0x1c09d2U);
  EXPECT_EQ(watched_inode(line, device_of(0x2f, 0x32)), 0U);
}

TEST(InotifyScan, WhatIsNoSuchLineTellsNothing) {
  const std::uint64_t device = device_of(0x2f, 0x31);
  for (const char* text :
       {"", "inotify", "inotify ", "pos:\t0", "fanotify ino:1c09d2 sdev:2f00031",
        "inotify wd:3 ino: sdev:2f00031", "inotify wd:3 ino:zz sdev:2f00031",
        "inotify wd:3 ino:1c09d2", "inotify wd:3 ino:1c09d2 sdev:",
        "inotify wd:3 ino:fffffffffffffffffffff sdev:2f00031", "inotify wd:3 ino:0 sdev:2f00031"}) {
    EXPECT_EQ(watched_inode(text, device), 0U) << text;
  }
}

TEST(InotifyScan, OnlyDescriptorsOfInotifyAreRead) {
  const test::TemporaryDirectory proc;
  const auto home = proc.path() / "77";
  std::filesystem::create_directories(home / "fd");
  std::filesystem::create_directories(home / "fdinfo");
  std::filesystem::create_symlink("anon_inode:inotify", home / "fd" / "5");
  std::filesystem::create_symlink("anon_inode:inotify-not", home / "fd" / "6");
  std::filesystem::create_symlink("/etc/passwd", home / "fd" / "7");
  for (const char* number : {"5", "6", "7"}) {
    std::ofstream(home / "fdinfo" / number) << "pos:\t0\nflags:\t00\n" << line << "\n" << line;
  }
  std::vector<Watching> found;
  scan_process(proc.path(), 77, device_of(0x2f, 0x31), found);
  EXPECT_EQ(found, (std::vector<Watching>{{77, 0x1c09d2}, {77, 0x1c09d2}}));
  scan_process(proc.path(), 78, device_of(0x2f, 0x31), found);
  EXPECT_EQ(found.size(), 2U);
}

TEST(InotifyScan, ProcessesAreTheNamesThatAreNumbers) {
  const test::TemporaryDirectory proc;
  for (const char* name : {"1", "4711", "self", "12a", "sys"}) {
    std::filesystem::create_directory(proc.path() / name);
  }
  auto found = processes(proc.path());
  std::ranges::sort(found);
  EXPECT_EQ(found, (std::vector<pid_t>{1, 4711}));
  EXPECT_TRUE(processes(proc.path() / "absent").empty());
}

TEST(InotifyScan, FindsWhatThisProcessWatches) {
  const test::TemporaryDirectory directory;
  const int inotify = ::inotify_init1(IN_CLOEXEC);
  ASSERT_GE(inotify, 0);
  ASSERT_GE(::inotify_add_watch(inotify, directory.path().c_str(), IN_CREATE), 0);
  struct stat values {};
  ASSERT_EQ(::stat(directory.path().c_str(), &values), 0);
  std::vector<Watching> found;
  scan_process("/proc", ::getpid(), device_of(major(values.st_dev), minor(values.st_dev)), found);
  EXPECT_EQ(found, (std::vector<Watching>{{::getpid(), values.st_ino}}));
  ::close(inotify);
}

}  // namespace
}  // namespace zabfs::fusefs::notify
