#include "fusefs/transactions.hpp"

namespace zabfs::fusefs {

using replication::ErrorCode;
using replication::protocol::CreateRequest;
using replication::protocol::DeleteRequest;
using replication::protocol::MultiError;
using replication::protocol::MultiOperation;
using replication::protocol::MultiResponse;

bool is_directory_by_null_data_only(const std::string& path, const inodes::Node& node) {
  return path != "/" && node.data == inodes::DataKind::null && node.stat.cversion == 0 &&
         node.stat.ephemeral_owner == 0;
}

std::vector<MultiOperation> mark_as_directory(const std::string& path) {
  const std::string child = path + "/@dir";
  return {CreateRequest{.path = child, .acl = replication::open_acl()},
          DeleteRequest{.path = child}};
}

ErrorCode error_of(const MultiResponse& response) {
  for (const auto& result : response.results) {
    const auto* error = std::get_if<MultiError>(&result.body);
    if (error != nullptr && error->error != ErrorCode::ok &&
        error->error != ErrorCode::runtime_inconsistency) {
      return error->error;
    }
  }
  return ErrorCode::ok;
}

}  // namespace zabfs::fusefs
