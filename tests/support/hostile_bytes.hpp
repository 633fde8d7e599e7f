// What a broken or hostile peer, or a damaged disk, makes of valid bytes.
//
// Every run is its own allocation of exactly its size, so that the address sanitizer sees a parser
// that reads one octet too far. All chance comes from the seed.
#pragma once

#include <cstdint>
#include <vector>

#include "replication/model/bytes.hpp"

namespace zabfs::test {

// Every proper prefix of `valid`, the empty one included.
std::vector<replication::Bytes> truncations_of(replication::ByteView valid);

// `valid` with every four neighbouring octets in turn replaced by counts that lie: -1, -2, the
// smallest and the largest number, and one more than the octets that follow. Wherever `valid` has a
// big-endian count, it is among them.
std::vector<replication::Bytes> lies_about_counts_of(replication::ByteView valid);

// `times` copies of `valid` with one to four octets changed.
std::vector<replication::Bytes> mutations_of(replication::ByteView valid, std::uint64_t seed,
                                             std::size_t times);

// `times` runs of random octets, each of at most `size_max`; small octets are as frequent as in
// real messages, so that counts and numbers are often plausible.
std::vector<replication::Bytes> random_runs(std::uint64_t seed, std::size_t times,
                                            std::size_t size_max);

}  // namespace zabfs::test
