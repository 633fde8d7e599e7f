// Foreign libraries, threads, clocks and chance enter the programs only where the table below lets
// them. So the core stays deterministic and each library can be exchanged in one place.
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/tidy/source_tree.hpp"

namespace zabfs::test {
namespace {

struct Rule {
  std::string what{};
  std::regex pattern{};                // Searched for in every line of code.
  std::vector<std::string> only_in{};  // Beginnings of the paths that may use it.
};

const std::vector<Rule>& rules() {
  static const std::vector<Rule> table{
      {"cereal", std::regex(R"(#\s*include\s+<cereal/)"), {"replication/jute/"}},
      {"Boost.Asio",
       std::regex(R"(#\s*include\s+<boost/asio)"),
       {"daemon/", "fusefs/client/transport", "fusefs/kernel/loop", "fusefs/mount/"}},
      {"libfuse",
       std::regex(R"(#\s*include\s+<(fuse|fuse_\w+|fuse3/.*)\.h>)"),
       {"fusefs/kernel/", "fusefs/mount/"}},
      {"spdlog",
       std::regex(R"(#\s*include\s+<spdlog/)"),
       {"daemon/", "fusefs/kernel/", "fusefs/mount/"}},
      {"threads",
       std::regex(
           R"(#\s*include\s+<(thread|mutex|shared_mutex|atomic|condition_variable|future)>)"),
       {"daemon/disk/", "daemon/server", "fusefs/continuity/store", "fusefs/kernel/notifier"}},
      {"files and sockets",
       std::regex(R"(#\s*include\s+<(fstream|filesystem|unistd\.h|fcntl\.h|(sys|netinet)/.*)>)"),
       {"daemon/", "fusefs/"}},
      {"addresses as text",
       std::regex(R"(#\s*include\s+<arpa/.*>)"),
       {"daemon/", "fusefs/", "replication/pipeline/address_range"}},
      {"clocks",
       std::regex(
           R"((system_clock|steady_clock|high_resolution_clock)::now|\b(clock_gettime|gettimeofday)\b)"),
       {"daemon/", "fusefs/client/transport", "fusefs/mount/", "fusefs/supervisor/"}},
      {"chance",
       std::regex(R"(\brandom_device\b|\bs?rand\s*\(|\bgetrandom\b)"),
       {"daemon/", "fusefs/client/transport", "fusefs/mount/"}},
  };
  return table;
}

// The names of the rules that `line` of the file at `path` breaks, separated by spaces.
std::string broken_rules(const std::string& path, const std::string& line) {
  std::string broken;
  for (const auto& rule : rules()) {
    const bool allowed = std::ranges::any_of(
        rule.only_in, [&](const auto& beginning) { return path.starts_with(beginning); });
    if (!allowed && std::regex_search(line, rule.pattern)) {
      broken += rule.what + " ";
    }
  }
  return broken;
}

TEST(OutsideWorld, EntersOnlyWhereTheTableLetsIt) {
  for (const auto& file : source_files()) {
    if (!file.is_product() || !file.is_cpp()) {
      continue;
    }
    int number = 0;
    for (const auto& line : lines_of(file.code())) {
      ++number;
      EXPECT_EQ(broken_rules(file.path, line), "") << file.path << ":" << number;
    }
  }
}

TEST(OutsideWorld, TheTableNoticesWhatItForbids) {
  EXPECT_NE(broken_rules("replication/zab/peer.cpp", "#include <cereal/cereal.hpp>"), "");
  EXPECT_NE(broken_rules("replication/replica.cpp", "#include <thread>"), "");
  EXPECT_NE(broken_rules("fusefs/filesystem.cpp", "auto t = std::chrono::steady_clock::now();"),
            "");
  EXPECT_NE(broken_rules("fusefs/inodes/inode_table.hpp", "#include <fuse_lowlevel.h>"), "");
  EXPECT_EQ(broken_rules("daemon/server.cpp", "#include <boost/asio/io_context.hpp>"), "");
  EXPECT_EQ(broken_rules("replication/tree/node.cpp", "auto operand(int)"), "");
}

// The names that a file declares as unordered containers.
std::set<std::string> unordered_names(const std::string& code) {
  static const std::regex declaration(R"(unordered_(?:multi)?(?:map|set)<[^;{}()]*>\s+(\w+))");
  std::set<std::string> names;
  for (std::sregex_iterator it(code.begin(), code.end(), declaration), end; it != end; ++it) {
    names.insert((*it)[1]);
  }
  return names;
}

std::vector<std::string> loops_over(const std::string& name, const std::string& code) {
  const std::regex loop(R"(for\s*\([^;()]*:\s*(?:[\w.>-]*[.>])?)" + name + R"(\s*\)|\b)" + name +
                        R"(\s*\.\s*c?begin\s*\()");
  std::vector<std::string> found;
  for (std::sregex_iterator it(code.begin(), code.end(), loop), end; it != end; ++it) {
    found.push_back(it->str());
  }
  return found;
}

std::string unit_of(const std::string& path) { return path.substr(0, path.rfind('.')); }

// Iterating an unordered container sends messages in an order that differs between builds.
TEST(OutsideWorld, NoUnorderedContainerIsIteratedInTheCore) {
  for (const auto& declares : source_files()) {
    if (!declares.is_below("replication") || !declares.is_cpp()) {
      continue;
    }
    for (const auto& name : unordered_names(declares.code())) {
      for (const auto& uses : source_files()) {
        if (unit_of(uses.path) == unit_of(declares.path)) {
          EXPECT_EQ(loops_over(name, uses.code()), std::vector<std::string>{})
              << uses.path << " iterates " << name << "; use an ordered container";
        }
      }
    }
  }
}

TEST(OutsideWorld, AnUnorderedLoopIsNoticed) {
  const std::string code = "std::unordered_map<Path, Node> nodes_;\nfor (auto& [p, n] : nodes_) {";
  ASSERT_EQ(unordered_names(code), std::set<std::string>{"nodes_"});
  EXPECT_EQ(loops_over("nodes_", code).size(), 1U);
  EXPECT_EQ(loops_over("nodes_", "auto it = nodes_.find(p);").size(), 0U);
}

}  // namespace
}  // namespace zabfs::test
