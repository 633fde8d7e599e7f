#include "tests/support/data_driven.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

namespace zabfs::test {
namespace {

constexpr std::string_view dashes = "----";

struct Paragraph {
  std::string text{};  // comments and commands, each with its newline
  std::vector<Command> commands{};
};

Command parse(const std::string& line, int number) {
  Command command{.line = number};
  std::istringstream words(line);
  words >> command.name;
  for (std::string word; words >> word;) {
    command.arguments.push_back(std::move(word));
  }
  return command;
}

// The next paragraph, without the output it holds; `line` is the number of the last line read.
Paragraph next_paragraph(std::istream& in, int& line) {
  Paragraph paragraph;
  bool is_output = false;
  for (std::string text; std::getline(in, text);) {
    ++line;
    if (text.empty()) {
      if (paragraph.text.empty()) {
        continue;
      }
      break;
    }
    is_output = is_output || text == dashes;
    if (is_output) {
      continue;
    }
    paragraph.text += text + '\n';
    if (text.front() != '#') {
      paragraph.commands.push_back(parse(text, line));
    }
  }
  return paragraph;
}

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::ostringstream content;
  content << in.rdbuf();
  EXPECT_TRUE(in) << "cannot read " << file;
  return content.str();
}

class Transcript : public testing::Test {
 public:
  Transcript(std::filesystem::path file, std::function<Interpreter()> fresh)
      : file_(std::move(file)), fresh_(std::move(fresh)) {}

  void TestBody() override { expect_transcript(file_, fresh_()); }

 private:
  std::filesystem::path file_;
  std::function<Interpreter()> fresh_;
};

}  // namespace

std::string replayed(const std::string& transcript, const Interpreter& interpret) {
  std::istringstream in(transcript);
  std::string out;
  int line = 0;
  for (auto next = next_paragraph(in, line); !next.text.empty(); next = next_paragraph(in, line)) {
    if (!out.empty()) {
      out += '\n';
    }
    out += next.text;
    if (!next.commands.empty()) {
      out += dashes;
      out += '\n' + interpret(next.commands);
    }
  }
  return out;
}

void expect_transcript(const std::filesystem::path& file, const Interpreter& interpret) {
  const std::string want = content_of(file);
  const std::string got = replayed(want, interpret);
  if (std::getenv("UPDATE_EXPECTED") != nullptr) {
    std::ofstream(file) << got;
    return;
  }
  EXPECT_EQ(want, got) << file << "\nUPDATE_EXPECTED=1 rewrites it";
}

int register_transcripts(const std::string& suite, const std::filesystem::path& directory,
                         const std::function<Interpreter()>& fresh) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() == ".txt") {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  for (const auto& file : files) {
    testing::RegisterTest(
        suite.c_str(), file.stem().c_str(), nullptr, nullptr, file.c_str(), 1,
        [file, fresh]() -> testing::Test* { return new Transcript(file, fresh); });
  }
  return static_cast<int>(files.size());
}

}  // namespace zabfs::test
