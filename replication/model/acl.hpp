// Who may do what to a znode: permissions, identities, and lists of both.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <tuple>
#include <vector>

namespace zabfs::replication {

// Bits of AclEntry::permissions, as ZooKeeper numbers them.
namespace permission {
inline constexpr std::int32_t read = 1;
inline constexpr std::int32_t write = 2;
inline constexpr std::int32_t create = 4;
inline constexpr std::int32_t remove = 8;
inline constexpr std::int32_t admin = 16;
inline constexpr std::int32_t all = 31;
}  // namespace permission

// Who somebody is, as far as a scheme can tell: ("digest", "bob:base64"), ("ip", "10.0.0.7").
struct Identity {
  std::string scheme{};
  std::string id{};

  static auto fields(auto& i) { return std::tie(i.scheme, i.id); }
  auto operator<=>(const Identity&) const = default;
};

// Those of one client. A client gains identities and never loses one before its connection ends.
using Identities = std::vector<Identity>;
using IdentitiesView = std::span<const Identity>;

// Whoever has it may do everything; no ACL can name it.
inline constexpr const char* super_scheme = "super";

struct AclEntry {
  std::int32_t permissions{};
  Identity identity{};

  static auto fields(auto& e) { return std::tie(e.permissions, e.identity); }
  auto operator<=>(const AclEntry&) const = default;
};

using Acl = std::vector<AclEntry>;

// Everybody may do everything: what client libraries call OPEN_ACL_UNSAFE.
inline Acl open_acl() { return {{permission::all, {"world", "anyone"}}}; }

// Everybody may read: what client libraries call READ_ACL_UNSAFE.
inline Acl read_only_acl() { return {{permission::read, {"world", "anyone"}}}; }

}  // namespace zabfs::replication
