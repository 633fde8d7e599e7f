// zabctl: what an operator asks and does about replicas and their data directories.
#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>

#include "daemon/version.hpp"
#include "daemon/zabctl/commands.hpp"
#include "daemon/zabctl/failure.hpp"

using namespace zabfs::daemon;

int main(int count, char** arguments) {
  CLI::App program(
      "Looks at replicas and their data directories, copies them, and brings data in.");
  program.set_version_flag("--version", "zabctl " + version());
  program.require_subcommand(1);
  program.footer("zabctl COMMAND --help says more; zabctl(8) says all.");
  int status = zabctl::exit_well;
  zabctl::add_status(program, status);
  zabctl::add_log(program, status);
  zabctl::add_snapshot(program, status);
  zabctl::add_verify(program, status);
  zabctl::add_import(program, status);
  zabctl::add_backup(program, status);
  zabctl::add_restore(program, status);
  try {
    program.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? zabctl::exit_well : zabctl::exit_usage;
  } catch (const zabctl::UsageError& error) {
    std::cerr << "zabctl: " << error.what() << "\n";
    return zabctl::exit_usage;
  } catch (const zabctl::Failure& error) {
    std::cout.flush();
    std::cerr << "zabctl: " << error.what() << "\n";
    return zabctl::exit_trouble;
  }
  return status;
}
