// What kind of znode a create request asks for, and the flag numbers of the wire.
//
//   flag  znode                        asked for by
//   0     persistent                   create, create2
//   1     ephemeral                    create, create2
//   2     persistent, sequential       create, create2
//   3     ephemeral, sequential        create, create2
//   4     container                    createContainer
//   5     with a time to live          createTTL
//   6     the same, sequential         createTTL
//
// Flags belong to their operation. (ZooKeeper takes any with any, and a createTTL without a time to
// live can make it log what it cannot apply.)
#pragma once

#include <cstdint>
#include <optional>

namespace zabfs::replication {

inline constexpr std::int32_t container_flags = 4;
inline constexpr std::int32_t ttl_flags = 5;
inline constexpr std::int32_t sequential_ttl_flags = 6;

struct CreateMode {
  bool ephemeral{};   // lives as long as its session, and has no children
  bool sequential{};  // its parent's counter is appended to its name as ten digits

  // The flag of `create` and `create2`; nullopt for any other number.
  static constexpr std::optional<CreateMode> from_flags(std::int32_t flags) {
    if (flags < 0 || flags > 3) {
      return std::nullopt;
    }
    return CreateMode{.ephemeral = (flags & 1) != 0, .sequential = (flags & 2) != 0};
  }
  constexpr std::int32_t flags() const { return (ephemeral ? 1 : 0) | (sequential ? 2 : 0); }

  bool operator==(const CreateMode&) const = default;
};

}  // namespace zabfs::replication
