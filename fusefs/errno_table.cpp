#include "fusefs/errno_table.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "fusefs/failure.hpp"

namespace zabfs::fusefs {
namespace {

using naming::Refusal;
using replication::ErrorCode;

constexpr std::array rows{
    ErrnoRow{ErrorCode::ok, 0, "no error"},
    ErrnoRow{ErrorCode::system_error, EIO, "the server failed for a reason of its own"},
    ErrnoRow{ErrorCode::runtime_inconsistency, ECANCELED,
             "not tried, because another operation of the same transaction failed"},
    ErrnoRow{ErrorCode::data_inconsistency, EIO, "the server's data is damaged"},
    ErrnoRow{ErrorCode::connection_loss, ETIMEDOUT,
             "sent, and no answer came: it may or may not have happened"},
    ErrnoRow{ErrorCode::marshalling_error, EPROTO, "the two sides do not understand each other"},
    ErrnoRow{ErrorCode::unimplemented, ENOTSUP, "the server does not have this operation"},
    ErrnoRow{ErrorCode::operation_timeout, EHOSTDOWN,
             "not sent, because no server was reached: it did not happen"},
    ErrnoRow{ErrorCode::bad_arguments, EINVAL, "not a legal name, value or flag of a znode"},
    ErrnoRow{ErrorCode::unknown_session, ENOLINK, "the session is gone, as when it expired"},
    ErrnoRow{ErrorCode::new_config_no_quorum, EBUSY,
             "the servers of the new configuration are not ready"},
    ErrnoRow{ErrorCode::reconfig_in_progress, EBUSY, "another reconfiguration is under way"},
    ErrnoRow{ErrorCode::no_node, ENOENT, "no such znode, or no such parent"},
    ErrnoRow{ErrorCode::no_auth, EACCES, "the ACL does not allow it"},
    ErrnoRow{ErrorCode::bad_version, ESTALE,
             "another version than the condition names: read again, then decide"},
    ErrnoRow{ErrorCode::no_children_for_ephemerals, ENOTDIR,
             "an ephemeral znode is a file for ever"},
    ErrnoRow{ErrorCode::node_exists, EEXIST, "somebody else created it first"},
    ErrnoRow{ErrorCode::not_empty, ENOTEMPTY, "it has children"},
    ErrnoRow{ErrorCode::session_expired, ENOLINK,
             "the session is gone and everything held through it"},
    ErrnoRow{ErrorCode::invalid_callback, EINVAL, "a defect of the client, not of the request"},
    ErrnoRow{ErrorCode::invalid_acl, EINVAL, "no legal ACL"},
    ErrnoRow{ErrorCode::auth_failed, EACCES, "the mount's credentials were refused"},
    ErrnoRow{ErrorCode::session_moved, EHOSTDOWN,
             "refused on a connection that the session has left: it did not happen"},
    ErrnoRow{ErrorCode::not_read_only, EROFS, "the server is read-only: it has lost its quorum"},
    ErrnoRow{ErrorCode::ephemeral_on_local_session, ENOTSUP,
             "a local session can own no ephemeral znode"},
    ErrnoRow{ErrorCode::no_watcher, EINVAL, "there is no such watch to remove"},
    ErrnoRow{ErrorCode::request_timeout, ETIMEDOUT,
             "the server gave up waiting: it may or may not have happened"},
    ErrnoRow{ErrorCode::reconfig_disabled, EPERM, "switched off in the server's configuration"},
    ErrnoRow{ErrorCode::session_closed_require_sasl_auth, EACCES,
             "the server wants credentials that the mount does not have"},
    ErrnoRow{ErrorCode::quota_exceeded, EDQUOT, "the quota of a directory above it is used up"},
    ErrnoRow{ErrorCode::throttled_op, EBUSY, "the server is overloaded: it did not happen"},
};

}  // namespace

std::span<const ErrnoRow> errno_rows() { return rows; }

std::string_view reason_of(const Failure& failure) {
  const auto row = std::ranges::find(rows, failure.code, &ErrnoRow::code);
  if (failure.code == ErrorCode::ok) {
    return ::strerrordesc_np(failure.errno_value);
  }
  return row == rows.end() ? "the server refused it" : row->reason;
}

int errno_of(ErrorCode code) {
  const auto row = std::ranges::find(rows, code, &ErrnoRow::code);
  return row == rows.end() ? EIO : row->number;
}

int errno_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::name_too_long:
    case Refusal::name_unknown:  // What it stands for is too long to be given.
      return ENAMETOOLONG;
    case Refusal::illegal_combination:
    case Refusal::illegal_value:
    case Refusal::nothing_to_create:
      return EINVAL;
    case Refusal::view_of_a_view:  // Like any name that nothing has: it does not exist.
      return ENOENT;
  }
  return EINVAL;
}

}  // namespace zabfs::fusefs
