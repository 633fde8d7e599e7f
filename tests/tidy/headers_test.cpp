// A stranger can read every header: it says in sentences why it exists before it declares anything.
#include <gtest/gtest.h>

#include <regex>
#include <sstream>
#include <string>

#include "tests/tidy/source_tree.hpp"

namespace zabfs::test {
namespace {

// The comment before the first declaration; a licence line is not part of it.
std::string opening_comment(const std::string& text) {
  static const std::regex passed_over(R"(\s*(#.*|// SPDX-.*)?)");
  static const std::regex comment(R"(\s*//\s?(.*))");
  std::string opening;
  for (const auto& line : lines_of(text)) {
    if (std::smatch match; std::regex_match(line, passed_over)) {
      continue;
    } else if (std::regex_match(line, match, comment)) {
      opening += match[1].str() + " ";
    } else {
      break;
    }
  }
  return opening;
}

bool explains(const std::string& comment) {
  std::istringstream in(comment);
  int words = 0;
  for (std::string word; in >> word;) {
    ++words;
  }
  return words >= 4 && comment.find_first_of(".:") != comment.npos;
}

TEST(Headers, EveryHeaderExplainsItself) {
  for (const auto& file : source_files()) {
    if (file.is_header()) {
      EXPECT_TRUE(explains(opening_comment(file.text)))
          << file.path << ": say in sentences why it exists, before the first declaration";
    }
  }
}

TEST(Headers, EveryHeaderIsIncludedOnce) {
  for (const auto& file : source_files()) {
    if (file.is_header()) {
      EXPECT_NE(file.text.find("#pragma once"), std::string::npos) << file.path;
    }
  }
}

TEST(Headers, ALicenceOrALaterCommentIsNoExplanation) {
  EXPECT_FALSE(explains(opening_comment("// SPDX-License-Identifier: Apache-2.0\n#pragma once\n")));
  EXPECT_FALSE(explains(opening_comment(
      "#pragma once\nnamespace zabfs {\n// One sentence that comes too late to help.\n")));
  EXPECT_TRUE(explains(opening_comment(
      "#pragma once\n\n// How a leader brings one learner to its history.\nnamespace zabfs {\n")));
}

}  // namespace
}  // namespace zabfs::test
