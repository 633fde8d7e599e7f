#include "daemon/zabctl/new_data_directory.hpp"

#include "daemon/zabctl/new_file.hpp"
#include "daemon/zabctl/presentation.hpp"
#include "replication/store/epochs.hpp"
#include "replication/store/layout.hpp"
#include "replication/store/snapshot_format.hpp"
#include "replication/tree/snapshot_writer.hpp"

namespace zabfs::daemon::zabctl {

using namespace replication::store;
using replication::Bytes;
using replication::Zxid;

namespace {

constexpr Generation generation{};

void write_snapshot(const std::string& directory, NewState& state) {
  const Zxid zxid = state.tree.last_applied();
  const SnapshotId id{generation, zxid};
  NewFile file(directory, snapshot_name(id));
  SnapshotEncoder encoder;
  file.write(encoder.header(id));
  replication::tree::SnapshotWriter writer(state.tree, state.sessions.to_bytes());
  Bytes slice;
  for (bool has_more = true; has_more;) {
    slice.clear();
    has_more = writer.next_slice(slice);
    file.write(encoder.slice(slice));
  }
  file.write(encoder.trailer(zxid));
  file.finish();
}

struct Place {
  std::string data{};
  std::string log{};
  std::int64_t server_id{};
};

std::vector<Place> places_of(const NewServers& servers) {
  if (servers.members.empty()) {
    return {{servers.data, servers.log, servers.server_id}};
  }
  std::vector<Place> places;
  for (const std::int64_t id : servers.members) {
    places.push_back({servers.data + "/server." + std::to_string(id), "", id});
  }
  return places;
}

void make_one(const Place& place, NewState& state) {
  make_empty_directory(place.data);
  if (!place.log.empty()) {
    make_empty_directory(place.log);
  }
  const Zxid zxid = state.tree.last_applied();
  if (place.server_id != 0) {
    NewFile file(place.data, "myid");
    file.write(replication::bytes_of(std::to_string(place.server_id) + "\n"));
    file.finish();
  }
  write_snapshot(place.data, state);
  NewFile epochs(place.data, epochs_file);
  epochs.write(encode(EpochRecord{.epochs = {.accepted = state.epoch, .current = state.epoch},
                                  .generation = generation,
                                  .origin = zxid}));
  epochs.finish();
  const auto read_back = load_directory(ReadOnlyDirectory(place.data, place.log));
  if (read_back->tree.digest() != state.tree.digest() ||
      read_back->sessions.digest() != state.sessions.digest() ||
      read_back->tree.last_applied() != zxid) {
    throw Failure(place.data +
                  " does not read back as what was written. Look after the disk; do not use it.");
  }
}

}  // namespace

std::string fingerprint(const NewState& state) {
  return hex(state.tree.last_applied()).substr(2) + "-" +
         hex(state.tree.digest() + state.sessions.digest()).substr(2);
}

void check_new_servers(const NewServers& servers) {
  for (const Place& place : places_of(servers)) {
    check_empty(place.data);
    if (!place.log.empty()) {
      check_empty(place.log);
    }
  }
}

std::vector<std::string> make_servers(const NewServers& servers, NewState& state) {
  check_new_servers(servers);
  std::vector<std::string> made;
  for (const Place& place : places_of(servers)) {
    make_one(place, state);
    made.push_back(place.data);
  }
  return made;
}

}  // namespace zabfs::daemon::zabctl
