#include "replication/tree/transaction.hpp"

#include <gtest/gtest.h>

#include "replication/model/limits.hpp"
#include "tests/replication/tree/samples.hpp"
#include "tests/support/hex.hpp"
#include "tests/support/hostile_bytes.hpp"

namespace zabfs::replication::tree {
namespace {

Bytes encoded(const Transaction& transaction) {
  Bytes bytes;
  append_transaction(bytes, transaction);
  return bytes;
}

std::vector<Transaction> samples() {
  CreateNode null_data = create("/n", 7);
  null_data.data.reset();
  null_data.acl = read_only_acl();
  return {
      transaction(1, create("/a", 1, "hello", 99)),
      transaction(2, null_data),
      transaction(3, DeleteNode{.path = "/a"}),
      transaction(4, SetData{.path = "/n", .data = data_of("x"), .version = -2}),
      transaction(
          4, SetAcl{.path = "/n", .acl = {{permission::read, {"digest", "bob:x"}}}, .aversion = 3}),
      transaction(5, OpenSession{.timeout_ms = 4000, .password = Bytes(16, 7)}, -5),
      transaction(6, CloseSession{}, 77),
      transaction(9, SetEnsemble{.text = "server.1=a:1:2:participant\nversion=9"}),
      transaction(10, Restore{.name = "a0", .pieces = 3}),
      transaction(7, MultiChange{}),
      transaction(8, MultiChange{.changes = {create("/b", 2), DeleteNode{.path = "/b"},
                                             SetData{.path = "/n", .data = {}, .version = 3}}}),
  };
}

TEST(Transaction, ReturnsAsItWas) {
  for (const Transaction& sample : samples()) {
    const auto decoded = decode_transaction(encoded(sample));
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(*decoded, sample);
  }
}

TEST(Transaction, KeepsItsBytesForever) {
  const auto sample = transaction(2, SetData{.path = "/n", .data = {}, .version = 3}, 9);
  EXPECT_EQ(test::to_hex(encoded(sample)),
            test::to_hex(test::from_hex("0000000000000002"  // zxid
                                        "0000000000000009"  // session
                                        "00000000000007d0"  // time
                                        "00000003"          // set data
                                        "00000002 2f6e"     // path
                                        "ffffffff"          // null data
                                        "00000003")));      // version
}

TEST(Transaction, RefusesEveryTruncationAndAnythingLeftOver) {
  for (const Transaction& sample : samples()) {
    Bytes bytes = encoded(sample);
    for (const Bytes& truncation : test::truncations_of(bytes)) {
      EXPECT_FALSE(decode_transaction(truncation).has_value()) << test::to_hex(truncation);
    }
    bytes.push_back(0);
    EXPECT_FALSE(decode_transaction(bytes).has_value());
  }
}

TEST(Transaction, RefusesKindsThatAreNone) {
  for (const std::int32_t kind : {0, 7, -1}) {
    Bytes bytes = encoded(transaction(6, CloseSession{}));
    bytes.back() = static_cast<std::uint8_t>(kind);
    EXPECT_FALSE(decode_transaction(bytes).has_value()) << kind;
  }
}

TEST(Transaction, RefusesASessionsEndInsideAMulti) {
  Bytes bytes = encoded(transaction(7, MultiChange{.changes = {DeleteNode{.path = ""}}}));
  const std::size_t kind_at = bytes.size() - 4 - 1;
  ASSERT_EQ(bytes[kind_at], static_cast<std::uint8_t>(TransactionKind::delete_node));
  bytes[kind_at] = static_cast<std::uint8_t>(TransactionKind::multi);
  EXPECT_FALSE(decode_transaction(bytes).has_value());
}

TEST(Transaction, RefusesAMultiBeyondTheBound) {
  MultiChange multi;
  multi.changes.resize(limits::multi_operations_max, DeleteNode{});
  EXPECT_TRUE(decode_transaction(encoded(transaction(1, multi))).has_value());
  multi.changes.emplace_back(DeleteNode{});
  EXPECT_FALSE(decode_transaction(encoded(transaction(1, multi))).has_value());
}

// Whatever decodes is a transaction like any other.
void expect_harmless(const Bytes& bytes) {
  if (const auto decoded = decode_transaction(bytes)) {
    const auto again = decode_transaction(encoded(*decoded));
    ASSERT_TRUE(again.has_value()) << test::to_hex(bytes);
    EXPECT_EQ(*again, *decoded) << test::to_hex(bytes);
  }
}

TEST(Transaction, SurvivesHostileBytes) {
  for (const Transaction& sample : samples()) {
    const Bytes bytes = encoded(sample);
    for (const Bytes& lie : test::lies_about_counts_of(bytes)) {
      expect_harmless(lie);
    }
    for (const Bytes& mutation : test::mutations_of(bytes, 1, 500)) {
      expect_harmless(mutation);
    }
  }
  for (const Bytes& run : test::random_runs(2, 5'000, 120)) {
    expect_harmless(run);
  }
}

}  // namespace
}  // namespace zabfs::replication::tree
