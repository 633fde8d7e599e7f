// The include table in docs/architecture.md is true.
//
// A folder includes itself and what its row names; nothing else of ours. The longest matching row
// wins, and a source file that no row covers is an error: a new folder starts with a new row.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "tests/tidy/source_tree.hpp"

namespace zabfs::test {
namespace {

using Table = std::map<std::string, std::set<std::string>>;

const Table& table() {
  static const Table rows = [] {
    static const std::regex row(R"(\|\s*([\w/]+)\s*\|([\w/\s]*)\|)");
    Table read;
    const auto page = std::ranges::find(source_files(), "docs/architecture.md", &SourceFile::path);
    bool in_section = false;
    for (const auto& line : lines_of(page->text)) {
      in_section = line.starts_with("## ") ? line == "## Who may include whom" : in_section;
      if (std::smatch match;
          in_section && std::regex_match(line, match, row) && match[1] != "folder") {
        std::istringstream names(match[2]);
        auto& allowed = read[match[1]];
        for (std::string name; names >> name;) {
          allowed.insert(name);
        }
      }
    }
    return read;
  }();
  return rows;
}

// The row that covers `file`, or "" when none does.
std::string row_of(const std::string& file) {
  std::string best;
  for (const auto& [folder, allowed] : table()) {
    if (file.starts_with(folder + "/") && folder.size() > best.size()) {
      best = folder;
    }
  }
  return best;
}

// Why `file` may not include `target`, or "" when it may.
std::string objection(const std::string& file, const std::string& target) {
  const std::string from = row_of(file);
  const std::string to = row_of(target);
  if (from.empty()) {
    return "the file is in a folder that the table does not name";
  }
  if (to == from || (!to.empty() && table().at(from).contains(to))) {
    return "";
  }
  return from + " may not include " + target;
}

TEST(Layering, EveryIncludeIsAllowed) {
  ASSERT_FALSE(table().empty());
  static const std::regex include(R"re(\s*#\s*include\s+"([^"]+)".*)re");
  for (const auto& file : source_files()) {
    if (!file.is_product() || !file.is_cpp()) {
      continue;
    }
    int number = 0;
    for (const auto& line : lines_of(file.text)) {
      ++number;
      if (std::smatch match; std::regex_match(line, match, include)) {
        EXPECT_EQ(objection(file.path, match[1]), "") << file.path << ":" << number;
      }
    }
  }
}

TEST(Layering, SiblingsAndUnknownFoldersAreRefused) {
  EXPECT_NE(objection("daemon/server.cpp", "fusefs/client/client.hpp"), "");
  EXPECT_NE(objection("replication/zab/peer.cpp", "replication/tree/node.hpp"), "");
  EXPECT_NE(objection("elsewhere/x.cpp", "replication/model/ids.hpp"), "");
  EXPECT_EQ(objection("replication/tree/node.hpp", "replication/model/ids.hpp"), "");
}

// Can `from` reach `goal` by following rows?
bool reaches(const std::string& from, const std::string& goal, std::set<std::string>& seen) {
  return seen.insert(from).second && std::ranges::any_of(table().at(from), [&](const auto& next) {
           return next == goal || reaches(next, goal, seen);
         });
}

TEST(Layering, TheTableNamesOnlyItsOwnRowsAndHasNoCycle) {
  for (const auto& [folder, allowed] : table()) {
    for (const auto& name : allowed) {
      ASSERT_TRUE(table().contains(name)) << folder << " names " << name << ", which has no row";
    }
  }
  for (const auto& [folder, allowed] : table()) {
    std::set<std::string> seen;
    EXPECT_FALSE(reaches(folder, folder, seen)) << folder << " depends on itself";
  }
}

}  // namespace
}  // namespace zabfs::test
