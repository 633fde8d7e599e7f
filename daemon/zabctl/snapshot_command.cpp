#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "daemon/zabctl/commands.hpp"
#include "daemon/zabctl/failure.hpp"
#include "daemon/zabctl/loaded_state.hpp"
#include "daemon/zabctl/presentation.hpp"
#include "daemon/zabctl/selection.hpp"
#include "daemon/zabctl/tree_difference.hpp"
#include "daemon/zabctl/tree_statistics.hpp"

namespace zabfs::daemon::zabctl {

using replication::tree::Slot;

namespace {

struct Options {
  std::vector<std::string> sources{};
  std::string log_directory{};
  std::string path{"/"};
  bool is_json{};
  bool with_data{};
  bool wants_statistics{};
  bool wants_sessions{};
  bool wants_difference{};
  int depth{1};
};

void print_znode(const replication::tree::DataTree& tree, std::string_view path, Slot slot,
                 const Options& options) {
  const auto& node = tree.nodes()[slot];
  const auto stat = tree.stat_of(node);
  const auto data = tree.data_of(node);
  if (options.is_json) {
    boost::json::object object{{"path", path},
                               {"stat", json_of(stat)},
                               {"owner", hex(node.ephemeral_owner)},
                               {"acl", json_of(tree.acl_of(node))}};
    if (options.with_data) {
      set_data(object, data);
    }
    std::cout << object << "\n";
    return;
  }
  std::cout << printable(path) << "\n  czxid " << hex(static_cast<std::uint64_t>(stat.czxid))
            << " mzxid " << hex(static_cast<std::uint64_t>(stat.mzxid)) << " pzxid "
            << hex(static_cast<std::uint64_t>(stat.pzxid)) << " ctime " << time_text(stat.ctime)
            << " mtime " << time_text(stat.mtime) << "\n  version " << stat.version << " cversion "
            << stat.cversion << " aversion " << stat.aversion << " owner "
            << hex(node.ephemeral_owner) << " children " << stat.num_children << " data "
            << (data ? counted(data->size(), "byte") : "null") << " acl "
            << acl_text(tree.acl_of(node)) << "\n";
  if (options.with_data && data) {
    std::cout << "  data=" << printable(replication::text_of(*data)) << "\n";
  }
}

void print_sessions(const LoadedState& state, bool is_json) {
  for (const auto& [id, session] : state.sessions.sessions()) {
    const auto paths = state.tree.ephemerals_of(id);
    if (is_json) {
      std::cout << boost::json::object{{"session", hex(id)},
                                       {"timeoutMs", session.timeout_ms},
                                       {"ephemerals",
                                        boost::json::array(paths.begin(), paths.end())}}
                << "\n";
      continue;
    }
    std::cout << "session " << hex(id) << " timeout " << session.timeout_ms << " ms, "
              << counted(paths.size(), "ephemeral znode") << "\n";
    for (const auto& path : paths) {
      std::cout << "  " << printable(path) << "\n";
    }
  }
}

void explain(const std::string& source, const LoadedState& state) {
  std::cerr << source << ": state after " << hex(state.tree.last_applied()) << ", "
            << counted(state.tree.node_count(), "znode") << ", "
            << counted(state.sessions.size(), "session") << ", digest " << hex(state.tree.digest())
            << "\n";
  if (state.uncommitted > 0) {
    std::cerr << source << ": " << counted(state.uncommitted, "transaction") << " after "
              << hex(state.committed)
              << " may not be committed yet, as far as this directory knows.\n";
  }
  if (!state.note.empty()) {
    std::cerr << source << ": " << state.note << "\n";
  }
}

int print_difference(const Options& options) {
  const auto first = load_state(options.sources[0], options.log_directory);
  explain(options.sources[0], *first);
  const auto second = load_state(options.sources[1], options.log_directory);
  explain(options.sources[1], *second);
  static constexpr const char* marks[] = {"-", "+", "~"};
  static constexpr const char* names[] = {"onlyInFirst", "onlyInSecond", "changed"};
  bool differs = false;
  compare(*first, *second, options.path, [&](const Difference& difference) {
    differs = true;
    const auto kind = static_cast<std::size_t>(difference.kind);
    if (options.is_json) {
      std::cout << boost::json::object{{"difference", names[kind]},
                                       {"path", difference.path},
                                       {"what", difference.what}}
                << "\n";
    } else {
      std::cout << marks[kind] << " " << printable(difference.path)
                << (difference.what.empty() ? "" : ": " + difference.what) << "\n";
    }
  });
  return differs ? exit_trouble : exit_well;
}

int run(const Options& options) {
  if (options.wants_difference) {
    if (options.sources.size() != 2) {
      throw UsageError("--diff compares two: zabctl snapshot --diff A B");
    }
    return print_difference(options);
  }
  if (options.sources.size() != 1) {
    throw UsageError("Name one snapshot or data directory, or compare two with --diff.");
  }
  const auto state = load_state(options.sources[0], options.log_directory);
  explain(options.sources[0], *state);
  if (state->tree.find(options.path) == nullptr) {
    throw Failure("There is no znode " + options.path + " in " + options.sources[0] + ".");
  }
  if (options.wants_statistics) {
    const TreeStatistics statistics(*state, options.path, options.depth);
    if (options.is_json) {
      std::cout << statistics.to_json() << "\n";
    } else {
      statistics.print(std::cout);
    }
  } else if (options.wants_sessions) {
    print_sessions(*state, options.is_json);
  } else {
    state->tree.nodes().walk([&](std::string_view path, Slot slot) {
      if (lies_in(path, options.path)) {
        print_znode(state->tree, path, slot, options);
      }
    });
  }
  return exit_well;
}

}  // namespace

void add_snapshot(CLI::App& program, int& status) {
  auto* command =
      program.add_subcommand("snapshot", "List the znodes of a snapshot, or compare two.");
  auto options = std::make_shared<Options>();
  command
      ->add_option(
          "SOURCE", options->sources,
          "a file snapshot.*, or a data directory: its newest snapshot and the log behind it")
      ->required();
  command->add_option("--log-dir", options->log_directory, "where log.* are (dataLogDir)");
  command->add_option("--path", options->path, "this znode and what is below it only");
  command->add_flag("--data", options->with_data, "show the data, too");
  command->add_flag("--json", options->is_json, "one JSON object a line");
  auto* sessions = command->add_flag("--sessions", options->wants_sessions,
                                     "sessions and their ephemeral znodes instead of znodes");
  auto* statistics = command->add_flag("--statistics", options->wants_statistics,
                                       "counts and bytes by subtree instead of znodes");
  command->add_option("--depth", options->depth, "of the subtrees that --statistics shows")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  auto* difference = command->add_flag("--diff", options->wants_difference,
                                       "what two of them do not have in common");
  difference->excludes(sessions)->excludes(statistics);
  sessions->excludes(statistics);
  command->footer(
      "The directory may be that of a running server. With --diff, `-` is only in the first, `+` "
      "only\n"
      "in the second, `~` in both and not the same; the exit status is 1 if there is any "
      "difference.\n"
      "  zabctl snapshot /var/lib/zabd --statistics --depth 2\n"
      "  zabctl snapshot --diff backup/snapshot.00000000.0000000100009c40 /var/lib/zabd");
  command->callback([options, &status] { status = run(*options); });
}

}  // namespace zabfs::daemon::zabctl
