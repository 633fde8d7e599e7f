#include "daemon/disk/removed_files.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temporary_directory.hpp"

namespace zabfs::daemon::disk {
namespace {

class RemovedFilesTest : public testing::Test {
 protected:
  // A file of a megabyte that is open as `descriptor`.
  FileDescriptor make_file() {
    std::ofstream(path_) << std::string(1 << 20, 'x');
    return FileDescriptor(::open(path_.c_str(), O_WRONLY | O_CLOEXEC));
  }

  void remove(FileDescriptor file) {
    std::filesystem::remove(path_);
    removed_.add(std::move(file));
  }

  test::TemporaryDirectory directory_;
  const std::string path_ = directory_.at("file");
  RemovedFiles removed_;
};

TEST_F(RemovedFilesTest, AFileThatNobodyElseHasIsGivenBackInSteps) {
  FileDescriptor file = make_file();
  const int number = file.get();
  remove(std::move(file));
  struct stat found {};
  off_t bytes = 1 << 20;
  int steps = 0;
  for (; !removed_.is_empty(); ++steps) {
    removed_.take_step();
    if (!removed_.is_empty()) {
      ASSERT_EQ(::fstat(number, &found), 0);
      EXPECT_LT(found.st_size, bytes);
      bytes = found.st_size;
    }
  }
  EXPECT_GT(steps, 1);
  EXPECT_EQ(::fstat(number, &found), -1) << "the file is still open";
}

TEST_F(RemovedFilesTest, AFileWithAnotherNameKeepsItsContent) {
  FileDescriptor file = make_file();
  std::filesystem::create_hard_link(path_, directory_.at("backup"));
  remove(std::move(file));
  EXPECT_TRUE(removed_.is_empty());
  EXPECT_EQ(std::filesystem::file_size(directory_.at("backup")), 1U << 20);
}

TEST_F(RemovedFilesTest, AFileThatSomebodyReadsKeepsItsContent) {
  FileDescriptor file = make_file();
  const FileDescriptor reader(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  remove(std::move(file));
  EXPECT_TRUE(removed_.is_empty());
  struct stat found {};
  ASSERT_EQ(::fstat(reader.get(), &found), 0);
  EXPECT_EQ(found.st_size, 1 << 20);
}

}  // namespace
}  // namespace zabfs::daemon::disk
