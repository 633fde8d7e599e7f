#include "daemon/disk/data_directories.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temporary_directory.hpp"

namespace zabfs::daemon::disk {
namespace {

std::string refusal(const std::string& data, const std::string& log) {
  auto opened = DataDirectories::open(data, log);
  return std::holds_alternative<std::string>(opened) ? std::get<std::string>(opened) : "";
}

TEST(DataDirectories, MakesWhatIsMissing) {
  const test::TemporaryDirectory directory;
  EXPECT_EQ(refusal(directory.at("a/b/data"), directory.at("a/log")), "");
  EXPECT_TRUE(std::filesystem::is_directory(directory.at("a/b/data")));
  EXPECT_TRUE(std::filesystem::is_directory(directory.at("a/log")));
}

TEST(DataDirectories, OneDirectoryForBothIsLockedOnce) {
  const test::TemporaryDirectory directory;
  EXPECT_EQ(refusal(directory.at("d"), directory.at("d/../d")), "");
}

TEST(DataDirectories, TheLogHasItsOwnDirectory) {
  const test::TemporaryDirectory directory;
  const auto opened = DataDirectories::open(directory.at("data"), directory.at("log"));
  const auto& directories = std::get<DataDirectories>(opened);
  EXPECT_EQ(directories.path_of("log.0000000100000001"), directory.at("log/log.0000000100000001"));
  EXPECT_EQ(directories.path_of("snapshot.1"), directory.at("data/snapshot.1"));
  EXPECT_EQ(directories.path_of("epochs"), directory.at("data/epochs"));
  EXPECT_EQ(directories.descriptors().size(), 2U);
}

TEST(DataDirectories, AllFilesAreListedByName) {
  const test::TemporaryDirectory directory;
  const auto opened = DataDirectories::open(directory.at("data"), directory.at("log"));
  std::ofstream(directory.at("log/log.2")) << "x";
  std::ofstream(directory.at("data/snapshot.1")) << "x";
  std::filesystem::create_directory(directory.at("data/a-directory"));
  EXPECT_EQ(std::get<DataDirectories>(opened).files(),
            (std::vector<std::string>{"lock", "log.2", "snapshot.1"}));
}

// Otherwise the replica would start without the history it has.
TEST(DataDirectories, ALogLeftBehindInTheDataDirectoryIsRefused) {
  const test::TemporaryDirectory directory;
  std::filesystem::create_directory(directory.at("data"));
  std::ofstream(directory.at("data/log.1")) << "x";
  EXPECT_EQ(refusal(directory.at("data"), directory.at("log")),
            directory.at("data/log.1") + " is part of the log, whose directory is " +
                directory.at("log") +
                " (move every log.* file there, or take dataLogDir out of the configuration)");
  EXPECT_EQ(refusal(directory.at("data"), directory.at("data")), "");
}

TEST(DataDirectories, ExchangedDirectoriesAreRefused) {
  const test::TemporaryDirectory directory;
  std::filesystem::create_directory(directory.at("log"));
  std::ofstream(directory.at("log/snapshot.1")) << "x";
  EXPECT_NE(refusal(directory.at("data"), directory.at("log")), "");
}

TEST(DataDirectories, AFileInTheWayIsNamed) {
  const test::TemporaryDirectory directory;
  std::ofstream(directory.at("file")) << "x";
  EXPECT_NE(refusal(directory.at("file/data"), directory.at("log")).find(directory.at("file")),
            std::string::npos);
}

}  // namespace
}  // namespace zabfs::daemon::disk
