#include "daemon/disk/directory_lock.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "tests/support/temporary_directory.hpp"

namespace zabfs::daemon::disk {
namespace {

TEST(DirectoryLock, ASecondOwnerIsToldWhoHasIt) {
  const test::TemporaryDirectory directory;
  const auto first = DirectoryLock::acquire(directory.path());
  ASSERT_TRUE(std::holds_alternative<DirectoryLock>(first));
  const auto second = DirectoryLock::acquire(directory.path());
  ASSERT_TRUE(std::holds_alternative<std::string>(second));
  EXPECT_EQ(std::get<std::string>(second),
            "the data directory " + directory.path().string() + " is in use by process " +
                std::to_string(::getpid()) +
                " (stop that one first, or give this one a dataDir of its own)");
}

TEST(DirectoryLock, IsFreeAgainWhenItsOwnerIsGone) {
  const test::TemporaryDirectory directory;
  {
    const auto first = DirectoryLock::acquire(directory.path());
    ASSERT_TRUE(std::holds_alternative<DirectoryLock>(first));
  }
  EXPECT_TRUE(std::holds_alternative<DirectoryLock>(DirectoryLock::acquire(directory.path())));
}

TEST(DirectoryLock, AFileThatSomebodyElseWroteIsNoProcess) {
  const test::TemporaryDirectory directory;
  const auto first = DirectoryLock::acquire(directory.path());
  ASSERT_TRUE(std::holds_alternative<DirectoryLock>(first));
  std::ofstream(directory.at("lock")) << "\x1b[2Jnonsense";
  const auto second = DirectoryLock::acquire(directory.path());
  EXPECT_NE(std::get<std::string>(second).find("in use by another process"), std::string::npos);
}

TEST(DirectoryLock, ADirectoryThatIsNotThereIsNamed) {
  const test::TemporaryDirectory directory;
  const auto lock = DirectoryLock::acquire(directory.at("absent"));
  EXPECT_NE(std::get<std::string>(lock).find(directory.at("absent/lock")), std::string::npos);
}

}  // namespace
}  // namespace zabfs::daemon::disk
