// Quotas: what may lie below a znode, itself included, and what lies there, both kept in the tree.
//
//   /zookeeper/quota/PATH/zookeeper_limits   written by an operator (zkCli's setquota)
//   /zookeeper/quota/PATH/zookeeper_stats    made by him too; from then on its data is kept by
//                                            every replica, without a new version or event
//
//   text    count=N,bytes=M                                        -1 is no limit
//   or      count=N,bytes=M=;byteHardLimit=B;countHardLimit=C      (ZooKeeper's, to the byte)
//
// `count` is znodes, `bytes` their data. The first two are said to be passed, the hard ones may not
// be, if the service is told to enforce them. A znode counts for the nearest quota above it alone.
// There is none for the root, nor for /zookeeper and what is below it.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace zabfs::replication::tree {

inline constexpr std::string_view quota_root = "/zookeeper/quota";
inline constexpr std::string_view quota_limits_name = "zookeeper_limits";
inline constexpr std::string_view quota_usage_name = "zookeeper_stats";

struct QuotaNumbers {
  std::int64_t count{-1};
  std::int64_t bytes{-1};
  std::int64_t hard_count{-1};
  std::int64_t hard_bytes{-1};

  bool operator==(const QuotaNumbers&) const = default;
};

// What the text says; nullopt if it is not such a text. Safe on any input.
std::optional<QuotaNumbers> parse_quota(std::string_view text);

// The text of a usage.
std::string usage_text(std::int64_t count, std::int64_t bytes);

// "/a/b" for /zookeeper/quota/a/b/NAME, if that may have a quota; else empty.
std::string_view quota_path_of(std::string_view path, std::string_view name);

// The paths that have a quota.
class QuotaPaths {
 public:
  bool empty() const { return paths_.empty(); }
  void add(std::string_view path) { paths_.emplace(path); }
  void remove(std::string_view path);

  // The nearest that `path` is, or is below; null if there is none.
  const std::string* nearest(std::string_view path) const;

 private:
  std::set<std::string, std::less<>> paths_{};
};

}  // namespace zabfs::replication::tree
