// What can be told of a znode by its zxids, and what must have happened between two looks at it.
//
//   line      ZXID WORD PATH, the zxid in decimal: that of the change
//   words     created changed deleted children, and what is or was so already: exists absent;
//             of the stream itself: connected disconnected expired overflow
//
// A change that a later one of the same kind has covered cannot be seen any more: two `changed` in
// a row are one. What was deleted and created again is both.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fusefs/client/client.hpp"
#include "replication/model/stat.hpp"

namespace zabfs::fusefs::views {

std::string event_line(std::int64_t zxid, std::string_view word, std::string_view path);

std::string_view word_of(replication::protocol::EventType type);

// The newest transaction that a Stat tells of.
std::int64_t newest_of(const replication::Stat& stat);

// A znode that is there, or is not.
struct Observed {
  bool exists{};
  std::int64_t czxid{};
  std::int64_t mzxid{};
  std::int64_t pzxid{};

  static Observed of(const std::optional<replication::Stat>& stat);

  // An event of `type` came, about the transaction `zxid`.
  void apply(replication::protocol::EventType type, std::int64_t zxid);

  bool operator==(const Observed&) const = default;
};

struct Change {
  std::int64_t zxid{};
  std::string_view word{};
  std::string path{};

  std::string line() const { return event_line(zxid, word, path); }
  bool operator==(const Change&) const = default;
};

// What turned `before` into `now`, the oldest first. A deletion leaves no zxid behind: it gets that
// of the creation that followed, or else `newest_zxid`.
std::vector<Change> changes_between(const Observed& before, const Observed& now,
                                    const std::string& path, std::int64_t newest_zxid);

// The zxid of `notice`; where it carries none, what the Stat asked for later tells, or of a
// deletion `newest_zxid`.
std::int64_t zxid_of(const client::WatchNotice& notice,
                     const std::optional<replication::Stat>& stat, std::int64_t newest_zxid);

}  // namespace zabfs::fusefs::views
