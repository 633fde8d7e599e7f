#include "replication/pipeline/audited_operation.hpp"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>
#include <variant>

#include "replication/pipeline/access.hpp"

namespace zabfs::replication::pipeline {
namespace {

using namespace protocol;

std::string_view type_of(std::int32_t flags) {
  constexpr std::array<std::string_view, 7> types{
      "persistent", "ephemeral",           "persistent_sequential",         "ephemeral_sequential",
      "container",  "persistent_with_ttl", "persistent_sequential_with_ttl"};
  const auto place = static_cast<std::size_t>(flags);
  return place < types.size() ? types.at(place) : "unknown";
}

class Noter {
 public:
  explicit Noter(AuditedOperations& to) : to_(to) {}

  template <class Operation>
  void operator()(const Operation& operation) {
    if constexpr (requires { operation.flags; }) {
      to_.push_back(
          {.name = "create", .znode = operation.path, .znode_type = type_of(operation.flags)});
    } else if constexpr (std::is_same_v<Operation, DeleteRequest>) {
      to_.push_back({.name = "delete", .znode = operation.path});
    } else if constexpr (std::is_same_v<Operation, SetDataRequest>) {
      to_.push_back({.name = "setData", .znode = operation.path});
    } else if constexpr (std::is_same_v<Operation, SetAclRequest>) {
      to_.push_back({.name = "setAcl", .znode = operation.path, .acl = audited_acl(operation.acl)});
    } else if constexpr (std::is_same_v<Operation, ReconfigRequest>) {
      to_.push_back({.name = "reconfig"});
    } else if constexpr (std::is_same_v<Operation, MultiRequest>) {
      for (const auto& one : operation.operations) {
        std::visit(*this, one);
      }
    }
  }

 private:
  AuditedOperations& to_;
};

void name_created(AuditedOperation& asked, const auto& change) {
  if constexpr (std::is_same_v<std::decay_t<decltype(change)>, tree::CreateNode>) {
    asked.znode = change.path;
  }
}

}  // namespace

AuditedOperations audited_operations(const Request& request) {
  AuditedOperations noted;
  std::visit(Noter(noted), request);
  return noted;
}

AuditedOperations with_names(AuditedOperations asked, const tree::TransactionBody& done) {
  if (const auto* multi = std::get_if<tree::MultiChange>(&done)) {
    for (std::size_t i = 0; i < std::min(asked.size(), multi->changes.size()); ++i) {
      std::visit([&](const auto& change) { name_created(asked[i], change); }, multi->changes[i]);
    }
  } else if (!asked.empty()) {
    std::visit([&](const auto& change) { name_created(asked.front(), change); }, done);
  }
  return asked;
}

std::string audited_acl(const Acl& acl) {
  constexpr std::array<std::pair<std::int32_t, char>, 5> letters{{{permission::create, 'c'},
                                                                  {permission::remove, 'd'},
                                                                  {permission::read, 'r'},
                                                                  {permission::write, 'w'},
                                                                  {permission::admin, 'a'}}};
  std::string text;
  for (const AclEntry& entry : acl) {
    const bool is_digest = entry.identity.scheme == "digest";
    text += entry.identity.scheme + ":" + user_of(entry.identity) + (is_digest ? ":x:" : ":");
    for (const auto& [bit, letter] : letters) {
      text += (entry.permissions & bit) != 0 ? std::string(1, letter) : "";
    }
  }
  return text;
}

}  // namespace zabfs::replication::pipeline
