// zabd: one replica as a service.
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <iostream>
#include <variant>

#include "daemon/config.hpp"
#include "daemon/server.hpp"
#include "daemon/version.hpp"

using namespace zabfs::daemon;

namespace {

constexpr int exit_failure = 1;
constexpr int exit_bad_configuration = 2;

// Every client is an open file. As the Java runtime does, take as many as the system allows.
void raise_open_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

int serve(const Config& config) {
  boost::asio::io_context context(1);
  boost::asio::signal_set signals(context, SIGINT, SIGTERM);
  Server server(context, config, [] { ::sd_notify(0, "READY=1"); });
  if (const auto why = server.start()) {
    std::cerr << "zabd: " << *why << "\n";
    return exit_failure;
  }
  signals.async_wait([&](const boost::system::error_code& /*error*/, int /*signal*/) {
    ::sd_notify(0, "STOPPING=1");
    server.stop();
    context.stop();
  });
  context.run();
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  CLI::App app("One replica of a coordination service that speaks ZooKeeper's client protocol.");
  std::string file;
  app.add_option("CONFIG", file, "a configuration file as ZooKeeper's zoo.cfg")->required();
  app.set_version_flag("--version", "zabd " + version());
  app.footer(
      "Three lines are enough:\n  dataDir=/var/lib/zabd\n  clientPort=2181\n  tickTime=2000\n"
      "zabd(8) lists every key. Ends with SIGTERM or SIGINT.");
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_bad_configuration;
  }
  const auto config = read_config(file);
  if (const auto* errors = std::get_if<ConfigErrors>(&config)) {
    for (const auto& error : *errors) {
      std::cerr << error << "\n";
    }
    return exit_bad_configuration;
  }
  raise_open_file_limit();
  std::signal(SIGPIPE, SIG_IGN);  // Whoever read the log may go; the service stays.
  return serve(std::get<Config>(config));
}
