// Tests written as transcripts: a file is a test, and holds both what is done and what it gives.
//
//   # Comments stand alone or above a step.
//   a create /x data=1
//   a get /x
//   ----
//   what the step printed
//
// A file is paragraphs with one blank line between them. A paragraph with commands is a step: its
// commands are carried out together, and what that printed stands below the line of dashes.
// UPDATE_EXPECTED=1 rewrites the files with what was printed; read the difference before it is
// committed. The name of a file is the claim it proves.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace zabfs::test {

// One line of a step, split at its spaces.
struct Command {
  std::string name{};
  std::vector<std::string> arguments{};
  int line{};  // in the file, from 1
};

// Carries out the commands of one step and returns what they printed: lines, none of them blank.
using Interpreter = std::function<std::string(const std::vector<Command>&)>;

// `transcript` with the output that `interpret` gives now in place of the one it holds. Equal to
// `transcript` if nothing changed and the file is written as above.
std::string replayed(const std::string& transcript, const Interpreter& interpret);

// Replays the file. Fails the running test if that differs from what the file holds; with
// UPDATE_EXPECTED in the environment, rewrites the file instead.
void expect_transcript(const std::filesystem::path& file, const Interpreter& interpret);

// Makes one GoogleTest case of every .txt file in `directory`, named after the file. `fresh` makes
// the interpreter of one file. To be called before main(); returns the number of cases.
int register_transcripts(const std::string& suite, const std::filesystem::path& directory,
                         const std::function<Interpreter()>& fresh);

}  // namespace zabfs::test
