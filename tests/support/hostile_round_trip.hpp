// What holds for a decoder, whatever bytes it gets: it refuses, or makes a value that survives
// another round trip.
#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "replication/model/bytes.hpp"
#include "replication/model/result.hpp"
#include "tests/support/hex.hpp"
#include "tests/support/hostile_bytes.hpp"

namespace zabfs::test {

template <class T>
using Decoder = std::function<replication::Result<T>(replication::ByteView)>;
template <class T>
using Encoder = std::function<replication::Bytes(const T&)>;

template <class T>
void expect_harmless(const replication::Bytes& bytes, const Decoder<T>& decode,
                     const Encoder<T>& encode) {
  const auto decoded = decode(bytes);
  if (!decoded) {
    EXPECT_EQ(decoded.error(), replication::ErrorCode::marshalling_error) << to_hex(bytes);
    return;
  }
  const auto again = decode(encode(*decoded));
  ASSERT_TRUE(again.has_value()) << to_hex(bytes);
  EXPECT_TRUE(*again == *decoded) << to_hex(bytes);
}

// Damages `valid` in every way but by shortening it.
template <class T>
void expect_harmless_when_damaged(const replication::Bytes& valid, const Decoder<T>& decode,
                                  const Encoder<T>& encode) {
  for (const auto& damaged :
       {lies_about_counts_of(valid), mutations_of(valid, 11, 500), random_runs(12, 500, 80)}) {
    for (const auto& bytes : damaged) {
      expect_harmless(bytes, decode, encode);
    }
  }
}

}  // namespace zabfs::test
