#include "fusefs/inodes/acl_text.hpp"

#include <array>
#include <cstdint>
#include <utility>

namespace zabfs::fusefs::inodes {
namespace {

namespace permission = replication::permission;

constexpr std::array<std::pair<std::int32_t, char>, 5> letters{{
    {permission::create, 'c'},
    {permission::remove, 'd'},
    {permission::read, 'r'},
    {permission::write, 'w'},
    {permission::admin, 'a'},
}};

}  // namespace

std::string acl_text(const replication::Acl& acl) {
  std::string text;
  for (const auto& entry : acl) {
    text.append(entry.identity.scheme).append(":").append(entry.identity.id).append(":");
    for (const auto& [bit, letter] : letters) {
      if ((entry.permissions & bit) != 0) {
        text += letter;
      }
    }
    text += '\n';
  }
  return text;
}

}  // namespace zabfs::fusefs::inodes
