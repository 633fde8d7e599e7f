// One number that two equal trees share: the sum modulo 2^64 of two hashes (XXH3) per znode.
//
// A sum does not depend on an order and is corrected by subtracting what was and adding what is, so
// a change costs the same in a small tree and in a large one. Data and metadata are hashed apart,
// because a create or delete changes its parent's metadata, whose data may be a megabyte.
//
// It notices that replicas have diverged. It is no defence against somebody who forges a tree.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "replication/model/acl.hpp"
#include "replication/model/bytes.hpp"
#include "replication/model/stat.hpp"

namespace zabfs::replication::tree {

// What makes the two hashes below those of one path.
std::uint64_t hash_of_path(std::string_view path);

// Null and empty data differ.
std::uint64_t digest_of_data(std::uint64_t path_hash, const std::optional<ByteView>& data);

// `creates` is not in the Stat in full: the visible cversion loses its highest bit.
std::uint64_t digest_of_stat(std::uint64_t path_hash, const Stat& stat, std::int32_t creates,
                             std::uint64_t acl_hash);

std::uint64_t hash_of_acl(const Acl& acl);

}  // namespace zabfs::replication::tree
