#include "replication/pipeline/prepare.hpp"

#include <array>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "replication/model/create_mode.hpp"
#include "replication/model/limits.hpp"
#include "replication/model/owner.hpp"
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

std::int64_t size_of(const Data& data) {
  return data ? static_cast<std::int64_t>(data->size()) : 0;
}

// What kind of znode a request asks for.
struct Kind {
  SessionId owner{};  // see model/owner.hpp
  bool sequential{};
};

// create and create2.
template <class Create>
Result<Kind> kind_of(const Create& request, const Client& client, const Rules& /*rules*/) {
  const auto mode = CreateMode::from_flags(request.flags);
  if (!mode) {
    return ErrorCode::bad_arguments;
  }
  return Kind{.owner = mode->ephemeral ? client.session : SessionId{},
              .sequential = mode->sequential};
}

Result<Kind> kind_of(const protocol::CreateContainerRequest& request, const Client& /*client*/,
                     const Rules& /*rules*/) {
  if (request.flags != container_flags) {
    return ErrorCode::bad_arguments;
  }
  return Kind{.owner = owner::container};
}

Result<Kind> kind_of(const protocol::CreateTtlRequest& request, const Client& /*client*/,
                     const Rules& rules) {
  if (request.flags != ttl_flags && request.flags != sequential_ttl_flags) {
    return ErrorCode::bad_arguments;
  }
  if (!rules.has_ttl) {
    return ErrorCode::unimplemented;
  }
  if (request.ttl_ms < 1 || request.ttl_ms > limits::ttl_ms_max) {
    return ErrorCode::bad_arguments;
  }
  return Kind{.owner = owner::with_ttl(request.ttl_ms),
              .sequential = request.flags == sequential_ttl_flags};
}

template <class Create>
Result<tree::CreateNode> prepare_create(Create& request, const Client& client, const Rules& rules,
                                        PendingChanges& pending) {
  const auto kind = kind_of(request, client, rules);
  if (!kind) {
    return kind.error();
  }
  if (!looks_like_a_path(request.path)) {
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
      kind->sequential ? with_sequence(request.path, parent->creates) : std::move(request.path);
  if ((kind->sequential && used_up) || !Path::parse(path)) {
    return ErrorCode::bad_arguments;
  }
  if (pending.find(path)) {
    return ErrorCode::node_exists;
  }
  if (owner::is_session(parent->ephemeral_owner)) {
    return ErrorCode::no_children_for_ephemerals;
  }
  const std::int64_t bytes = size_of(request.data);
  if (rules.enforces_quota && pending.would_pass_quota(path, 1, bytes)) {
    return ErrorCode::quota_exceeded;
  }
  const std::int32_t creates = used_up ? parent->creates : parent->creates + 1;
  pending.create(path, *acl, kind->owner, bytes);
  return tree::CreateNode{.path = std::move(path),
                          .data = std::move(request.data),
                          .acl = std::move(*acl),
                          .ephemeral_owner = kind->owner,
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

// What setData and check have in common: the znode, if `permissions` allow.
Result<FutureNode> find_allowed(const std::string& path, std::int32_t permissions,
                                const Client& client, const PendingChanges& pending) {
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
  return *node;
}

ErrorCode check(const protocol::CheckRequest& request, const Client& client,
                const PendingChanges& pending) {
  const auto node = find_allowed(request.path, permission::read, client, pending);
  if (!node) {
    return node.error();
  }
  return is_version(request.version, node->version) ? ErrorCode::ok : ErrorCode::bad_version;
}

// Which servers there are is changed by reconfig alone: anything else there would be the ensemble
// of the next start.
Result<tree::SetData> prepare_set_data(protocol::SetDataRequest& request, const Client& client,
                                       const Rules& rules, PendingChanges& pending) {
  const auto node = find_allowed(request.path, permission::write, client, pending);
  if (!node) {
    return node.error();
  }
  const std::int64_t bytes = size_of(request.data);
  if (rules.enforces_quota && pending.would_pass_quota(request.path, 0, bytes - node->data_bytes)) {
    return ErrorCode::quota_exceeded;
  }
  if (!is_version(request.version, node->version)) {
    return ErrorCode::bad_version;
  }
  if (request.path == tree::SetEnsemble::path && !rules.is_alone) {
    return ErrorCode::bad_arguments;
  }
  const std::int32_t version = version_after(node->version);
  pending.set_data(request.path, version, bytes);
  return tree::SetData{
      .path = std::move(request.path), .data = std::move(request.data), .version = version};
}

Result<tree::SetAcl> prepare_set_acl(protocol::SetAclRequest& request, const Client& client,
                                     PendingChanges& pending) {
  if (!Path::parse(request.path)) {
    return ErrorCode::bad_arguments;
  }
  auto acl = storable(request.acl, client.identities, client.knows_certificates);
  if (!acl) {
    return acl.error();
  }
  const auto node = pending.find(request.path);
  if (!node) {
    return ErrorCode::no_node;
  }
  if (!is_allowed(*node->acl, permission::admin, client.identities)) {
    return ErrorCode::no_auth;
  }
  if (!is_version(request.version, node->aversion)) {
    return ErrorCode::bad_version;
  }
  const std::int32_t aversion = version_after(node->aversion);
  pending.set_acl(request.path, *acl, aversion);
  return tree::SetAcl{
      .path = std::move(request.path), .acl = std::move(*acl), .aversion = aversion};
}

// One operation of a multi: its change, nullopt for a check, or its error.
class OperationPreparer {
 public:
  using Change = Result<std::optional<tree::NodeChange>>;

  OperationPreparer(const Client& client, const Rules& rules, PendingChanges& pending)
      : client_(client), rules_(rules), pending_(pending) {}

  template <class Create>
  Change operator()(Create& r) {
    return wrap(prepare_create(r, client_, rules_, pending_));
  }
  Change operator()(protocol::DeleteRequest& r) {
    return wrap(prepare_delete(r, client_, pending_));
  }
  Change operator()(protocol::SetDataRequest& r) {
    return wrap(prepare_set_data(r, client_, rules_, pending_));
  }
  Change operator()(protocol::CheckRequest& r) {
    const ErrorCode error = check(r, client_, pending_);
    if (error != ErrorCode::ok) {
      return error;
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
  const Rules& rules_;
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

Prepared prepare_multi(protocol::MultiRequest& request, const Client& client, const Rules& rules,
                       PendingChanges& pending) {
  tree::MultiChange multi;
  multi.changes.reserve(request.operations.size());
  OperationPreparer prepare_operation(client, rules, pending);
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

// One request that needs a transaction.
class RequestPreparer {
 public:
  RequestPreparer(const Client& client, const Rules& rules, PendingChanges& pending)
      : client_(client), rules_(rules), pending_(pending) {}

  Prepared operator()(protocol::CreateRequest& r) { return create(r); }
  Prepared operator()(protocol::Create2Request& r) { return create(r); }
  Prepared operator()(protocol::CreateContainerRequest& r) { return create(r); }
  Prepared operator()(protocol::CreateTtlRequest& r) { return create(r); }
  Prepared operator()(protocol::DeleteRequest& r) {
    return as_prepared(prepare_delete(r, client_, pending_));
  }
  Prepared operator()(protocol::SetDataRequest& r) {
    return as_prepared(prepare_set_data(r, client_, rules_, pending_));
  }
  Prepared operator()(protocol::SetAclRequest& r) {
    return as_prepared(prepare_set_acl(r, client_, pending_));
  }
  Prepared operator()(protocol::MultiRequest& r) {
    return prepare_multi(r, client_, rules_, pending_);
  }
  Prepared operator()(auto& /*other*/) { return ErrorCode::unimplemented; }

 private:
  Prepared create(auto& r) { return as_prepared(prepare_create(r, client_, rules_, pending_)); }

  template <class T>
  static Prepared as_prepared(Result<T> outcome) {
    if (!outcome) {
      return outcome.error();
    }
    return tree::TransactionBody(std::move(*outcome));
  }

  const Client& client_;
  const Rules& rules_;
  PendingChanges& pending_;
};

}  // namespace

Prepared prepare(protocol::Request& request, const Client& client, PendingChanges& pending,
                 const Rules& rules) {
  if (acl_growth(request, client.identities) > limits::acl_growth_bytes_max) {
    return ErrorCode::invalid_acl;
  }
  return std::visit(RequestPreparer(client, rules, pending), request);
}

std::optional<tree::TransactionBody> prepare_removal(const std::string& path,
                                                     const tree::DataTree& tree,
                                                     const tree::RemovalTerms& terms,
                                                     PendingChanges& pending) {
  const tree::Node* present = tree.find(path);
  if (present == nullptr || pending.touches(path) || !tree::is_removal_due(*present, terms)) {
    return std::nullopt;
  }
  pending.remove(path);
  return tree::DeleteNode{.path = path};
}

tree::CloseSession prepare_close(SessionId session, PendingChanges& pending) {
  for (const std::string& path : pending.ephemerals_of(session)) {
    pending.remove(path);
  }
  return {};
}

}  // namespace zabfs::replication::pipeline
