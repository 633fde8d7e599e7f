// The epochs file: golden bytes, and what is no such file.
#include "replication/store/epochs.hpp"

#include <gtest/gtest.h>

#include "tests/support/hex.hpp"
#include "tests/support/hostile_bytes.hpp"

namespace zabfs::replication::store {
namespace {

const EpochRecord sample{.epochs = {.accepted = {7}, .current = {6}},
                         .generation = {3},
                         .origin = Zxid::at({6}, 9),
                         .records = 0x2a};

TEST(Epochs, HaveTheirDocumentedBytes) {
  EXPECT_EQ(test::to_hex(encode(sample)),
            "7a616266 7365706f 00000002 00000007 00000006 00000003 00000006 00000009 "
            "00000000 0000002a 9900b1d7 a830053e");
}

TEST(Epochs, AreReadAsTheyWereWritten) {
  const auto read = decode_epochs(encode(sample));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, sample);
}

TEST(Epochs, RefuseEveryOtherBytes) {
  const Bytes valid = encode(sample);
  for (const auto& bytes : test::truncations_of(valid)) {
    EXPECT_FALSE(decode_epochs(bytes));
  }
  Bytes longer = valid;
  longer.push_back(0);
  EXPECT_FALSE(decode_epochs(longer));
  for (std::size_t bit = 0; bit < valid.size() * 8; ++bit) {
    Bytes flipped = valid;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    EXPECT_FALSE(decode_epochs(flipped)) << bit;
  }
  for (const auto& bytes : test::random_runs(1, 2'000, 60)) {
    EXPECT_FALSE(decode_epochs(bytes));
  }
}

TEST(Epochs, RefuseARecordThatContradictsItself) {
  const auto read = decode_epochs(encode({.epochs = {.accepted = {5}, .current = {6}}}));
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().sentence.find("epoch 6 was entered although only epoch 5"),
            std::string::npos);
}

}  // namespace
}  // namespace zabfs::replication::store
