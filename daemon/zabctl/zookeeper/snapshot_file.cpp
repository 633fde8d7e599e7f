#include "daemon/zabctl/zookeeper/snapshot_file.hpp"

#include <utility>

#include "replication/jute/jute_archive.hpp"

namespace zabfs::daemon::zabctl::zookeeper {

using replication::Acl;
using replication::AclEntry;
using replication::Bytes;
using replication::ByteView;
using replication::jute::JuteReader;

namespace {

constexpr std::int32_t magic = 0x5a4b534e;  // "ZKSN"
constexpr std::int32_t known_version = 2;

constexpr std::size_t stat_bytes = 6 * 8 + 3 * 4;
constexpr std::size_t seal_bytes = 8 + 4 + 1;
constexpr std::size_t digest_bytes = 8 + 4 + 8;
constexpr std::size_t last_zxid_bytes = 8;

class Reading {
 public:
  Reading(Source source, SnapshotVisitor& visitor) : from_(std::move(source)), visitor_(visitor) {}

  std::optional<StatedDigest> run() {
    if (from_.integer<std::int32_t>() != magic) {
      throw Damaged("is no snapshot of ZooKeeper");
    }
    if (const auto version = from_.integer<std::int32_t>(); version != known_version) {
      throw Damaged("has format " + std::to_string(version) + ", which this program does not know");
    }
    from_.integer<std::int64_t>();
    read_sessions();
    read_acls();
    read_znodes();
    check_seal();
    return read_what_follows();
  }

 private:
  // A count of things that follow; a null or negative one is 0.
  std::int32_t count() { return std::max(from_.integer<std::int32_t>(), 0); }

  void read_sessions() {
    for (auto left = count(); left > 0; --left) {
      const auto id = from_.integer<std::int64_t>();
      visitor_.on_session({id}, from_.integer<std::int32_t>());
    }
  }

  void read_acls() {
    for (auto left = count(); left > 0; --left) {
      const auto number = from_.integer<std::int64_t>();
      Acl acl;
      for (auto entries = count(); entries > 0; --entries) {
        AclEntry& entry = acl.emplace_back();
        entry.permissions = from_.integer<std::int32_t>();
        entry.identity.scheme = from_.string();
        entry.identity.id = from_.string();
      }
      visitor_.on_acl(number, std::move(acl));
    }
  }

  void read_znodes() {
    for (std::string path = from_.string(); path != "/"; path = from_.string()) {
      // Two views of the stream cannot live at once, so the data is kept aside.
      const auto data = from_.counted();
      if (data) {
        data_.assign(data->begin(), data->end());
      }
      const bool is_null = !data;
      const auto acl = from_.integer<std::int64_t>();
      StatPersisted stat;
      JuteReader numbers(from_.take(stat_bytes));
      numbers(stat);
      visitor_.on_znode(path, is_null ? std::nullopt : std::optional(ByteView(data_)), acl, stat);
    }
  }

  void check_seal() {
    const std::int64_t actual = from_.checksum();
    if (from_.integer<std::int64_t>() != actual || from_.string() != "/") {
      throw Damaged("has a wrong checksum before offset " + std::to_string(from_.offset()));
    }
  }

  // The digest and the last zxid: which of them are there is told by what is left.
  std::optional<StatedDigest> read_what_follows() {
    if (from_.is_at_end()) {
      return std::nullopt;
    }
    std::optional<StatedDigest> digest;
    const Bytes first = copy(from_.take_at_most(last_zxid_bytes));
    const bool is_short = first.size() < last_zxid_bytes;
    if (is_short) {
      throw Damaged("has something behind its end");
    }
    // A seal's checksum has four zero bytes first; a digest's version has not.
    const std::int64_t sealed_so_far = from_.checksum();
    const Bytes next = copy(from_.take(sizeof(std::int64_t)));
    if (number(next) == sealed_so_far) {
      from_.take(seal_bytes - sizeof(std::int64_t));
    } else {
      const Bytes last = copy(from_.take(digest_bytes - last_zxid_bytes - sizeof(std::int64_t)));
      Bytes whole = first;
      whole.insert(whole.end(), next.begin(), next.end());
      whole.insert(whole.end(), last.begin(), last.end());
      JuteReader reader(whole);
      reader(digest.emplace());
      check_seal();
      if (!from_.is_at_end()) {
        from_.take(last_zxid_bytes);
        check_seal();
      }
    }
    if (!from_.is_at_end()) {
      throw Damaged("has something behind its end");
    }
    return digest;
  }

  static Bytes copy(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

  static std::int64_t number(ByteView bytes) { return JuteReader(bytes).integer<std::int64_t>(); }

  CheckedStream from_;
  SnapshotVisitor& visitor_;
  Bytes data_{};
};

}  // namespace

std::optional<StatedDigest> read_snapshot(Source source, SnapshotVisitor& visitor) {
  return Reading(std::move(source), visitor).run();
}

}  // namespace zabfs::daemon::zabctl::zookeeper
