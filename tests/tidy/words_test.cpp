// Words that do not belong into the repository: notes of unfinished work, drawer names, paths of
// one machine, and sleeps in tests.
//
// The banned words are written here in two pieces, so that this file does not accuse itself.
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "tests/tidy/source_tree.hpp"

namespace zabfs::test {
namespace {

void expect_no_line_matches(const SourceFile& file, const std::regex& banned,
                            const std::string& advice) {
  int number = 0;
  for (const auto& line : lines_of(file.text)) {
    ++number;
    EXPECT_FALSE(std::regex_search(line, banned))
        << file.path << ":" << number << ": " << advice << "\n  " << line;
  }
}

const std::regex& unfinished() {
  static const std::regex words(
      "\\b(TO"
      "DO|FIX"
      "ME|XX"
      "X|HA"
      "CK)\\b");
  return words;
}

const std::regex& machine_path() {
  static const std::regex path(
      "(^|[^A-Za-z0-9_.])/(wo"
      "rk|fa"
      "rm|ro"
      "ot|tmp/w"
      "t)/");
  return path;
}

const std::regex& sleeping() {
  static const std::regex call(
      "sleep_"
      "for|sleep_"
      "until|usl"
      "eep|nanosl"
      "eep|time\\.sl"
      "eep|"
      "(^|[^A-Za-z0-9_])sl"
      "eep[ (]+[0-9$]");
  return call;
}

TEST(Words, NothingIsLeftForLater) {
  for (const auto& file : source_files()) {
    expect_no_line_matches(file, unfinished(), "finish it or open an issue");
  }
}

TEST(Words, NoPathOfOneMachine) {
  for (const auto& file : source_files()) {
    expect_no_line_matches(file, machine_path(), "a path that exists on one machine only");
  }
}

TEST(Words, NoTestSleeps) {
  for (const auto& file : source_files()) {
    if (file.is_below("tests")) {
      expect_no_line_matches(file, sleeping(), "wait for a condition with a deadline instead");
    }
  }
}

TEST(Words, NoFileHasADrawersName) {
  static const std::set<std::string> drawers{"util",    "utils",    "helper", "helpers", "common",
                                             "manager", "managers", "misc",   "base"};
  static const std::regex word("[A-Za-z0-9]+");
  for (const auto& file : source_files()) {
    for (std::sregex_iterator it(file.path.begin(), file.path.end(), word), end; it != end; ++it) {
      EXPECT_FALSE(drawers.contains(it->str()))
          << file.path << ": name it after what is inside, not \"" << it->str() << "\"";
    }
  }
}

TEST(Words, TheBansNoticeWhatTheyForbid) {
  EXPECT_TRUE(
      std::regex_search("// TO"
                        "DO later",
                        unfinished()));
  EXPECT_FALSE(
      std::regex_search("mktemp -d zabfs.XX"
                        "XXXX",
                        unfinished()));
  EXPECT_TRUE(
      std::regex_search("see /wo"
                        "rk/main",
                        machine_path()));
  EXPECT_FALSE(
      std::regex_search("frame/wo"
                        "rk/x",
                        machine_path()));
  EXPECT_TRUE(
      std::regex_search("  sl"
                        "eep 1",
                        sleeping()));
  EXPECT_TRUE(
      std::regex_search("time.sl"
                        "eep(0.1)",
                        sleeping()));
  EXPECT_FALSE(std::regex_search("the threads that asleep 2", sleeping()));
}

}  // namespace
}  // namespace zabfs::test
