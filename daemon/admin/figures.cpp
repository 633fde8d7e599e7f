#include "daemon/admin/figures.hpp"

#include <dirent.h>
#include <sys/resource.h>

#include <algorithm>

namespace zabfs::daemon::admin {

using replication::Distribution;
using replication::ServerRole;
using replication::Unit;

namespace {

constexpr std::uint64_t us_per_ms = 1'000;

std::int64_t number(std::uint64_t value) { return static_cast<std::int64_t>(value); }

std::int64_t open_files() {
  std::int64_t count = 0;
  DIR* const directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) {
    return -1;
  }
  while (::readdir(directory) != nullptr) {
    ++count;
  }
  ::closedir(directory);
  return count - 3;  // ".", ".." and the directory itself
}

std::int64_t open_files_max() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? number(limit.rlim_cur) : -1;
}

double shown_average(const Distribution& distribution) {
  return distribution.unit() == Unit::microseconds
             ? distribution.average() / static_cast<double>(us_per_ms)
             : distribution.average();
}

void add_leader(const Facts& facts, std::vector<Gauge>& to) {
  const auto& replica = facts.replica;
  to.push_back({"learners", "Learners of this leader, also those that are behind",
                number(replica.learners + replica.learners_behind)});
  to.push_back({"synced_followers", "Followers that are up to date",
                number(replica.learners - replica.observers)});
  to.push_back({"synced_observers", "Observers that are up to date", number(replica.observers)});
  to.push_back({"synced_non_voting_followers", "Always 0: followers vote", std::int64_t{0}});
  to.push_back({"pending_syncs", "Learners that are being brought up to date",
                number(replica.learners_behind)});
  to.push_back({"leader_uptime", "For how long this server has been leading, milliseconds",
                facts.now_ms - replica.serving_since_ms});
}

void add_extent(const replication::Extent& extent, std::vector<Gauge>& to) {
  const std::string name(extent.name());
  to.push_back({"last_" + name, extent.meaning(), extent.last()});
  to.push_back({"min_" + name, extent.meaning(), extent.min()});
  to.push_back({"max_" + name, extent.meaning(), extent.max()});
}

}  // namespace

std::string_view mode(const Facts& facts) {
  if (facts.is_standalone) {
    return "standalone";
  }
  switch (facts.replica.role) {
    case ServerRole::leading:
      return "leader";
    case ServerRole::following:
      return "follower";
    case ServerRole::observing:
      return "observer";
    case ServerRole::looking:
      break;
  }
  return "leaderelection";
}

std::string peer_state(const Facts& facts) {
  switch (facts.replica.role) {
    case ServerRole::leading:
      return "leading - broadcast";
    case ServerRole::following:
      return "following - broadcast";
    case ServerRole::observing:
      return "observing - broadcast";
    case ServerRole::looking:
      break;
  }
  return "looking - election";
}

std::uint64_t shown(const Distribution& distribution, std::uint64_t value) {
  return distribution.unit() == Unit::microseconds ? (value + us_per_ms / 2) / us_per_ms : value;
}

Latency request_latency(const replication::Metrics& metrics) {
  const Distribution& reads = metrics.readlatency;
  const Distribution& updates = metrics.updatelatency;
  const auto count = reads.count() + updates.count();
  if (count == 0) {
    return {};
  }
  const auto min = reads.count() == 0     ? updates.min()
                   : updates.count() == 0 ? reads.min()
                                          : std::min(reads.min(), updates.min());
  return {.min = shown(reads, min),
          .average = static_cast<double>(reads.sum() + updates.sum()) /
                     static_cast<double>(count * us_per_ms),
          .max = shown(reads, std::max(reads.max(), updates.max()))};
}

std::vector<Gauge> gauges(const Subject& subject) {
  const Facts facts = subject.facts();
  const auto& replica = facts.replica;
  const Latency latency = request_latency(subject.metrics());
  std::vector<Gauge> all{
      {"avg_latency", "Milliseconds from a request to its reply", latency.average},
      {"min_latency", "Milliseconds from a request to its reply", number(latency.min)},
      {"max_latency", "Milliseconds from a request to its reply", number(latency.max)},
      {"packets_received", "Requests", number(replica.requests_received)},
      {"packets_sent", "Replies", number(replica.replies_sent)},
      {"num_alive_connections", "Connections of clients", number(replica.connections)},
      {"outstanding_requests", "Requests without a reply", number(replica.requests_outstanding)},
      {"uptime", "Milliseconds since the start", facts.uptime_ms},
      {"znode_count", "Znodes", number(replica.znodes)},
      {"watch_count", "Watches", number(replica.watches)},
      {"ephemerals_count", "Ephemeral znodes", number(replica.ephemerals)},
      {"approximate_data_size", "Bytes of all data and all paths", number(replica.data_bytes)},
      {"global_sessions", "Sessions of the ensemble", number(replica.sessions)},
      {"local_sessions", "Always 0: there are none", std::int64_t{0}},
      {"open_file_descriptor_count", "Open files", open_files()},
      {"max_file_descriptor_count", "Files that may be open", open_files_max()},
  };
  add_extent(subject.metrics().client_response_size, all);
  if (!facts.is_standalone) {
    all.push_back({"quorum_size", "Servers that vote", number(replica.voters)});
    if (replica.role == ServerRole::leading) {
      add_leader(facts, all);
      add_extent(subject.metrics().proposal_size, all);
    }
  }
  return all;
}

std::vector<Gauge> monitored(const Subject& subject) {
  const Facts facts = subject.facts();
  std::vector<Gauge> all{
      {"version", "", facts.version},
      {"server_state", "", std::string(mode(facts))},
  };
  if (!facts.is_standalone) {
    all.push_back({"peer_state", "", peer_state(facts)});
  }
  std::ranges::move(gauges(subject), std::back_inserter(all));
  for (const auto* counter : subject.metrics().counters()) {
    all.push_back({std::string(counter->name()), counter->meaning(), number(counter->value())});
  }
  for (const auto* one : subject.metrics().distributions()) {
    const std::string name(one->name());
    all.push_back({"avg_" + name, one->meaning(), shown_average(*one)});
    all.push_back({"min_" + name, one->meaning(), number(shown(*one, one->min()))});
    all.push_back({"max_" + name, one->meaning(), number(shown(*one, one->max()))});
    all.push_back({"cnt_" + name, one->meaning(), number(one->count())});
    all.push_back({"sum_" + name, one->meaning(), number(shown(*one, one->sum()))});
    if (one->detail() == replication::Detail::percentiles) {
      for (const auto& [prefix, part] : percentiles) {
        all.push_back({std::string(prefix) + "_" + name, one->meaning(),
                       number(shown(*one, one->percentile(part)))});
      }
    }
  }
  return all;
}

}  // namespace zabfs::daemon::admin
