// Files and functions stay short enough to be read at once: 500 lines a file, 70 a function.
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/tidy/source_tree.hpp"

namespace zabfs::test {
namespace {

constexpr std::size_t file_lines_max = 500;
constexpr std::size_t function_lines_max = 70;

struct Function {
  std::size_t first_line{};
  std::size_t lines{};
};

std::size_t matching_brace(const std::string& code, std::size_t open) {
  int depth = 0;
  for (std::size_t at = open; at < code.size(); ++at) {
    depth += code[at] == '{' ? 1 : code[at] == '}' ? -1 : 0;
    if (depth == 0) {
      return at;
    }
  }
  return code.size();
}

std::size_t line_of(const std::string& code, std::size_t at) {
  return 1 + static_cast<std::size_t>(
                 std::count(code.begin(), code.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

// Scopes whose members are looked at one by one, as opposed to bodies that are measured whole.
bool opens_a_scope(const std::string& head) {
  static const std::regex scope(R"(\b(namespace|class|struct|union|extern)\b[^()=]*$)");
  return std::regex_search(head, scope);
}

// The functions of `code`, whose comments and literals are blank. A function is a brace whose head,
// the text since the last statement, has an argument list; the brace of a member initializer is
// told apart by what follows its end.
std::vector<Function> functions_in(const std::string& code) {
  std::vector<Function> functions;
  std::size_t head = 0;
  for (std::size_t at = 0; at < code.size(); ++at) {
    if (code[at] == ';' || code[at] == '}') {
      head = at + 1;
    } else if (code[at] == '#') {
      at = std::min(code.find('\n', at), code.size());
      head = at;
    } else if (code[at] == '{') {
      const std::string text = code.substr(head, at - head);
      if (opens_a_scope(text)) {
        head = at + 1;
        continue;
      }
      const auto end = matching_brace(code, at);
      const auto next = code.find_first_not_of(" \n", end + 1);
      const bool initializes = next != code.npos && (code[next] == ',' || code[next] == '{');
      at = end;
      if (!initializes) {
        const auto first = code.find_first_not_of(" \n", head);
        if (text.find('(') != text.npos) {
          functions.push_back(
              {line_of(code, first), line_of(code, end) - line_of(code, first) + 1});
        }
        head = end + 1;
      }
    }
  }
  return functions;
}

TEST(Length, EveryFileIsShortEnough) {
  static const std::set<std::string> extensions{"hpp", "cpp", "h", "c", "py", "sh", "txt"};
  for (const auto& file : source_files()) {
    if (extensions.contains(file.path.substr(file.path.rfind('.') + 1))) {
      EXPECT_LE(lines_of(file.text).size(), file_lines_max) << file.path;
    }
  }
}

TEST(Length, EveryFunctionIsShortEnough) {
  for (const auto& file : source_files()) {
    if (!file.is_cpp() && !file.path.ends_with(".c")) {
      continue;
    }
    for (const auto& function : functions_in(file.code())) {
      EXPECT_LE(function.lines, function_lines_max) << file.path << ":" << function.first_line;
    }
  }
}

TEST(Length, AFunctionIsMeasuredFromItsSignatureToItsLastBrace) {
  const std::string code =
      "namespace n {\n"
      "struct S {\n"
      "  int x{};\n"
      "  S(int a)\n"
      "      : x{a}, y{2} {\n"
      "    call();\n"
      "  }\n"
      "};\n"
      "constexpr int table[] = {1, 2};\n"
      "TEST(A, B) {\n"
      "  if (x) {\n"
      "  }\n"
      "}\n"
      "}\n";
  const auto functions = functions_in(code);
  ASSERT_EQ(functions.size(), 2U);
  EXPECT_EQ(functions[0].first_line, 4U);
  EXPECT_EQ(functions[0].lines, 4U);
  EXPECT_EQ(functions[1].first_line, 10U);
  EXPECT_EQ(functions[1].lines, 4U);
}

}  // namespace
}  // namespace zabfs::test
