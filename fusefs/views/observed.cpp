#include "fusefs/views/observed.hpp"

#include <algorithm>

namespace zabfs::fusefs::views {

using client::WatchNotice;
using replication::Stat;
using replication::protocol::EventType;

std::string event_line(std::int64_t zxid, std::string_view word, std::string_view path) {
  return std::to_string(zxid).append(" ").append(word).append(" ").append(path) + '\n';
}

std::string_view word_of(EventType type) {
  switch (type) {
    case EventType::created:
      return "created";
    case EventType::deleted:
      return "deleted";
    case EventType::children_changed:
      return "children";
    default:
      return "changed";
  }
}

std::int64_t newest_of(const Stat& stat) { return std::max(stat.mzxid, stat.pzxid); }

Observed Observed::of(const std::optional<Stat>& stat) {
  return stat ? Observed{.exists = true,
                         .czxid = stat->czxid,
                         .mzxid = stat->mzxid,
                         .pzxid = stat->pzxid}
              : Observed{};
}

void Observed::apply(EventType type, std::int64_t zxid) {
  switch (type) {
    case EventType::created:
      *this = {.exists = true, .czxid = zxid, .mzxid = zxid, .pzxid = zxid};
      break;
    case EventType::deleted:
      *this = {};
      break;
    case EventType::children_changed:
      pzxid = std::max(pzxid, zxid);
      break;
    default:
      mzxid = std::max(mzxid, zxid);
  }
}

std::vector<Change> changes_between(const Observed& before, const Observed& now,
                                    const std::string& path, std::int64_t newest_zxid) {
  std::vector<Change> changes;
  Observed base = before;
  const bool is_another = before.exists && now.exists && before.czxid != now.czxid;
  if (before.exists && (!now.exists || is_another)) {
    changes.push_back({now.exists ? now.czxid : newest_zxid, "deleted", path});
    base = {};
  }
  if (!now.exists) {
    return changes;
  }
  if (!base.exists) {
    changes.push_back({now.czxid, "created", path});
    base.apply(EventType::created, now.czxid);
  }
  if (now.mzxid > base.mzxid) {
    changes.push_back({now.mzxid, "changed", path});
  }
  if (now.pzxid > base.pzxid) {
    changes.push_back({now.pzxid, "children", path});
  }
  std::ranges::stable_sort(changes, {}, &Change::zxid);
  return changes;
}

std::int64_t zxid_of(const WatchNotice& notice, const std::optional<Stat>& stat,
                     std::int64_t newest_zxid) {
  if (notice.zxid && notice.zxid->wire() > 0) {
    return notice.zxid->wire();
  }
  if (!stat) {
    return newest_zxid;
  }
  switch (notice.type) {
    case EventType::created:
    case EventType::deleted:  // And created again by now.
      return stat->czxid;
    case EventType::children_changed:
      return stat->pzxid;
    default:
      return stat->mzxid;
  }
}

}  // namespace zabfs::fusefs::views
