// The operations of the client protocol, by ZooKeeper's numbers.
//
// Two of its numbers are missing, because clients may not use them: 20, with which ZooKeeper's
// leader removes containers, and -10, with which its servers open sessions.
#pragma once

#include <cstdint>
#include <string_view>

namespace zabfs::replication::protocol {

enum class OpCode : std::int32_t {
  notification = 0,
  create = 1,
  remove = 2,  // "delete" in ZooKeeper
  exists = 3,
  get_data = 4,
  set_data = 5,
  get_acl = 6,
  set_acl = 7,
  get_children = 8,
  sync = 9,
  ping = 11,
  get_children2 = 12,
  check = 13,
  multi = 14,
  create2 = 15,
  reconfig = 16,
  check_watches = 17,
  remove_watches = 18,
  create_container = 19,
  create_ttl = 21,
  multi_read = 22,
  auth = 100,
  set_watches = 101,
  sasl = 102,
  get_ephemerals = 103,
  get_all_children_number = 104,
  set_watches2 = 105,
  add_watch = 106,
  who_am_i = 107,
  close_session = -11,
  error = -1,
};

// The name used in logs and metrics, "unknown" for a number we do not serve.
std::string_view name_of(OpCode op);

// True for an operation that changes state through a transaction; false for reads, and for numbers
// we do not serve.
bool is_write(OpCode op);

}  // namespace zabfs::replication::protocol
