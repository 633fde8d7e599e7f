#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "daemon/zabctl/commands.hpp"
#include "daemon/zabctl/failure.hpp"
#include "daemon/zabctl/presentation.hpp"
#include "daemon/zabctl/verification.hpp"

namespace zabfs::daemon::zabctl {
namespace {

struct Options {
  std::string directory{};
  std::string log_directory{};
  bool is_json{};
};

void print_json(const VerificationReport& report) {
  boost::json::array problems;
  for (const auto& problem : report.problems) {
    problems.push_back(
        boost::json::object{{"problem", problem.sentence}, {"advice", problem.advice}});
  }
  boost::json::array snapshots;
  for (const auto& snapshot : report.snapshots) {
    snapshots.push_back(boost::json::object{{"file", snapshot.file},
                                            {"isWhole", snapshot.is_whole},
                                            {"bytes", snapshot.bytes},
                                            {"zxid", hex(snapshot.zxid)},
                                            {"znodes", snapshot.znodes},
                                            {"sessions", snapshot.sessions},
                                            {"digest", hex(snapshot.digest)}});
  }
  boost::json::array segments;
  for (const auto& segment : report.segments) {
    segments.push_back(boost::json::object{{"file", segment.file},
                                           {"records", segment.records},
                                           {"bytes", segment.bytes},
                                           {"last", hex(segment.last)}});
  }
  boost::json::object object{
      {"problems", std::move(problems)},
      {"notes", boost::json::array(report.notes.begin(), report.notes.end())},
      {"snapshots", std::move(snapshots)},
      {"segments", std::move(segments)},
      {"canStart", report.can_start}};
  if (report.can_start) {
    object["state"] = boost::json::object{
        {"zxid", hex(report.last)},         {"committed", hex(report.committed)},
        {"snapshot", hex(report.snapshot)}, {"znodes", report.znodes},
        {"sessions", report.sessions},      {"digest", hex(report.digest)}};
  }
  std::cout << object << "\n";
}

void print_text(const VerificationReport& report) {
  for (const auto& snapshot : report.snapshots) {
    std::cout << snapshot.file << ": "
              << (snapshot.is_whole ? counted(snapshot.znodes, "znode") + ", " +
                                          counted(snapshot.sessions, "session") + ", digest " +
                                          hex(snapshot.digest)
                                    : "damaged")
              << "\n";
  }
  for (const auto& segment : report.segments) {
    std::cout << segment.file << ": " << counted(segment.records, "record") << ", up to "
              << hex(segment.last) << "\n";
  }
  for (const auto& note : report.notes) {
    std::cout << "note: " << note << "\n";
  }
  for (const auto& problem : report.problems) {
    std::cout << "PROBLEM: " << problem.sentence << "\n  " << problem.advice << "\n";
  }
  if (report.can_start) {
    std::cout << "A start leads to " << hex(report.last) << ": " << counted(report.znodes, "znode")
              << ", " << counted(report.sessions, "session") << ", digest " << hex(report.digest)
              << ".\n";
  }
  std::cout << (report.problems.empty() ? "No problem was found."
                                        : counted(report.problems.size(), "problem") + ".")
            << "\n";
}

int run(const Options& options) {
  const ReadOnlyDirectory directory(options.directory, options.log_directory);
  const auto report = verify(directory);
  if (options.is_json) {
    print_json(report);
  } else {
    print_text(report);
  }
  return report.problems.empty() ? exit_well : exit_trouble;
}

}  // namespace

void add_verify(CLI::App& program, int& status) {
  auto* command =
      program.add_subcommand("verify", "Check a data directory from end to end; changes nothing.");
  auto options = std::make_shared<Options>();
  command->add_option("DATADIR", options->directory, "a data directory")->required();
  command->add_option("--log-dir", options->log_directory, "where log.* are (dataLogDir)");
  command->add_flag("--json", options->is_json, "the findings as one JSON object");
  command->footer(
      "The server may be running. The exit status is 0 if nothing is wrong and 1 if anything is;\n"
      "what a crash leaves, like the torn end of a log, is nothing wrong.");
  command->callback([options, &status] { status = run(*options); });
}

}  // namespace zabfs::daemon::zabctl
