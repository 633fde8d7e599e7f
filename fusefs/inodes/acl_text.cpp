#include "fusefs/inodes/acl_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "replication/model/limits.hpp"

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

std::optional<std::int32_t> permissions_of(std::string_view text) {
  std::int32_t permissions = 0;
  for (const char letter : text) {
    const auto row = std::ranges::find(letters, letter, &decltype(letters)::value_type::second);
    if (row == letters.end() || (permissions & row->first) != 0) {
      return std::nullopt;
    }
    permissions |= row->first;
  }
  return permissions;
}

std::optional<replication::AclEntry> entry_of(std::string_view line) {
  const auto first = line.find(':');
  const auto last = line.rfind(':');
  if (first == line.npos || first == 0 || first == last) {
    return std::nullopt;
  }
  const auto permissions = permissions_of(line.substr(last + 1));
  if (!permissions) {
    return std::nullopt;
  }
  return replication::AclEntry{
      .permissions = *permissions,
      .identity = {.scheme = std::string(line.substr(0, first)),
                   .id = std::string(line.substr(first + 1, last - first - 1))}};
}

}  // namespace

std::optional<replication::Acl> parse_acl(std::string_view text) {
  replication::Acl acl;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty()) {
      continue;
    }
    const auto entry = entry_of(line);
    if (!entry || acl.size() >= replication::limits::acl_entries_max) {
      return std::nullopt;
    }
    acl.push_back(*entry);
  }
  return acl;
}

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
