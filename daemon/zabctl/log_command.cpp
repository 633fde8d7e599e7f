#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>

#include "daemon/zabctl/commands.hpp"
#include "daemon/zabctl/failure.hpp"
#include "daemon/zabctl/log_statistics.hpp"
#include "daemon/zabctl/presentation.hpp"
#include "daemon/zabctl/read_only_directory.hpp"
#include "daemon/zabctl/segment_scan.hpp"
#include "daemon/zabctl/selection.hpp"
#include "daemon/zabctl/transaction_text.hpp"

namespace zabfs::daemon::zabctl {

using namespace replication::store;
using replication::Bytes;

namespace {

struct Options {
  std::vector<std::string> sources{};
  std::string log_directory{};
  std::string from{};
  std::string to{};
  std::string session{};
  Selection selection{};
  bool is_json{};
  bool with_data{};
  bool wants_statistics{};
};

class LogPrinter {
 public:
  explicit LogPrinter(const Options& options) : options_(options) {}

  void take(const LogEntry& entry) {
    if (entry.kind == RecordKind::truncation) {
      return truncated(entry);
    }
    const auto transaction = replication::tree::decode_transaction(entry.payload);
    if (!transaction) {
      std::cerr << "zabctl: transaction " << hex(entry.zxid)
                << " is none that this program knows.\n";
      found_trouble_ = true;
      return;
    }
    if (!options_.selection.includes(*transaction)) {
      return;
    }
    if (options_.wants_statistics) {
      statistics_.count(*transaction, entry.payload.size());
    } else if (options_.is_json) {
      std::cout << json_of(*transaction, options_.with_data) << "\n";
    } else {
      std::cout << line_of(*transaction, options_.with_data) << "\n";
    }
  }

  // `scan` is of the last segment of a log that somebody may be writing to.
  void end_segment(const std::string& path, const SegmentScan& scan, bool is_last) {
    const std::string complaint = scan.complaint();
    if (complaint.empty()) {
      return;
    }
    const bool may_be_under_way = is_last && scan.ended != SegmentEnd::damaged;
    std::cout.flush();
    std::cerr << "zabctl: " << path << " " << complaint
              << (may_be_under_way
                      ? ": what a server is writing just now, or was when it stopped.\n"
                      : ". `zabctl verify` says what that means.\n");
    found_trouble_ = found_trouble_ || !may_be_under_way;
  }

  int finish() {
    if (options_.wants_statistics && options_.is_json) {
      std::cout << statistics_.to_json() << "\n";
    } else if (options_.wants_statistics) {
      statistics_.print(std::cout);
    }
    return found_trouble_ ? exit_trouble : exit_well;
  }

 private:
  void truncated(const LogEntry& entry) {
    if (options_.wants_statistics || !options_.selection.path.empty() ||
        options_.selection.session) {
      return;
    }
    if (options_.is_json) {
      std::cout << boost::json::object{{"type", "truncation"}, {"zxid", hex(entry.zxid)}} << "\n";
    } else {
      std::cout << "everything after " << hex(entry.zxid) << " so far is taken back\n";
    }
  }

  const Options& options_;
  LogStatistics statistics_{};
  bool found_trouble_{};
};

void print_bytes(LogPrinter& printer, const std::string& path, const Bytes& bytes, bool is_last) {
  const auto scan = scan_segment(
      bytes, [&](const LogEntry& entry, std::size_t /*offset*/) { printer.take(entry); });
  printer.end_segment(path, scan, is_last);
}

void print_directory(LogPrinter& printer, const ReadOnlyDirectory& directory) {
  const auto segments = current_segments(directory);
  if (segments.empty()) {
    throw Failure(directory.log() +
                  ": there is no log of zabd in it. (Is it elsewhere? Say --log-dir.)");
  }
  for (const SegmentId& id : segments) {
    const auto file = segment_name(id);
    // One that went away meanwhile was not needed any more.
    try {
      print_bytes(printer, directory.path_of(file), directory.read(file, 0, directory.size(file)),
                  id == segments.back());
    } catch (const Vanished&) {
      std::cerr << "zabctl: " << file << " was removed meanwhile.\n";
    }
  }
}

int run(Options& options) {
  if (!options.from.empty()) {
    options.selection.from = parse_moment(options.from);
  }
  if (!options.to.empty()) {
    options.selection.to = parse_moment(options.to);
  }
  if (!options.session.empty()) {
    options.selection.session = parse_session(options.session);
  }
  LogPrinter printer(options);
  for (const auto& source : options.sources) {
    if (std::filesystem::is_directory(source)) {
      print_directory(printer, ReadOnlyDirectory(source, options.log_directory));
    } else {
      const bool is_last = source == options.sources.back();
      print_bytes(printer, source, bytes_of_file(source), is_last);
    }
  }
  return printer.finish();
}

}  // namespace

void add_log(CLI::App& program, int& status) {
  auto* command = program.add_subcommand("log", "Print the transactions of a log.");
  auto options = std::make_shared<Options>();
  command->add_option("SOURCE", options->sources, "a data directory, or files log.* of it")
      ->required();
  command->add_option("--log-dir", options->log_directory, "where log.* are (dataLogDir)");
  command->add_option("--from", options->from, "a zxid or a time of UTC to begin with");
  command->add_option("--to", options->to, "a zxid or a time of UTC to end with");
  command->add_option("--session", options->session, "of this session only");
  command->add_option("--path", options->selection.path, "at this znode and below it only");
  command->add_flag("--data", options->with_data, "show the data, too");
  command->add_flag("--json", options->is_json, "one JSON object a line");
  command->add_flag("--statistics", options->wants_statistics,
                    "counts by kind, session and second instead of transactions");
  command->footer(
      "A zxid is written 0x200000007 or 2.7, a time 2026-05-04 or 2026-05-04T12:30:01.\n"
      "The directory may be that of a running server. Records of transactions that were not\n"
      "committed yet, or were taken back later, are shown as they stand in the log.\n"
      "  zabctl log /var/lib/zabd --path /app --from 2026-05-04T12:00");
  command->callback([options, &status] { status = run(*options); });
}

}  // namespace zabfs::daemon::zabctl
