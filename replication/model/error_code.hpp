// ZooKeeper's error numbers, as replies carry them, with a name and a sentence each.
#pragma once

#include <cstdint>
#include <ostream>
#include <string_view>

namespace zabfs::replication {

enum class ErrorCode : std::int32_t {
  ok = 0,
  system_error = -1,
  runtime_inconsistency = -2,
  data_inconsistency = -3,
  connection_loss = -4,
  marshalling_error = -5,
  unimplemented = -6,
  operation_timeout = -7,
  bad_arguments = -8,
  unknown_session = -12,
  new_config_no_quorum = -13,
  reconfig_in_progress = -14,
  no_node = -101,
  no_auth = -102,
  bad_version = -103,
  no_children_for_ephemerals = -108,
  node_exists = -110,
  not_empty = -111,
  session_expired = -112,
  invalid_callback = -113,
  invalid_acl = -114,
  auth_failed = -115,
  session_moved = -118,
  not_read_only = -119,
  ephemeral_on_local_session = -120,
  no_watcher = -121,
  request_timeout = -122,
  reconfig_disabled = -123,
  session_closed_require_sasl_auth = -124,
  quota_exceeded = -125,
  throttled_op = -127,
};

// The name ZooKeeper's documentation uses ("NoNode"), or "Unknown" for a number not in the table.
std::string_view name_of(ErrorCode code);

// One sentence that a person can act on.
std::string_view sentence_of(ErrorCode code);

inline std::ostream& operator<<(std::ostream& out, ErrorCode code) { return out << name_of(code); }

}  // namespace zabfs::replication
