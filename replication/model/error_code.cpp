#include "replication/model/error_code.hpp"

#include <algorithm>
#include <array>

namespace zabfs::replication {
namespace {

struct Row {
  ErrorCode code{};
  std::string_view name{};
  std::string_view sentence{};
};

constexpr Row unknown{{}, "Unknown", "The error number is not one of ZooKeeper's."};

constexpr std::array rows{
    Row{ErrorCode::ok, "OK", "It worked."},
    Row{ErrorCode::system_error, "SystemError", "The server failed; its log says why."},
    Row{ErrorCode::runtime_inconsistency, "RuntimeInconsistency",
        "The operation was not tried, because an earlier one of its multi failed."},
    Row{ErrorCode::data_inconsistency, "DataInconsistency",
        "The server found its data inconsistent; its log says where."},
    Row{ErrorCode::connection_loss, "ConnectionLoss",
        "The connection broke before the answer came, so the outcome is unknown; read, then decide "
        "whether to repeat."},
    Row{ErrorCode::marshalling_error, "MarshallingError",
        "The message could not be decoded; client and server may speak different versions."},
    Row{ErrorCode::unimplemented, "Unimplemented", "The server does not have this operation."},
    Row{ErrorCode::operation_timeout, "OperationTimeout",
        "The answer did not come in time, so the outcome is unknown."},
    Row{ErrorCode::bad_arguments, "BadArguments",
        "The path, the flags or another argument is not legal; correct the request."},
    Row{ErrorCode::unknown_session, "UnknownSession",
        "The server does not know the session; open a new one."},
    Row{ErrorCode::new_config_no_quorum, "NewConfigNoQuorum",
        "The new configuration has no quorum that is up and in sync; start its servers first."},
    Row{ErrorCode::reconfig_in_progress, "ReconfigInProgress",
        "Another reconfiguration is under way; try again when it is done."},
    Row{ErrorCode::no_node, "NoNode", "The znode, or the parent it would need, does not exist."},
    Row{ErrorCode::no_auth, "NoAuth", "The znode's ACL does not allow this to the session."},
    Row{ErrorCode::bad_version, "BadVersion",
        "The znode has another version than the request expects; read it again and retry."},
    Row{ErrorCode::no_children_for_ephemerals, "NoChildrenForEphemerals",
        "An ephemeral znode cannot have children; create below a persistent one."},
    Row{ErrorCode::node_exists, "NodeExists", "A znode with this path exists already."},
    Row{ErrorCode::not_empty, "NotEmpty", "The znode has children; delete them first."},
    Row{ErrorCode::session_expired, "SessionExpired",
        "The session has expired and its ephemeral znodes are gone; open a new one."},
    Row{ErrorCode::invalid_callback, "InvalidCallback", "The client gave no valid callback."},
    Row{ErrorCode::invalid_acl, "InvalidACL",
        "The ACL is empty or has an entry that no authentication scheme accepts."},
    Row{ErrorCode::auth_failed, "AuthFailed", "The server did not accept the credentials."},
    Row{ErrorCode::session_moved, "SessionMoved",
        "The session has moved to another server; use the newer connection."},
    Row{ErrorCode::not_read_only, "NotReadOnly",
        "The server is read-only because it has no quorum; write through another one."},
    Row{ErrorCode::ephemeral_on_local_session, "EphemeralOnLocalSession",
        "A local session cannot own ephemeral znodes; use a global one."},
    Row{ErrorCode::no_watcher, "NoWatcher", "There is no such watch on the znode."},
    Row{ErrorCode::request_timeout, "RequestTimeout",
        "The answer did not come in time, so the outcome is unknown."},
    Row{ErrorCode::reconfig_disabled, "ReconfigDisabled",
        "Reconfiguration is switched off on the server."},
    Row{ErrorCode::session_closed_require_sasl_auth, "SessionClosedRequireSaslAuth",
        "The server requires an authentication that the session does not have."},
    Row{ErrorCode::quota_exceeded, "QuotaExceeded",
        "The quota of the subtree is used up; delete something or raise it."},
    Row{ErrorCode::throttled_op, "ThrottledOp",
        "The server is overloaded and dropped the request; try again later."},
};

constexpr const Row& row_of(ErrorCode code) {
  const auto found = std::ranges::find(rows, code, &Row::code);
  return found == rows.end() ? unknown : *found;
}

}  // namespace

std::string_view name_of(ErrorCode code) { return row_of(code).name; }

std::string_view sentence_of(ErrorCode code) { return row_of(code).sentence; }

}  // namespace zabfs::replication
