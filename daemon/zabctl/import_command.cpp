#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "daemon/zabctl/commands.hpp"
#include "daemon/zabctl/failure.hpp"
#include "daemon/zabctl/new_servers_options.hpp"
#include "daemon/zabctl/presentation.hpp"
#include "daemon/zabctl/zookeeper/data_directory.hpp"

namespace zabfs::daemon::zabctl {
namespace {

struct Options {
  zookeeper::LoadOptions load{};
  NewServersOptions target{};
  bool shows_progress{};
};

int run(Options& options) {
  check_choice(options.target);
  check_new_servers(options.target.servers);
  if (options.shows_progress || ::isatty(STDERR_FILENO) == 1) {
    options.load.on_progress = [](const std::string& what) { std::cerr << what << "\n"; };
  }
  try {
    auto loaded = zookeeper::load_directory(options.load);
    // The servers that ZooKeeper's ensemble had are not those of the new one.
    loaded.tree->forget_servers();
    NewState state{.sessions = loaded.tree->session_table(), .epoch = {loaded.epoch}};
    state.tree = loaded.tree->take({static_cast<std::uint64_t>(loaded.zxid)});
    for (const auto& note : loaded.notes) {
      std::cerr << "note: " << note << "\n";
    }
    std::cout << loaded.snapshot << " and " << counted(loaded.transactions, "transaction")
              << " behind it"
              << (loaded.is_digest_checked ? "; ZooKeeper's own digest confirms the result" : "")
              << ".\n";
    make_and_explain(options.target, state);
  } catch (const zookeeper::Damaged& damaged) {
    throw Failure(damaged.what());
  }
  return exit_well;
}

}  // namespace

void add_import(CLI::App& program, int& status) {
  auto* command = program.add_subcommand(
      "import", "Make a data directory of zabd from one of Apache ZooKeeper.");
  auto options = std::make_shared<Options>();
  command
      ->add_option("ZOOKEEPER_DATADIR", options->load.data,
                   "the dataDir of a server of ZooKeeper that is stopped, or a copy")
      ->required();
  command->add_option("--log-dir", options->load.log, "its dataLogDir, if it has one");
  add_options(*command, options->target);
  command->add_flag("--allow-gaps", options->load.allows_gaps,
                    "go on where transactions are missing in the logs");
  command->add_flag("--ignore-digest", options->load.ignores_digest,
                    "take the state over even if its digest is not ZooKeeper's");
  command->add_flag("--progress", options->shows_progress,
                    "tell what is being done, also when standard error is no terminal");
  command->footer(
      "Znodes keep their Stat, data and ACL, sessions their number, timeout and password: clients\n"
      "that come back within their timeout go on. Only the data of /zookeeper/config is left "
      "empty.\n"
      "  zabctl import /var/lib/zookeeper --to /var/lib/zabd --standalone");
  command->callback([options, &status] { status = run(*options); });
}

}  // namespace zabfs::daemon::zabctl
