#include "replication/pipeline/access.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <string_view>
#include <type_traits>
#include <variant>

#include "replication/pipeline/address_range.hpp"

namespace zabfs::replication::pipeline {
namespace {

constexpr std::size_t entry_overhead_bytes = 12;  // permissions, and the lengths of two strings

bool is_everybody(const Identity& identity) {
  return identity.scheme == "world" && identity.id == "anyone";
}

// True if `wanted`, of an ACL, means somebody who is `present`.
bool means(const Identity& wanted, const Identity& present) {
  return wanted.scheme == present.scheme &&
         (wanted.scheme == "ip" ? is_in_range(present.id, wanted.id) : wanted.id == present.id);
}

// True for an identity that takes more than to connect.
bool is_proved(const Identity& identity) {
  return identity.scheme == "digest" || identity.scheme == "x509";
}

// As Java splits "user:hash" at its colons, where empty parts at the end do not count.
bool is_digest(std::string_view id) {
  const auto last = id.find_last_not_of(':');
  return last != id.npos && std::ranges::count(id.substr(0, last + 1), ':') == 1;
}

// "CN=alice,O=Example": a key and a value in front of every comma that none of them quotes.
bool is_subject(std::string_view id) {
  return id.find('=') != id.npos && id.front() != '=' && id.front() != ',';
}

bool can_be_checked(const Identity& identity, bool knows_certificates) {
  if (identity.scheme == "digest") {
    return is_digest(identity.id);
  }
  if (identity.scheme == "ip") {
    return is_address_range(identity.id);
  }
  if (identity.scheme == "x509") {
    return knows_certificates && is_subject(identity.id);
  }
  return is_everybody(identity);
}

std::size_t growth_of(const Acl& acl, IdentitiesView identities) {
  const auto entries = static_cast<std::size_t>(std::ranges::count_if(
      acl, [](const AclEntry& entry) { return entry.identity.scheme == "auth"; }));
  if (entries == 0) {
    return 0;
  }
  std::size_t bytes = 0;
  for (const Identity& identity : identities) {
    bytes += entry_overhead_bytes + identity.scheme.size() + identity.id.size();
  }
  return entries * bytes;
}

template <class Operation>
std::size_t growth_of_operation(const Operation& operation, IdentitiesView identities) {
  if constexpr (requires { operation.acl; }) {
    return growth_of(operation.acl, identities);
  } else if constexpr (std::is_same_v<Operation, protocol::MultiRequest>) {
    std::size_t bytes = 0;
    for (const auto& one : operation.operations) {
      bytes += std::visit([&](const auto& o) { return growth_of_operation(o, identities); }, one);
    }
    return bytes;
  } else {
    return 0;
  }
}

}  // namespace

std::string user_of(const Identity& identity) {
  return identity.scheme == "digest" ? identity.id.substr(0, identity.id.find(':')) : identity.id;
}

bool is_allowed(const Acl& acl, std::int32_t permissions, IdentitiesView identities) {
  for (const AclEntry& entry : acl) {
    if ((entry.permissions & permissions) != 0 &&
        (is_everybody(entry.identity) ||
         std::ranges::any_of(identities, [&entry](const Identity& present) {
           return means(entry.identity, present);
         }))) {
      return true;
    }
  }
  return acl.empty() ||
         std::ranges::find(identities, super_scheme, &Identity::scheme) != identities.end();
}

Result<Acl> storable(const Acl& acl, IdentitiesView identities, bool knows_certificates) {
  Acl kept;
  std::set<std::reference_wrapper<const AclEntry>, std::less<AclEntry>> seen;
  for (const AclEntry& entry : acl) {
    if (acl.size() > 1 && !seen.insert(entry).second) {
      continue;
    }
    if (entry.identity.scheme == "auth") {
      const std::size_t before = kept.size();
      for (const Identity& identity : identities) {
        if (is_proved(identity)) {
          kept.push_back({.permissions = entry.permissions, .identity = identity});
        }
      }
      if (kept.size() == before) {
        return ErrorCode::invalid_acl;
      }
    } else if (can_be_checked(entry.identity, knows_certificates)) {
      kept.push_back(entry);
    } else {
      return ErrorCode::invalid_acl;
    }
  }
  if (kept.empty()) {
    return ErrorCode::invalid_acl;
  }
  return kept;
}

std::size_t acl_growth(const protocol::Request& request, IdentitiesView identities) {
  return std::visit([&](const auto& r) { return growth_of_operation(r, identities); }, request);
}

}  // namespace zabfs::replication::pipeline
