// Arbitrary bytes as a configuration file: either a configuration that keeps every bound, or at
// least one error, each in one line.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "daemon/config.hpp"
#include "replication/model/check.hpp"

using namespace zabfs::daemon;
namespace limits = zabfs::replication::limits;

namespace {

void check_ensemble(const EnsembleConfig& ensemble) {
  bool has_vote = ensemble.members.empty();
  for (const auto& [id, member] : ensemble.members) {
    CHECK(id.value >= 1 && id.value <= limits::server_id_max, id);
    CHECK(!member.host.empty() && member.port != 0);
    has_vote = has_vote || (!member.is_observer && member.weight > 0);
  }
  CHECK(has_vote);
  std::size_t grouped = 0;
  for (const auto& [group, servers] : ensemble.groups) {
    CHECK(!servers.empty());
    grouped += servers.size();
    for (const auto server : servers) {
      CHECK(ensemble.members.contains(server), server);
    }
  }
  CHECK(grouped <= ensemble.members.size());
  CHECK(ensemble.peer_timeout_ms >= limits::peer_timeout_ms_min);
  CHECK(ensemble.secret.empty() && ensemble.self.value == 0, "no file but the text was read");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto result = parse_config(text, "zoo.cfg");
  if (const auto* errors = std::get_if<ConfigErrors>(&result)) {
    CHECK(!errors->empty());
    for (const auto& error : *errors) {
      CHECK(error.starts_with("zoo.cfg:") && error.find('\n') == error.npos, error);
    }
    return 0;
  }
  const auto& config = std::get<Config>(result);
  CHECK(!config.data_directory.empty() && !config.log_directory.empty());
  CHECK(config.session_timeout_min_ms <= config.session_timeout_max_ms);
  CHECK(config.snapshots_kept >= limits::snapshots_kept_min);
  CHECK(config.clients.connections_max > 0 && config.clients.connections_max <= limits::connections_max);
  check_ensemble(config.ensemble);
  return 0;
}
