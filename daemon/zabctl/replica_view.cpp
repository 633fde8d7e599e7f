#include "daemon/zabctl/replica_view.hpp"

#include <charconv>
#include <limits>
#include <utility>
#include <variant>

#include "daemon/config_value.hpp"
#include "daemon/zabctl/presentation.hpp"
#include "replication/model/ensemble_text.hpp"

namespace zabfs::daemon::zabctl {

using replication::Zxid;

namespace {

constexpr std::string_view not_serving =
    "This ZooKeeper instance is not currently serving requests";

std::optional<std::int64_t> integer(std::string_view text) {
  return number_in(trimmed(text), {0, std::numeric_limits<std::int64_t>::max()});
}

std::optional<Zxid> zxid_of(std::string_view digits) {
  Zxid zxid;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), zxid.value, 16);
  return error == std::errc{} && end == digits.data() + digits.size() ? std::optional(zxid)
                                                                      : std::nullopt;
}

// Calls `visit(key, value)` for every line that `separator` divides.
template <class Visit>
void for_each_pair(std::string_view answer, char separator, Visit visit) {
  while (!answer.empty()) {
    const auto end = std::min(answer.find('\n'), answer.size());
    const std::string_view line = answer.substr(0, end);
    answer.remove_prefix(std::min(end + 1, answer.size()));
    if (const auto at = line.find(separator); at != std::string_view::npos) {
      visit(line.substr(0, at), trimmed(line.substr(at + 1)));
    }
  }
}

}  // namespace

void read_srvr(std::string_view answer, ReplicaView& view) {
  view.is_reached = true;
  if (answer.starts_with(not_serving)) {
    view.trouble = "does not serve: it has no quorum, or is still catching up";
    return;
  }
  for_each_pair(answer, ':', [&](std::string_view key, std::string_view value) {
    if (key == "Zookeeper version") {
      view.version = printable(value.substr(0, value.find(',')));
    } else if (key == "Latency min/avg/max") {
      view.latency_ms = printable(value);
    } else if (key == "Connections") {
      view.connections = integer(value);
    } else if (key == "Outstanding") {
      view.outstanding = integer(value);
    } else if (key == "Node count") {
      view.znodes = integer(value);
    } else if (key == "Mode") {
      view.mode = printable(value);
    } else if (key == "Zxid" && value.starts_with("0x")) {
      view.zxid = zxid_of(value.substr(2)).value_or(Zxid{});
    }
  });
  if (view.mode.empty()) {
    view.trouble = answer.empty() ? "closes the connection without an answer"
                                  : "answers: " + printable(answer.substr(0, 200));
  } else if (view.mode == "leaderelection") {
    view.trouble = "does not serve: it looks for a leader";
  }
  view.is_serving = view.trouble.empty();
}

void read_mntr(std::string_view answer, ReplicaView& view) {
  for_each_pair(answer, '\t', [&](std::string_view key, std::string_view value) {
    if (key == "zk_global_sessions") {
      view.sessions = integer(value);
    } else if (key == "zk_digest_mismatches_count") {
      view.digest_mismatches = integer(value);
    }
  });
}

void read_hash(std::string_view answer, ReplicaView& view) {
  for_each_pair(answer, ':', [&](std::string_view key, std::string_view value) {
    if (const auto zxid = zxid_of(key)) {
      view.digests[*zxid] = printable(value);
    }
  });
}

// The lines of the ensemble stand at the end, behind one that says so.
void read_conf(std::string_view answer, ReplicaView& view) {
  constexpr std::string_view heading = "membership: \n";
  const auto at = answer.find(heading);
  for_each_pair(answer.substr(0, at), '=', [&](std::string_view key, std::string_view value) {
    if (const auto id = integer(value); key == "serverId" && id && *id > 0) {
      view.id = replication::ServerId{*id};
    }
  });
  if (at == answer.npos) {
    return;
  }
  auto parsed = replication::parse_ensemble(answer.substr(at + heading.size()));
  auto* ensemble = std::get_if<replication::Ensemble>(&parsed);
  if (ensemble != nullptr && !replication::mistake_in(*ensemble)) {
    view.ensemble = std::move(*ensemble);
  }
}

}  // namespace zabfs::daemon::zabctl
