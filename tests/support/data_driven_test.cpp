// Transcripts: what is kept, what is replaced, and that a difference fails.
#include "tests/support/data_driven.hpp"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace zabfs::test {
namespace {

// Prints every command with its line and its arguments.
std::string echo(const std::vector<Command>& commands) {
  std::ostringstream out;
  for (const Command& command : commands) {
    out << command.line << ' ' << command.name;
    for (const auto& argument : command.arguments) {
      out << '|' << argument;
    }
    out << '\n';
  }
  return out.str();
}

constexpr auto current =
    "# A comment alone.\n"
    "\n"
    "# Above a step.\n"
    "first   a b=1\n"
    "# Inside one.\n"
    "second\n"
    "----\n"
    "4 first|a|b=1\n"
    "6 second\n"
    "\n"
    "third\n"
    "----\n"
    "11 third\n";

TEST(DataDriven, GivesACurrentTranscriptBackUnchanged) {
  EXPECT_EQ(replayed(current, echo), current);
}

TEST(DataDriven, ReplacesOutputThatIsOldOrMissing) {
  EXPECT_EQ(replayed("first\n----\nold\nolder\n\nsecond\n", echo),
            "first\n----\n1 first\n\nsecond\n----\n6 second\n");
}

TEST(DataDriven, CarriesTheCommandsOfAStepOutTogether) {
  int steps = 0;
  const auto count = [&steps](const std::vector<Command>& commands) {
    ++steps;
    return std::to_string(commands.size()) + '\n';
  };
  EXPECT_EQ(replayed("a\nb\n\n# none\n\nc\n", count), "a\nb\n----\n2\n\n# none\n\nc\n----\n1\n");
  EXPECT_EQ(steps, 2);
}

class TranscriptFileTest : public testing::Test {
 protected:
  TranscriptFileTest() { unsetenv("UPDATE_EXPECTED"); }
  ~TranscriptFileTest() override {
    unsetenv("UPDATE_EXPECTED");
    std::filesystem::remove(file_);
  }

  void write(const std::string& text) { std::ofstream(file_) << text; }
  std::string read() const {
    std::ostringstream text;
    text << std::ifstream(file_).rdbuf();
    return text.str();
  }

  const std::filesystem::path file_ =
      testing::TempDir() + "transcript_" + std::to_string(getpid()) + ".txt";
};

TEST_F(TranscriptFileTest, FailsTheTestWhenTheOutputDiffers) {
  write("command\n----\nsomething else\n");
  EXPECT_NONFATAL_FAILURE(expect_transcript(file_, echo), "something else");
}

TEST_F(TranscriptFileTest, RewritesTheFileOnRequest) {
  write("command\n----\nsomething else\n");
  setenv("UPDATE_EXPECTED", "1", 1);
  expect_transcript(file_, echo);
  EXPECT_EQ(read(), "command\n----\n1 command\n");
}

}  // namespace
}  // namespace zabfs::test
