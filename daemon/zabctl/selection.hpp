// Which transactions an operator wants to see: a range of zxids or times, a session, a subtree.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "replication/model/ids.hpp"
#include "replication/tree/transaction.hpp"

namespace zabfs::daemon::zabctl {

// A place in history: a zxid, or a time in milliseconds since 1970.
using Moment = std::variant<replication::Zxid, std::int64_t>;

// 0x200000007, 2.7 (epoch and counter), or a time of UTC: 2026-05-04, 2026-05-04T12:30,
// 2026-05-04T12:30:01.5 (a blank may stand for the T, and a Z behind it). Throws UsageError for
// anything else.
Moment parse_moment(const std::string& text);

// A session's number, 0x... or decimal. Throws UsageError.
replication::SessionId parse_session(const std::string& text);

struct Selection {
  std::optional<Moment> from{};  // this one included, likewise the next
  std::optional<Moment> to{};
  std::optional<replication::SessionId> session{};
  std::string path{};  // the znode and everything below it; empty: all

  bool includes(const replication::tree::Transaction& transaction) const;
};

// True if `path` is `subtree` or lies below it.
bool lies_in(std::string_view path, std::string_view subtree);

}  // namespace zabfs::daemon::zabctl
