#include <gtest/gtest.h>
#include <zlib.h>

#include "daemon/zabctl/zookeeper/checked_stream.hpp"
#include "daemon/zabctl/zookeeper/log_file.hpp"
#include "daemon/zabctl/zookeeper/replayed_tree.hpp"
#include "daemon/zabctl/zookeeper/snapshot_file.hpp"
#include "daemon/zabctl/zookeeper/transaction.hpp"
#include "replication/jute/jute_archive.hpp"
#include "tests/support/hex.hpp"
#include "tests/support/hostile_bytes.hpp"

namespace zabfs::test {
namespace {

using namespace daemon::zabctl::zookeeper;
using replication::Acl;
using replication::Bytes;
using replication::ByteView;
using replication::Data;
using replication::jute::JuteWriter;

constexpr std::int64_t session = 0x100000100000000;

// Appends the values in jute.
void put(Bytes& to, const auto&... values) {
  JuteWriter writer(to);
  writer(values...);
}

std::uint32_t adler(ByteView bytes) {
  return static_cast<std::uint32_t>(
      ::adler32_z(::adler32(0, nullptr, 0), bytes.data(), bytes.size()));
}

void seal(Bytes& file) {
  const std::int64_t checksum = adler(file);
  put(file, checksum, std::string("/"));
}

// A session, the root and one znode of it with its own ACL.
Bytes small_snapshot() {
  Bytes file;
  JuteWriter to(file);
  to(std::int32_t{0x5a4b534e}, std::int32_t{2}, std::int64_t{-1});
  to(std::int32_t{1}, session, std::int32_t{30'000});
  to(std::int32_t{1}, std::int64_t{1}, Acl{{31, {"ip", "::1"}}});
  to(std::string(), Data(Bytes{}), std::int64_t{-1}, StatPersisted{.creates = 1, .pzxid = 5});
  to(std::string("/e"), Data(), std::int64_t{1},
     StatPersisted{.czxid = 5, .mzxid = 5, .owner = session, .pzxid = 5});
  to(std::string("/"));
  seal(file);
  return file;
}

Bytes record(const TransactionHeader& header, const auto&... body) {
  Bytes bytes;
  put(bytes, header, body...);
  return bytes;
}

void append_record(Bytes& log, const Bytes& body) {
  JuteWriter to(log);
  to(std::int64_t{adler(body)}, body);
  log.push_back('B');
}

Bytes log_header() {
  Bytes log;
  put(log, std::int32_t{0x5a4b4c47}, std::int32_t{2}, std::int64_t{0});
  return log;
}

// Creates /a to /d, one transaction each.
Bytes small_log() {
  Bytes log = log_header();
  for (std::int32_t at = 1; at <= 4; ++at) {
    const std::string path{'/', static_cast<char>('`' + at)};
    append_record(log, record({.session = session, .zxid = 5 + at, .time_ms = 9, .type = 1}, path,
                              Data(Bytes{7}), replication::open_acl(), false, 1 + at));
  }
  return log;
}

std::string why_refused(const Bytes& file) {
  ReplayedTree tree;
  try {
    read_snapshot(source_of_bytes(file), tree);
    return "";
  } catch (const Damaged& damaged) {
    return damaged.what();
  }
}

TEST(ZooKeeperSnapshot, IsRead) {
  ReplayedTree replayed;
  EXPECT_EQ(read_snapshot(source_of_bytes(small_snapshot()), replayed), std::nullopt);
  const auto sessions = replayed.session_table();
  EXPECT_EQ(sessions.find({session})->timeout_ms, 30'000);
  const auto tree = replayed.take({5});
  const auto* node = tree.find("/e");
  ASSERT_NE(node, nullptr);
  EXPECT_EQ(tree.data_of(*node), std::nullopt);
  EXPECT_EQ(tree.acl_of(*node).front().identity.id, "::1");
  EXPECT_EQ(tree.ephemerals_of({session}), std::vector<std::string>{"/e"});
  EXPECT_EQ(tree.stat_of(*tree.find("/")).cversion, 1);
}

TEST(ZooKeeperSnapshot, DigestAndLastZxidMayFollow) {
  const auto digest_of = [](bool has_digest, bool has_zxid) {
    Bytes file = small_snapshot();
    if (has_digest) {
      put(file, StatedDigest{.zxid = 5, .version = 2, .digest = 77});
      seal(file);
    }
    if (has_zxid) {
      put(file, std::int64_t{6});
      seal(file);
    }
    ReplayedTree tree;
    const auto digest = read_snapshot(source_of_bytes(file), tree);
    return digest ? digest->digest : 0;
  };
  EXPECT_EQ(digest_of(true, false), 77);
  EXPECT_EQ(digest_of(true, true), 77);
  EXPECT_EQ(digest_of(false, true), 0);
}

TEST(ZooKeeperSnapshot, DamageIsRefused) {
  const Bytes whole = small_snapshot();
  for (const Bytes& part : truncations_of(whole)) {
    EXPECT_NE(why_refused(part), "") << part.size();
  }
  for (const auto& runs : {lies_about_counts_of(whole), mutations_of(whole, 5, 2'000)}) {
    for (const Bytes& bytes : runs) {
      if (bytes != whole) {
        EXPECT_NE(why_refused(bytes), "") << to_hex(bytes);
      }
    }
  }
  Bytes longer = whole;
  longer.push_back(0);
  EXPECT_EQ(why_refused(longer), "has something behind its end");
}

TEST(ZooKeeperLog, EveryKindOfTransaction) {
  const TransactionHeader header{.session = session, .zxid = 9, .time_ms = 1};
  const auto typed = [&](std::int32_t type) {
    TransactionHeader copy = header;
    copy.type = type;
    return copy;
  };
  const auto open = replication::open_acl();
  const std::string path = "/a";
  const auto ephemeral =
      decode_transaction(record(typed(1), path, Data(), open, true, std::int32_t{3}));
  EXPECT_EQ(std::get<Create>(ephemeral.body).owner, session);
  EXPECT_EQ(std::get<Create>(decode_transaction(record(typed(1), path, Data(), open, false)).body)
                .parent_creates,
            -1);
  EXPECT_EQ(
      std::get<Create>(decode_transaction(record(typed(19), path, Data(), open, 1)).body).owner,
      container_owner);
  EXPECT_EQ(std::get<Create>(
                decode_transaction(record(typed(21), path, Data(), open, 1, std::int64_t{77})).body)
                .owner,
            ttl_owner_mask | 77);
  EXPECT_THROW(decode_transaction(record(typed(21), path, Data(), open, 1, std::int64_t{-1})),
               Damaged);
  EXPECT_EQ(std::get<Delete>(decode_transaction(record(typed(20), path)).body).path, "/a");
  EXPECT_EQ(std::get<SetAcl>(decode_transaction(record(typed(7), path, open, 4)).body).aversion, 4);
  EXPECT_EQ(std::get<OpenSession>(decode_transaction(record(typed(-10), 5'000)).body).timeout_ms,
            5'000);
  const std::vector<std::string> paths{"/a", "/b"};
  EXPECT_EQ(std::get<CloseSession>(decode_transaction(record(typed(-11), paths)).body).paths,
            paths);
  EXPECT_TRUE(std::get<CloseSession>(decode_transaction(record(typed(-11))).body).paths.empty());
  EXPECT_TRUE(std::holds_alternative<Nothing>(decode_transaction(record(typed(-1), -101)).body));
  EXPECT_EQ(decode_transaction(record(typed(5), path, Data(), 3, std::int32_t{2}, std::int64_t{8}))
                .digest,
            8);
  EXPECT_THROW(decode_transaction(record(typed(6), path)), Damaged);
  EXPECT_THROW(decode_transaction(record(typed(5), path, Data(), 3, std::int32_t{2})), Damaged);
}

TEST(ZooKeeperLog, AFailedMultiChangesNothing) {
  Bytes part;
  put(part, std::string("/a"));
  Bytes error;
  put(error, std::int32_t{-101});
  const auto multi = [&](bool fails) {
    const Bytes bytes = record({.zxid = 9, .type = 14}, std::int32_t{2}, std::int32_t{2}, part,
                               std::int32_t{fails ? -1 : 2}, fails ? error : part);
    return std::get<Multi>(decode_transaction(bytes).body).changes.size();
  };
  EXPECT_EQ(multi(false), 2U);
  EXPECT_EQ(multi(true), 0U);
}

std::size_t records_in(const Bytes& log, LogEnd end) {
  std::size_t records = 0;
  EXPECT_EQ(read_log(source_of_bytes(log), [&](ByteView) { return ++records > 0; }), end);
  return records;
}

TEST(ZooKeeperLog, ItsEndMayBeTornAndItsMiddleNot) {
  const Bytes whole = small_log();
  EXPECT_EQ(records_in(whole, LogEnd::clean), 4U);
  Bytes padded = whole;
  padded.resize(whole.size() + 100'000);
  EXPECT_EQ(records_in(padded, LogEnd::clean), 4U);
  Bytes torn = whole;
  torn.resize(whole.size() - 3);
  EXPECT_EQ(records_in(torn, LogEnd::torn), 3U);
  torn.resize(whole.size() + 1'000);
  EXPECT_EQ(records_in(torn, LogEnd::torn), 3U);
  Bytes damaged = whole;
  damaged[40] ^= 1U;
  EXPECT_THROW(records_in(damaged, LogEnd::torn), Damaged);
  EXPECT_EQ(records_in(Bytes(100), LogEnd::clean), 0U);
}

// A length that leads over the records behind it makes no torn end of them.
TEST(ZooKeeperLog, ALengthThatSwallowsOtherRecordsIsDamage) {
  constexpr std::size_t length_of_first = 16 + 8;
  const Bytes whole = small_log();
  for (const std::size_t zeros : {std::size_t{0}, std::size_t{1} << 20}) {
    for (const std::size_t byte : {length_of_first + 1, length_of_first + 2}) {
      Bytes log = whole;
      log.resize(whole.size() + zeros);
      log[byte] ^= 1U;  // 64 KiB or 256 bytes more
      EXPECT_THROW(records_in(log, LogEnd::torn), Damaged) << zeros << " " << byte;
    }
  }
}

TEST(ZooKeeperLog, AnyBytesAreHarmless) {
  const Bytes whole = small_log();
  for (const auto& runs :
       {truncations_of(whole), lies_about_counts_of(whole), mutations_of(whole, 9, 2'000)}) {
    for (const Bytes& bytes : runs) {
      ReplayedTree tree;
      try {
        read_log(source_of_bytes(bytes), [&](ByteView body) {
          tree.apply(decode_transaction(body));
          return true;
        });
      } catch (const Damaged&) {
      }
      tree.settle(9);
      tree.take({9});
    }
  }
}

TEST(ReplayedTree, TransactionsThatAreInTheSnapshotDoNoHarm) {
  ReplayedTree once;
  ReplayedTree twice;
  for (ReplayedTree* tree : {&once, &twice}) {
    read_snapshot(source_of_bytes(small_snapshot()), *tree);
  }
  const auto replay = [](ReplayedTree& tree) {
    read_log(source_of_bytes(small_log()), [&](ByteView body) {
      tree.apply(decode_transaction(body));
      return true;
    });
    tree.apply({.header = {.zxid = 10}, .body = Delete{"/a"}});
    tree.apply({.header = {.zxid = 11, .time_ms = 4}, .body = SetData{"/b", Bytes{1}, 1}});
  };
  replay(once);
  replay(twice);
  replay(twice);
  EXPECT_EQ(once.digest(), twice.digest());
}

TEST(ReplayedTree, ASessionThatEndedTakesItsZnodesAlong) {
  ReplayedTree replayed;
  read_snapshot(source_of_bytes(small_snapshot()), replayed);
  replayed.apply({.header = {.session = session, .zxid = 8}, .body = CloseSession{}});
  replayed.apply({.header = {.zxid = 9}, .body = Create{.path = "/f", .owner = 0x77}});
  replayed.settle(9);
  EXPECT_EQ(replayed.sessions(), 0U);
  const auto tree = replayed.take({9});
  EXPECT_EQ(tree.find("/e"), nullptr);
  EXPECT_EQ(tree.find("/f"), nullptr);
  EXPECT_EQ(tree.stat_of(*tree.find("/")).pzxid, 9);
}

TEST(ReplayedTree, PasswordsAreZooKeepers) {
  EXPECT_EQ(to_hex(password_of(72057647722463232)), "ad1dd90b 36422c4a d3801dde 6fb47366");
}

}  // namespace
}  // namespace zabfs::test
