// Checksums (XXH3, 64 bits), and small records that carry one.
//
// A checksum tells a whole record from a torn one and from damage of the medium. It is no defence
// against somebody who edits files.
#pragma once

#include <cstdint>
#include <optional>

#include "replication/jute/jute_archive.hpp"
#include "replication/model/bytes.hpp"
#include "replication/model/record.hpp"

namespace zabfs::replication::store {

// `seed` ties the bytes to their place: the same bytes elsewhere have another checksum.
std::uint64_t checksum(ByteView bytes, std::uint64_t seed);

// The record in jute, followed by its checksum.
template <Record T>
Bytes with_checksum(const T& record, std::uint64_t seed) {
  Bytes bytes;
  jute::JuteWriter writer(bytes);
  writer(record);
  writer(checksum(bytes, seed));
  return bytes;
}

// The record at the beginning of `bytes`, which may be any bytes; nullopt if it is not whole. For
// records of fixed size.
template <Record T>
std::optional<T> checked(ByteView bytes, std::uint64_t seed) {
  try {
    jute::JuteReader reader(bytes);
    T record;
    reader(record);
    const ByteView covered = bytes.first(bytes.size() - reader.rest().size());
    std::uint64_t stated = 0;
    reader(stated);
    return stated == checksum(covered, seed) ? std::optional(record) : std::nullopt;
  } catch (const cereal::Exception&) {
    return std::nullopt;
  }
}

}  // namespace zabfs::replication::store
