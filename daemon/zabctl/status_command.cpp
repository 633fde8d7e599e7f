#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <iomanip>
#include <iostream>
#include <memory>

#include "daemon/zabctl/commands.hpp"
#include "daemon/zabctl/ensemble_view.hpp"
#include "daemon/zabctl/failure.hpp"
#include "daemon/zabctl/presentation.hpp"
#include "daemon/zabctl/replica_questions.hpp"

namespace zabfs::daemon::zabctl {
namespace {

struct Options {
  std::string servers{};
  std::string config{};
  bool is_json{};
  std::int64_t timeout_ms{2'000};
  std::uint64_t lag_max{1'000};
};

constexpr std::array health_names{"well", "degraded", "noService"};

template <class T>
std::string cell(const std::optional<T>& number) {
  return number ? std::to_string(*number) : "-";
}

void print_table(const EnsembleView& view) {
  using Row = std::array<std::string, 9>;
  std::vector<Row> rows{{"SERVER", "MODE", "ZXID", "LAG", "SESSIONS", "CONNECTIONS", "ZNODES",
                         "LATENCY(MS)", "VERSION"}};
  for (const ReplicaView& replica : view.replicas) {
    if (!replica.is_serving) {
      rows.push_back({replica.name, replica.is_reached ? "not serving" : "unreachable", "-", "-",
                      "-", "-", "-", "-", "-"});
      continue;
    }
    rows.push_back({replica.name, replica.mode, hex(replica.zxid), cell(view.lag_of(replica)),
                    cell(replica.sessions), cell(replica.connections), cell(replica.znodes),
                    replica.latency_ms, replica.version});
  }
  std::array<std::size_t, 9> widths{};
  for (const Row& row : rows) {
    for (std::size_t column = 0; column < row.size(); ++column) {
      widths[column] = std::max(widths[column], row[column].size());
    }
  }
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t column = 0; column < row.size(); ++column) {
      line += row[column] + std::string(widths[column] - row[column].size() + 2, ' ');
    }
    std::cout << line.substr(0, line.find_last_not_of(' ') + 1) << "\n";
  }
  for (const auto& warning : view.warnings) {
    std::cout << "warning: " << warning << "\n";
  }
}

template <class T>
boost::json::value json_value(const std::optional<T>& number) {
  return number ? boost::json::value(*number) : boost::json::value(nullptr);
}

void print_json(const EnsembleView& view) {
  boost::json::array servers;
  for (const ReplicaView& replica : view.replicas) {
    boost::json::object server{
        {"server", replica.name}, {"reached", replica.is_reached}, {"serving", replica.is_serving}};
    if (!replica.is_serving) {
      server["trouble"] = replica.trouble;
    } else {
      server["mode"] = replica.mode;
      server["version"] = replica.version;
      server["zxid"] = hex(replica.zxid);
      server["lag"] = json_value(view.lag_of(replica));
      server["sessions"] = json_value(replica.sessions);
      server["connections"] = json_value(replica.connections);
      server["outstanding"] = json_value(replica.outstanding);
      server["znodes"] = json_value(replica.znodes);
      server["latencyMs"] = replica.latency_ms;
    }
    servers.push_back(std::move(server));
  }
  std::cout << boost::json::object{{"health", health_names[static_cast<std::size_t>(view.health)]},
                                   {"servers", std::move(servers)},
                                   {"warnings",
                                    boost::json::array(view.warnings.begin(), view.warnings.end())}}
            << "\n";
}

// Those that were named, and those that they name. A file may name servers that have left since.
std::vector<ReplicaView> replicas_at(const std::vector<Address>& addresses,
                                     const Options& options) {
  const std::chrono::milliseconds limit(options.timeout_ms);
  const auto asked = ask(addresses, limit);
  std::vector<ReplicaView> replicas;
  for (std::size_t at = 0; at < addresses.size(); ++at) {
    if (options.config.empty() || asked[at].is_reached || is_missed(addresses[at], asked)) {
      replicas.push_back(asked[at]);
    }
  }
  if (const auto others = members_not_asked(asked); !others.empty()) {
    for (auto& replica : ask(others, limit)) {
      replicas.push_back(std::move(replica));
    }
  }
  return replicas;
}

int run(const Options& options) {
  if (options.servers.empty() == options.config.empty()) {
    throw UsageError("Name the servers, as in alpha:2181,beta:2181, or a file with --config.");
  }
  const auto addresses = options.config.empty() ? parse_addresses(options.servers)
                                                : addresses_of_config(options.config);
  const auto view = judge(replicas_at(addresses, options), options.lag_max);
  if (options.is_json) {
    print_json(view);
  } else {
    print_table(view);
  }
  switch (view.health) {
    case Health::well:
      return exit_well;
    case Health::degraded:
      return exit_trouble;
    case Health::no_service:
      break;
  }
  return exit_no_service;
}

}  // namespace

void add_status(CLI::App& program, int& status) {
  auto* command = program.add_subcommand("status", "Show every server of an ensemble at a glance.");
  auto options = std::make_shared<Options>();
  command->add_option("SERVERS", options->servers, "HOST:PORT,HOST:PORT,... where clients connect");
  command->add_option("--config", options->config, "a zoo.cfg that names the servers");
  command->add_option("--timeout", options->timeout_ms, "milliseconds to wait for all answers")
      ->check(CLI::Range(1, 600'000))
      ->capture_default_str();
  command
      ->add_option("--max-lag", options->lag_max,
                   "warn of a server that is more transactions behind the leader")
      ->capture_default_str();
  command->add_flag("--json", options->is_json, "one JSON object");
  command->footer(
      "Asks with the four-letter words srvr, mntr, hash and conf, of zabd and of Apache ZooKeeper\n"
      "alike. srvr is in the default whitelist; without mntr there are no sessions, without hash "
      "no\n"
      "comparison of digests, and without conf only the servers that were named are asked, not "
      "those\n"
      "that have joined since.\n"
      "Exit status: 0 all is well, 1 clients are served and there are warnings, 3 nobody serves.\n"
      "  zabctl status alpha:2181,beta:2181,gamma:2181");
  command->callback([options, &status] { status = run(*options); });
}

}  // namespace zabfs::daemon::zabctl
