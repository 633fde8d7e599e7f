#include "replication/tree/tree_digest.hpp"

#include <xxhash.h>

#include <array>

namespace zabfs::replication::tree {
namespace {

// Added to a path's hash so that null data and empty data, which have the same bytes, differ.
constexpr std::uint64_t null_data_salt = 0x9e3779b97f4a7c15;

std::uint64_t hash_of_text(std::string_view text, std::uint64_t seed) {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

// Two 32-bit numbers in one word.
std::uint64_t packed(std::int32_t high, std::int32_t low) {
  return std::uint64_t{static_cast<std::uint32_t>(high)} << 32 | static_cast<std::uint32_t>(low);
}

}  // namespace

std::uint64_t hash_of_path(std::string_view path) { return hash_of_text(path, 0); }

std::uint64_t digest_of_data(std::uint64_t path_hash, const std::optional<ByteView>& data) {
  return data ? XXH3_64bits_withSeed(data->data(), data->size(), path_hash)
              : XXH3_64bits_withSeed(nullptr, 0, path_hash + null_data_salt);
}

std::uint64_t digest_of_stat(std::uint64_t path_hash, const Stat& stat, std::int32_t creates,
                             std::uint64_t acl_hash) {
  const std::array<std::uint64_t, 10> words{
      static_cast<std::uint64_t>(stat.czxid),      static_cast<std::uint64_t>(stat.mzxid),
      static_cast<std::uint64_t>(stat.pzxid),      static_cast<std::uint64_t>(stat.ctime),
      static_cast<std::uint64_t>(stat.mtime),      static_cast<std::uint64_t>(stat.ephemeral_owner),
      packed(stat.version, stat.aversion),         packed(stat.cversion, creates),
      packed(stat.data_length, stat.num_children), acl_hash,
  };
  return XXH3_64bits_withSeed(words.data(), sizeof(words), path_hash);
}

std::uint64_t hash_of_acl(const Acl& acl) {
  std::uint64_t hash = acl.size();
  for (const AclEntry& entry : acl) {
    hash += static_cast<std::uint32_t>(entry.permissions);
    hash = hash_of_text(entry.identity.scheme, hash);
    hash = hash_of_text(entry.identity.id, hash);
  }
  return hash;
}

}  // namespace zabfs::replication::tree
