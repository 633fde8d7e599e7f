// The options that say for which servers a state is written, and the words about what to do with
// them: the same for `restore` and `import`.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "daemon/zabctl/new_data_directory.hpp"

namespace zabfs::daemon::zabctl {

struct NewServersOptions {
  NewServers servers{};
  bool is_alone{};
  std::string expected{};  // fingerprint
};

void add_options(CLI::App& command, NewServersOptions& options);

// Throws UsageError unless exactly one of the three ways was chosen.
void check_choice(const NewServersOptions& options);

// Makes the servers and tells the operator what is next. Throws Failure if the state is not the
// expected one, before anything is written.
void make_and_explain(const NewServersOptions& options, NewState& state);

}  // namespace zabfs::daemon::zabctl
