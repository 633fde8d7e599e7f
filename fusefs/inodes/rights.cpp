#include "fusefs/inodes/rights.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace zabfs::fusefs::inodes {
namespace {

namespace permission = replication::permission;
using replication::Acl;
using replication::AclEntry;
using replication::Identities;
using replication::Identity;

constexpr mode_t reading = S_IROTH;
constexpr mode_t writing = S_IWOTH;
constexpr mode_t passing = S_IXOTH;
constexpr int owner_shift = 6;
constexpr int group_shift = 3;

// As changed_acl gives it.
constexpr std::int32_t all_writing = permission::write | permission::create | permission::remove;

bool is_everybody(const Identity& identity) { return identity.scheme == "world"; }

// The user of a digest, without the password's.
std::string_view name_in(const Identity& identity) {
  const std::string_view id = identity.id;
  return identity.scheme == "digest" ? id.substr(0, id.find(':')) : id;
}

bool is_one_of(const Identity& identity, const Identities& identities) {
  return std::ranges::any_of(identities, [&](const Identity& own) {
    return own.scheme == identity.scheme && name_in(own) == name_in(identity);
  });
}

// True for what the ACL's scheme `auth` stands for: somebody who has proved who he is.
bool is_proved(const Identity& identity) {
  return identity.scheme != "ip" && identity.scheme != "world" &&
         identity.scheme != replication::super_scheme;
}

mode_t three_times(mode_t own, mode_t others) {
  return own << owner_shift | others << group_shift | others;
}

mode_t bits_of_file(std::int32_t permissions) {
  return ((permissions & permission::read) != 0 ? reading : 0) |
         ((permissions & permission::write) != 0 ? writing : 0);
}

mode_t bits_of_directory(std::int32_t permissions) {
  const bool writes = (permissions & (permission::create | permission::remove)) != 0;
  return ((permissions & permission::read) != 0 ? reading | passing : 0) | (writes ? writing : 0);
}

std::int32_t permissions_for(mode_t bits) {
  return ((bits & reading) != 0 ? permission::read : 0) | ((bits & writing) != 0 ? all_writing : 0);
}

// What group and others are to have: of the bits that the mount shows of each, what both of them
// are to have; of the rest, `hidden`.
std::optional<mode_t> wanted_of_others(mode_t wanted, mode_t mask, mode_t hidden) {
  mode_t bits = 0;
  for (const mode_t bit : {reading, writing}) {
    const bool shows_group = (mask >> group_shift & bit) != 0;
    const bool shows_others = (mask & bit) != 0;
    const bool group = (wanted >> group_shift & bit) != 0;
    const bool others = (wanted & bit) != 0;
    if (shows_group && shows_others && group != others) {
      return std::nullopt;
    }
    const bool is_hidden = !shows_group && !shows_others;
    bits |= (shows_group && group) || (shows_others && others) ? bit : 0;
    bits |= is_hidden ? hidden & bit : 0;
  }
  return bits;
}

}  // namespace

Rights rights_in(const Acl& acl, const Identities& identities) {
  const bool is_super = std::ranges::any_of(
      identities, [](const Identity& own) { return own.scheme == replication::super_scheme; });
  Rights rights{.own = 0, .others = 0};
  for (const AclEntry& entry : acl) {
    if (is_everybody(entry.identity)) {
      rights.others |= entry.permissions;
    } else if (is_one_of(entry.identity, identities)) {
      rights.own |= entry.permissions;
    } else if (entry.identity.scheme == "ip") {
      rights.own |= entry.permissions;  // Only the server knows where we come from.
      rights.is_guess = true;
    }
  }
  rights.own |= rights.others;
  if (is_super || acl.empty()) {
    rights.own = permission::all;
    rights.others = acl.empty() ? permission::all : rights.others;
  }
  return rights;
}

Rights unreadable() {
  return {.own = permission::all & ~(permission::read | permission::admin),
          .others = 0,
          .is_guess = true};
}

Rights rights_to_acl(const Rights& rights) {
  const auto of = [](std::int32_t permissions) {
    const bool administers = (permissions & permission::admin) != 0;
    const bool reads = administers || (permissions & permission::read) != 0;
    return (reads ? permission::read : 0) | (administers ? permission::write : 0);
  };
  return {.own = of(rights.own), .others = of(rights.others), .is_guess = rights.is_guess};
}

mode_t permissions_of_file(const Rights& rights) {
  return three_times(bits_of_file(rights.own), bits_of_file(rights.others));
}

mode_t permissions_of_directory(const Rights& rights) {
  const mode_t guessed = rights.is_guess ? passing : 0;
  return three_times(bits_of_directory(rights.own) | guessed, bits_of_directory(rights.others));
}

std::optional<Acl> changed_acl(const Acl& acl, const Identities& identities, mode_t wanted,
                               mode_t mask) {
  const mode_t own = wanted >> owner_shift & (reading | writing);
  const bool has_proved = std::ranges::any_of(identities, is_proved);
  const auto others = wanted_of_others(wanted, mask, has_proved ? 0 : own);
  if (!others || (!has_proved && own != *others)) {
    return std::nullopt;  // A mount without credentials is nobody in particular.
  }
  Acl changed;
  std::int32_t kept = 0;  // that everybody has, of what no bit tells
  for (const AclEntry& entry : acl) {
    if (is_everybody(entry.identity)) {
      kept |= entry.permissions & permission::admin;
    } else if (!has_proved || !is_one_of(entry.identity, identities)) {
      changed.push_back(entry);
    }
  }
  if (has_proved) {
    changed.push_back({permissions_for(own) | permission::admin, {"auth", ""}});
    kept = 0;
  }
  if (const std::int32_t everybody = permissions_for(*others) | kept; everybody != 0) {
    changed.push_back({everybody, {"world", "anyone"}});
  }
  return changed;
}

}  // namespace zabfs::fusefs::inodes
