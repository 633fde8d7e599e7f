#include "replication/store/checksum.hpp"

#include <xxhash.h>

namespace zabfs::replication::store {

std::uint64_t checksum(ByteView bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace zabfs::replication::store
