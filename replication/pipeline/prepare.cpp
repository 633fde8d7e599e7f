#include "replication/pipeline/prepare.hpp"

#include <array>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "replication/model/create_mode.hpp"
#include "replication/model/limits.hpp"
#include "replication/model/path.hpp"
#include "replication/pipeline/access.hpp"

namespace zabfs::replication::pipeline {
namespace {

bool looks_like_a_path(std::string_view path) {
  return path.find('/') != std::string_view::npos && path.find('\0') == std::string_view::npos;
}

bool is_built_in(std::string_view path) {
  return path == "/" || path == "/zookeeper" || path == "/zookeeper/quota" ||
         path == "/zookeeper/config";
}

// ZooKeeper appends the number of children ever created in the parent, as ten digits.
std::string with_sequence(const std::string& path, std::int32_t number) {
  std::array<char, 16> digits{};
  std::snprintf(digits.data(), digits.size(), "%010d", number);
  return path + digits.data();
}

// The version after a change. -1 means "any" in requests, so no znode ever has it (ZooKeeper 3.10).
std::int32_t version_after(std::int32_t version) {
  if (version == std::numeric_limits<std::int32_t>::max()) {
    return std::numeric_limits<std::int32_t>::min();
  }
  return version == -2 ? 0 : version + 1;
}

bool is_version(std::int32_t wanted, std::int32_t present) {
  return wanted == -1 || wanted == present;
}

template <class Create>
Result<tree::CreateNode> prepare_create(Create& request, const Client& client,
                                        PendingChanges& pending) {
  const auto mode = CreateMode::from_flags(request.flags);
  if (!mode || !looks_like_a_path(request.path)) {
    return ErrorCode::bad_arguments;
  }
  auto acl = storable(request.acl, client.identities, client.knows_certificates);
  if (!acl) {
    return acl.error();
  }
  const auto parent = pending.find(parent_of(request.path));
  if (!parent) {
    return ErrorCode::no_node;
  }
  if (!is_allowed(*parent->acl, permission::create, client.identities)) {
    return ErrorCode::no_auth;
  }
  // A counter that is used up would give out its last number again (ZooKeeper's sticks there too).
  const bool used_up = parent->creates == std::numeric_limits<std::int32_t>::max();
  std::string path =
      mode->sequential ? with_sequence(request.path, parent->creates) : std::move(request.path);
  if ((mode->sequential && used_up) || !Path::parse(path)) {
    return ErrorCode::bad_arguments;
  }
  if (pending.find(path)) {
    return ErrorCode::node_exists;
  }
  if (parent->ephemeral_owner != SessionId{}) {
    return ErrorCode::no_children_for_ephemerals;
  }
  const SessionId owner = mode->ephemeral ? client.session : SessionId{};
  const std::int32_t creates = used_up ? parent->creates : parent->creates + 1;
  pending.create(path, *acl, owner);
  return tree::CreateNode{.path = std::move(path),
                          .data = std::move(request.data),
                          .acl = std::move(*acl),
                          .ephemeral_owner = owner,
                          .parent_creates = creates};
}

Result<tree::DeleteNode> prepare_delete(protocol::DeleteRequest& request, const Client& client,
                                        PendingChanges& pending) {
  if (is_built_in(request.path) || !looks_like_a_path(request.path)) {
    return ErrorCode::bad_arguments;
  }
  const auto parent = pending.find(parent_of(request.path));
  if (!parent) {
    return ErrorCode::no_node;
  }
  if (!is_allowed(*parent->acl, permission::remove, client.identities)) {
    return ErrorCode::no_auth;
  }
  const auto node = pending.find(request.path);
  if (!node) {
    return ErrorCode::no_node;
  }
  if (!is_version(request.version, node->version)) {
    return ErrorCode::bad_version;
  }
  if (node->num_children != 0) {
    return ErrorCode::not_empty;
  }
  pending.remove(request.path);
  return tree::DeleteNode{.path = std::move(request.path)};
}

// What setData and check have in common: the znode, if `permissions` and `version` allow.
Result<FutureNode> find_versioned(const std::string& path, std::int32_t permissions,
                                  std::int32_t version, const Client& client,
                                  const PendingChanges& pending) {
  if (!Path::parse(path)) {
    return ErrorCode::bad_arguments;
  }
  const auto node = pending.find(path);
  if (!node) {
    return ErrorCode::no_node;
  }
  if (!is_allowed(*node->acl, permissions, client.identities)) {
    return ErrorCode::no_auth;
  }
  if (!is_version(version, node->version)) {
    return ErrorCode::bad_version;
  }
  return *node;
}

Result<tree::SetData> prepare_set_data(protocol::SetDataRequest& request, const Client& client,
                                       PendingChanges& pending) {
  const auto node =
      find_versioned(request.path, permission::write, request.version, client, pending);
  if (!node) {
    return node.error();
  }
  const std::int32_t version = version_after(node->version);
  pending.set_version(request.path, version);
  return tree::SetData{
      .path = std::move(request.path), .data = std::move(request.data), .version = version};
}

// One operation of a multi: its change, nullopt for a check, or its error.
class OperationPreparer {
 public:
  using Change = Result<std::optional<tree::NodeChange>>;

  OperationPreparer(const Client& client, PendingChanges& pending)
      : client_(client), pending_(pending) {}

  Change operator()(protocol::CreateRequest& r) {
    return wrap(prepare_create(r, client_, pending_));
  }
  Change operator()(protocol::Create2Request& r) {
    return wrap(prepare_create(r, client_, pending_));
  }
  Change operator()(protocol::CreateContainerRequest&) { return ErrorCode::unimplemented; }
  Change operator()(protocol::CreateTtlRequest&) { return ErrorCode::unimplemented; }
  Change operator()(protocol::DeleteRequest& r) {
    return wrap(prepare_delete(r, client_, pending_));
  }
  Change operator()(protocol::SetDataRequest& r) {
    return wrap(prepare_set_data(r, client_, pending_));
  }
  Change operator()(protocol::CheckRequest& r) {
    const auto node = find_versioned(r.path, permission::read, r.version, client_, pending_);
    if (!node) {
      return node.error();
    }
    return std::optional<tree::NodeChange>{};
  }

 private:
  template <class T>
  static Change wrap(Result<T> outcome) {
    if (!outcome) {
      return outcome.error();
    }
    return std::optional<tree::NodeChange>(std::move(*outcome));
  }

  const Client& client_;
  PendingChanges& pending_;
};

// ok before the operation that failed, its own error there, runtime_inconsistency behind it.
protocol::MultiResponse failed_multi(std::size_t operations, std::size_t failed, ErrorCode error) {
  protocol::MultiResponse response;
  response.results.reserve(operations);
  for (std::size_t i = 0; i < operations; ++i) {
    const ErrorCode result = i < failed    ? ErrorCode::ok
                             : i == failed ? error
                                           : ErrorCode::runtime_inconsistency;
    response.results.push_back(
        {.op = protocol::OpCode::error, .body = protocol::MultiError{.error = result}});
  }
  return response;
}

Prepared prepare_multi(protocol::MultiRequest& request, const Client& client,
                       PendingChanges& pending) {
  tree::MultiChange multi;
  multi.changes.reserve(request.operations.size());
  OperationPreparer prepare_operation(client, pending);
  for (std::size_t i = 0; i < request.operations.size(); ++i) {
    auto change = std::visit(prepare_operation, request.operations[i]);
    if (!change) {
      pending.rollback();
      return failed_multi(request.operations.size(), i, change.error());
    }
    if (*change) {
      multi.changes.push_back(std::move(**change));
    }
  }
  return tree::TransactionBody(std::move(multi));
}

template <class T>
Prepared as_prepared(Result<T> outcome) {
  if (!outcome) {
    return outcome.error();
  }
  return tree::TransactionBody(std::move(*outcome));
}

}  // namespace

Prepared prepare(protocol::Request& request, const Client& client, PendingChanges& pending) {
  using namespace protocol;
  if (acl_growth(request, client.identities) > limits::acl_growth_bytes_max) {
    return ErrorCode::invalid_acl;
  }
  if (auto* create = std::get_if<CreateRequest>(&request)) {
    return as_prepared(prepare_create(*create, client, pending));
  }
  if (auto* create = std::get_if<Create2Request>(&request)) {
    return as_prepared(prepare_create(*create, client, pending));
  }
  if (auto* remove = std::get_if<DeleteRequest>(&request)) {
    return as_prepared(prepare_delete(*remove, client, pending));
  }
  if (auto* set = std::get_if<SetDataRequest>(&request)) {
    return as_prepared(prepare_set_data(*set, client, pending));
  }
  if (auto* multi = std::get_if<MultiRequest>(&request)) {
    return prepare_multi(*multi, client, pending);
  }
  return ErrorCode::unimplemented;
}

tree::CloseSession prepare_close(SessionId session, PendingChanges& pending) {
  for (const std::string& path : pending.ephemerals_of(session)) {
    pending.remove(path);
  }
  return {};
}

}  // namespace zabfs::replication::pipeline
