// zabfs: mounts the tree of an ensemble, or of a replica of its own, as files.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
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
              Background background, Assistants assistants) {
  MountedEnsemble mounted(io, std::move(options), std::move(servers), background,
                          std::move(assistants));
  io.run();
  return mounted.problem() ? fail(*mounted.problem()) : EXIT_SUCCESS;
}

int run_embedded(boost::asio::io_context& io, Options options, Background background,
                 Assistants assistants) {
  daemon::Server replica(io, embedded_config(options), [] {});
  if (const auto problem = replica.start()) {
    return fail(*problem);
  }
  const client::ConnectString servers{.endpoints = {{"127.0.0.1", replica.client_port()}}};
  const int status = run_mount(io, std::move(options), servers, background, std::move(assistants));
  replica.stop();
  return status;
}

int run(Options options) {
  options.appearance.listing_salt = std::random_device{}();
  if (const auto problem = check_mount_point(options.mount_point)) {
    return fail(*problem);
  }
  const bool is_embedded = !options.embedded_directory.empty();
  client::ConnectString servers;
  if (!is_embedded) {
    auto parsed = client::parse_connect_string(options.servers);
    if (!parsed) {
      return fail(parsed.error().sentence);
    }
    servers = std::move(*parsed);
  }
  if (!options.stays_in_foreground) {
    spdlog::set_level(spdlog::level::warn);  // On the terminal of whoever waits for the mount.
  }
  const Background background = options.stays_in_foreground ? Background() : Background::fork();
  Assistants assistants = options.tells_inotify ? Assistants::fork() : Assistants{};
  boost::asio::io_context io(1);
  return is_embedded ? run_embedded(io, std::move(options), background, std::move(assistants))
                     : run_mount(io, std::move(options), std::move(servers), background,
                                 std::move(assistants));
}

}  // namespace
}  // namespace zabfs::fusefs::mount

int main(int count, char** arguments) {
  using namespace zabfs::fusefs::mount;
  spdlog::set_default_logger(spdlog::stderr_logger_mt("zabfs"));
  auto parsed = parse_options(count, arguments);
  hide_credentials(count, arguments);
  if (const auto* exit = std::get_if<Exit>(&parsed)) {
    (exit->status == 0 ? std::cout : std::cerr) << exit->text;
    return exit->status;
  }
  return run(std::get<Options>(std::move(parsed)));
}
