// zabfs: mounts the tree of an ensemble, or of a replica of its own, as files. Two processes: one
// keeps the mount (supervisor/), the other, the same program, does everything else.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <syslog.h>

#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "daemon/config.hpp"
#include "daemon/server.hpp"
#include "fusefs/client/endpoints.hpp"
#include "fusefs/mount/background.hpp"
#include "fusefs/mount/mount_point.hpp"
#include "fusefs/mount/mounted_ensemble.hpp"
#include "fusefs/mount/notification.hpp"
#include "fusefs/mount/options.hpp"
#include "fusefs/mount/succession.hpp"
#include "fusefs/supervisor/door.hpp"
#include "fusefs/supervisor/link.hpp"
#include "fusefs/supervisor/supervisor.hpp"

namespace zabfs::fusefs::mount {
namespace {

int fail(const std::string& sentence) {
  std::cerr << "zabfs: " << sentence << std::endl;
  return EXIT_FAILURE;
}

// A replica that only this machine can reach.
daemon::Config embedded_config(const Options& options) {
  daemon::Config config;
  config.data_directory = options.embedded_directory;
  config.log_directory = options.embedded_directory;
  config.client_address = "127.0.0.1";
  config.client_port = options.embedded_port;
  config.log_level = options.stays_in_foreground ? daemon::LogLevel::info : daemon::LogLevel::warn;
  return config;
}

int run_mount(boost::asio::io_context& io, Options options, client::ConnectString servers,
              Succession& succession, Assistants assistants) {
  MountedEnsemble mounted(io, std::move(options), std::move(servers), succession,
                          std::move(assistants));
  io.run();
  return mounted.problem() ? fail(*mounted.problem()) : EXIT_SUCCESS;
}

int run_embedded(boost::asio::io_context& io, Options options, Succession& succession,
                 Assistants assistants) {
  if (succession.inherited && options.embedded_port == 0) {
    // Clients of the replica go on too.
    options.embedded_port = static_cast<std::uint16_t>(succession.inherited->worker.port);
  }
  daemon::Server replica(io, embedded_config(options), [] {});
  if (const auto problem = replica.start()) {
    return fail(*problem);
  }
  options.embedded_port = replica.client_port();
  const client::ConnectString servers{.endpoints = {{"127.0.0.1", replica.client_port()}}};
  const int status = run_mount(io, std::move(options), servers, succession, std::move(assistants));
  replica.stop();
  return status;
}

// The servers of the command line; the sentence if they are none.
std::variant<client::ConnectString, std::string> servers_of(const Options& options) {
  if (!options.embedded_directory.empty()) {
    return client::ConnectString{};
  }
  auto parsed = client::parse_connect_string(options.servers);
  if (!parsed) {
    return parsed.error().sentence;
  }
  return std::move(*parsed);
}

// The process that does everything but keep the mount.
int run_worker(Options options, supervisor::Link link) {
  ::prctl(PR_SET_NAME, "zabfs-worker");
  options.appearance.listing_salt = std::random_device{}();
  if (!options.stays_in_foreground) {
    spdlog::set_level(spdlog::level::warn);  // On the terminal of whoever waits for the mount.
  }
  auto servers = servers_of(options);
  Assistants assistants = options.tells_inotify ? Assistants::fork() : Assistants{};
  Succession succession(std::move(link));
  boost::asio::io_context io(1);
  return options.embedded_directory.empty()
             ? run_mount(io, std::move(options),
                         std::get<client::ConnectString>(std::move(servers)), succession,
                         std::move(assistants))
             : run_embedded(io, std::move(options), succession, std::move(assistants));
}

int run(Options options) {
  if (const auto problem = check_mount_point(options.mount_point)) {
    return fail(*problem);
  }
  const auto servers = servers_of(options);
  if (const auto* problem = std::get_if<std::string>(&servers)) {
    return fail(*problem);
  }
  if (!options.embedded_directory.empty()) {
    // The supervisor leaves the directory that it was started in.
    options.embedded_directory = std::filesystem::absolute(options.embedded_directory);
  }
  if (!options.credentials.empty()) {
    // For the workers; what stands in the environment of a process only its owner can read.
    ::setenv(credentials_variable, client::text_of(options.credentials).c_str(), 1);
  }
  Background background = options.stays_in_foreground ? Background() : Background::fork();
  ::openlog("zabfs", LOG_PID, LOG_DAEMON);
  const bool has_terminal = options.stays_in_foreground;
  supervisor::Supervisor supervisor({.arguments = options.as_arguments(),
                                     .mount_point = options.mount_point,
                                     .on_serving = [&background] { background.enter(); },
                                     .unmount = [point = options.mount_point] { unmount(point); },
                                     .say =
                                         [has_terminal](const std::string& sentence) {
                                           ::syslog(LOG_WARNING, "%s", sentence.c_str());
                                           if (has_terminal) {
                                             std::cerr << "zabfs: " << sentence << std::endl;
                                           }
                                         }});
  return supervisor.run();
}

int upgrade(const std::string& mount_point) {
  std::error_code ignored;
  const auto path = std::filesystem::canonical(mount_point, ignored);
  const auto problem = supervisor::ask_for_upgrade(path.empty() ? mount_point : path.string());
  return problem ? fail(*problem) : EXIT_SUCCESS;
}

}  // namespace
}  // namespace zabfs::fusefs::mount

int main(int count, char** arguments) {
  using namespace zabfs::fusefs::mount;
  namespace supervisor = zabfs::fusefs::supervisor;
  const char* asked = std::getenv(supervisor::variable);
  if (asked != nullptr && std::string_view(asked) == supervisor::check) {
    std::cout << supervisor::check_answer() << std::flush;
    return EXIT_SUCCESS;
  }
  auto link = supervisor::Link::from_environment();
  spdlog::set_default_logger(spdlog::stderr_logger_mt("zabfs"));
  auto parsed = parse_options(count, arguments);
  hide_credentials(count, arguments);
  if (const auto* exit = std::get_if<Exit>(&parsed)) {
    (exit->status == 0 ? std::cout : std::cerr) << exit->text;
    return exit->status;
  }
  auto& options = std::get<Options>(parsed);
  if (options.asks_for_upgrade) {
    return upgrade(options.mount_point);
  }
  return link ? run_worker(std::move(options), std::move(*link)) : run(std::move(options));
}
