// The repository as the tidy tests read it: a list of text files, each as the lines of its text.
//
// A rule about code must not stumble over a brace in a comment or a banned word in a literal, so a
// file also has its text with comments and literals blanked. Blanking keeps every line break: line
// n of the code is line n of the file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace zabfs::test {

struct SourceFile {
  std::string path{};  // Relative to the root of the repository, with '/'.
  std::string text{};

  [[nodiscard]] bool is_below(std::string_view folder) const;
  [[nodiscard]] bool is_header() const { return path.ends_with(".hpp"); }
  [[nodiscard]] bool is_cpp() const { return is_header() || path.ends_with(".cpp"); }
  // Below one of the folders that end up in a program: replication, daemon, fusefs.
  [[nodiscard]] bool is_product() const;
  [[nodiscard]] std::string code() const;
};

// Every text file of the repository, sorted by path; build trees and .git are left out.
const std::vector<SourceFile>& source_files();

// `text` with comments and the insides of string and character literals turned into spaces.
std::string without_comments_and_literals(std::string_view text);

std::vector<std::string> lines_of(std::string_view text);

}  // namespace zabfs::test
