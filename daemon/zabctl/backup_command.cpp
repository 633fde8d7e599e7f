#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>

#include "daemon/zabctl/backup.hpp"
#include "daemon/zabctl/commands.hpp"
#include "daemon/zabctl/failure.hpp"
#include "daemon/zabctl/new_servers_options.hpp"
#include "daemon/zabctl/presentation.hpp"

namespace zabfs::daemon::zabctl {
namespace {

struct BackupOptions {
  std::string directory{};
  std::string log_directory{};
  std::string target{};
};

struct RestoreOptions {
  std::string source{};
  NewServersOptions target{};
};

bool is_tar(const std::string& path) { return path.ends_with(".tar"); }

// A directory of this process beside `path`, removed with everything in it.
class Workplace {
 public:
  explicit Workplace(const std::string& path) : path_(path + ".unpacked") {
    if (std::filesystem::exists(path_)) {
      throw Failure(path_ +
                    " is in the way: it was left by an attempt that was interrupted. Remove "
                    "it.");
    }
  }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;
  ~Workplace() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

int run_backup(const BackupOptions& options) {
  const ReadOnlyDirectory from(options.directory, options.log_directory);
  std::unique_ptr<LoadedState> state;
  if (is_tar(options.target)) {
    if (std::filesystem::exists(options.target)) {
      throw Failure(options.target + " is there already, and nothing is ever overwritten.");
    }
    const Workplace workplace(options.target);
    state = back_up(from, workplace.path());
    write_tar(workplace.path(), options.target);
  } else {
    state = back_up(from, options.target);
  }
  std::cout << options.target << ": state after " << hex(state->tree.last_applied()) << ", "
            << counted(state->tree.node_count(), "znode") << ", "
            << counted(state->sessions.size(), "session") << "; read back and whole.\n";
  return exit_well;
}

// The servers that the ensemble had may not be those of the new one, which zoo.cfg names. What
// differs is the same for each of them: it is the next transaction of their common history.
void forget_ensemble(replication::tree::DataTree& tree) {
  constexpr const char* path = "/zookeeper/config";
  const auto* config = tree.find(path);
  if (config == nullptr || config->data_length <= 0) {
    return;
  }
  replication::tree::Applied ignored;
  tree.apply({.header = {.zxid = {tree.last_applied().value + 1}, .time_ms = config->mtime},
              .body = replication::tree::SetData{path, replication::Bytes{}, config->version + 1}},
             ignored);
}

std::unique_ptr<LoadedState> load_backup(const RestoreOptions& options) {
  std::unique_ptr<Workplace> workplace;
  std::string source = options.source;
  if (std::filesystem::is_regular_file(source) && is_snapshot_file(source)) {
    return load_snapshot_file(source);
  }
  if (!std::filesystem::is_directory(source)) {
    workplace = std::make_unique<Workplace>(options.target.servers.data);
    read_tar(source, workplace->path());
    source = workplace->path();
  }
  const ReadOnlyDirectory from(source);
  if (from.is_in_use()) {
    throw Failure(source + " is the directory of a server that runs: make a backup of it first.");
  }
  return load_directory(from);
}

int run_restore(const RestoreOptions& options) {
  check_choice(options.target);
  check_new_servers(options.target.servers);
  auto loaded = load_backup(options);
  if (!loaded->note.empty()) {
    std::cerr << "note: " << loaded->note << "\n";
  }
  NewState state{.epoch = std::max(loaded->accepted, loaded->tree.last_applied().epoch())};
  state.tree = std::move(loaded->tree);
  state.sessions = std::move(loaded->sessions);
  forget_ensemble(state.tree);
  make_and_explain(options.target, state);
  return exit_well;
}

}  // namespace

void add_backup(CLI::App& program, int& status) {
  auto* command = program.add_subcommand(
      "backup", "Copy a data directory, also of a running server, and check the copy.");
  auto options = std::make_shared<BackupOptions>();
  command->add_option("DATADIR", options->directory, "the server's data directory")->required();
  command->add_option("--log-dir", options->log_directory, "where log.* are (dataLogDir)");
  command
      ->add_option("--to", options->target,
                   "the backup to make: a directory, empty or missing, or a file NAME.tar")
      ->required();
  command->footer(
      "The copy has everything that was acknowledged before the command began, if the server is "
      "the\n"
      "leader, was not behind it, or runs alone. One backup serves all servers of an ensemble.\n"
      "  zabctl backup /var/lib/zabd --to /backup/2026-05-04.tar");
  command->callback([options, &status] { status = run_backup(*options); });
}

void add_restore(CLI::App& program, int& status) {
  auto* command =
      program.add_subcommand("restore", "Make data directories of new servers from a backup.");
  auto options = std::make_shared<RestoreOptions>();
  command
      ->add_option("BACKUP", options->source,
                   "what `backup` made, a directory or a tar file; or a snapshot")
      ->required();
  add_options(*command, options->target);
  command->footer(
      "For an ensemble: stop all its servers, restore all of them from one backup, then start "
      "them.\n"
      "Never restore one server of an ensemble that serves: start it with an empty directory, and "
      "it\n"
      "fetches everything from the leader.\n"
      "  zabctl restore /backup/2026-05-04.tar --to /var/lib/zabd --server-id 2");
  command->callback([options, &status] { status = run_restore(*options); });
}

}  // namespace zabfs::daemon::zabctl
