#include "replication/store/log_extent.hpp"

#include <algorithm>

#include "replication/model/check.hpp"

namespace zabfs::replication::store {

bool LogExtent::may_end_at(Zxid keep) const {
  return committed_ <= keep && std::ranges::any_of(runs_, [&](const Run& run) {
           return run.first <= keep && keep <= run.last;
         });
}

Zxid LogExtent::mark_beside(Zxid zxid, Zxid committed) const {
  return committed >= zxid ? zxid : std::max(committed_, std::min(committed, last()));
}

void LogExtent::append(Zxid zxid) {
  CHECK(last().is_followed_by(zxid), "last ", last(), " next ", zxid);
  if (zxid.value == last().value + 1) {
    runs_.back().last = zxid;
  } else {
    runs_.push_back({zxid, zxid});
  }
}

void LogExtent::truncate_after(Zxid keep) {
  CHECK(may_end_at(keep), "committed ", committed_, " keep ", keep, " last ", last());
  while (runs_.back().first > keep) {
    runs_.pop_back();
  }
  runs_.back().last = keep;
}

void LogExtent::commit(Zxid zxid) {
  CHECK(zxid <= last(), "committed ", zxid, " last ", last());
  committed_ = std::max(committed_, zxid);
  std::erase_if(runs_, [this](const Run& run) { return run.last < committed_; });
  runs_.front().first = std::max(runs_.front().first, committed_);
}

}  // namespace zabfs::replication::store
