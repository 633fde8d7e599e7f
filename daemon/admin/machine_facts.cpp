#include "daemon/admin/machine_facts.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string_view>

#include "daemon/admin/java_text.hpp"

namespace zabfs::daemon::admin {
namespace {

std::string megabytes(std::uint64_t bytes) { return std::to_string(bytes >> 20) + "MB"; }

}  // namespace

std::uint64_t bytes_below(const std::string& directory) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator file(directory, error), end; !error && file != end;
       file.increment(error)) {
    std::error_code gone;  // Files are removed at any time.
    const auto size = file->file_size(gone);
    bytes += gone ? 0 : size;
  }
  return bytes;
}

// A snapshot's name ends with the zxid; see docs/storage_format.md.
NewestSnapshot newest_snapshot(const std::string& directory) {
  constexpr std::string_view beginning = "snapshot.";
  constexpr std::size_t digits = 16;
  std::string newest;
  NewestSnapshot found;
  std::error_code error;
  for (std::filesystem::directory_iterator file(directory, error), end; !error && file != end;
       file.increment(error)) {
    const std::string name = file->path().filename().string();
    struct stat status {};
    if (name.starts_with(beginning) && name.size() > beginning.size() + digits && name > newest &&
        ::stat(file->path().c_str(), &status) == 0) {
      const char* const last = name.data() + name.size();
      if (std::from_chars(last - digits, last, found.zxid, 16).ptr == last) {
        newest = name;
        found.written_at = status.st_mtim.tv_sec;
        found.bytes = static_cast<std::uint64_t>(status.st_size);
        found.path = file->path().string();
      }
    }
  }
  return found;
}

KeyValues configuration_lines(const Settings& settings) {
  KeyValues lines{
      {"clientPort", std::to_string(settings.client_port)},
      {"secureClientPort", std::to_string(settings.secure_client_port)},
      {"dataDir", settings.data_directory},
      {"dataDirSize", std::to_string(bytes_below(settings.data_directory))},
      {"dataLogDir", settings.log_directory},
      {"dataLogSize", std::to_string(bytes_below(settings.log_directory))},
      {"tickTime", std::to_string(settings.tick_ms)},
      {"maxClientCnxns", std::to_string(settings.connections_per_address_max)},
      {"minSessionTimeout", std::to_string(settings.session_timeout_min_ms)},
      {"maxSessionTimeout", std::to_string(settings.session_timeout_max_ms)},
      {"clientPortListenBacklog", std::to_string(settings.listen_backlog)},
      {"serverId", std::to_string(settings.server_id)},
  };
  const auto self = std::ranges::find(settings.members, settings.server_id,
                                      [](const MemberFacts& member) { return member.id.value; });
  if (self != settings.members.end()) {
    lines.insert(lines.end(), {{"initLimit", std::to_string(settings.init_ticks)},
                               {"syncLimit", std::to_string(settings.sync_ticks)},
                               {"electionAlg", "3"},
                               {"electionPort", std::to_string(self->election_port)},
                               {"quorumPort", std::to_string(self->port)},
                               {"peerType", self->is_observer ? "1" : "0"}});
  }
  return lines;
}

std::string membership_text(const Settings& settings) {
  std::string out;
  for (const MemberFacts& member : settings.members) {
    out += "server." + std::to_string(member.id.value) + "=" + member.host + ":" +
           std::to_string(member.port) + ":" + std::to_string(member.election_port) +
           (member.is_observer ? ":observer" : ":participant") +
           (member.client_address.empty() ? "" : ";" + member.client_address) + "\n";
  }
  return out + "version=" + hexadecimal(settings.ensemble_version.value);
}

KeyValues environment(const Facts& facts) {
  utsname system{};
  ::uname(&system);
  const auto* user = ::getpwuid(::getuid());
  std::error_code unknown;
  struct sysinfo memory {};
  ::sysinfo(&memory);
  return {
      {"zookeeper.version", facts.version},
      {"host.name", facts.host},
      {"os.name", system.sysname},
      {"os.arch", system.machine},
      {"os.version", system.release},
      {"user.name", user != nullptr ? user->pw_name : std::to_string(::getuid())},
      {"user.home", user != nullptr ? user->pw_dir : ""},
      {"user.dir", std::filesystem::current_path(unknown).string()},
      {"os.memory.free", megabytes(std::uint64_t{memory.freeram} * memory.mem_unit)},
      {"os.memory.max", megabytes(std::uint64_t{memory.totalram} * memory.mem_unit)},
      {"os.memory.total", megabytes(std::uint64_t{memory.totalram} * memory.mem_unit)},
  };
}

}  // namespace zabfs::daemon::admin
