#include "replication/zab/history.hpp"

#include <algorithm>
#include <utility>

#include "replication/model/check.hpp"

namespace zabfs::replication::zab {

void History::append(ProposalPtr entry) {
  CHECK(last().is_followed_by(entry->zxid), "history ends at ", last(), " next ", entry->zxid);
  bytes_ += entry->record.size();
  entries_.push_back(std::move(entry));
}

void History::truncate_after(Zxid keep) {
  CHECK(contains(keep), "history has no ", keep);
  while (last() > keep) {
    bytes_ -= entries_.back()->record.size();
    entries_.pop_back();
  }
}

void History::trim(Zxid delivered) {
  while (bytes_ > bytes_max_ && entries_.front()->zxid <= delivered) {
    base_ = entries_.front()->zxid;
    bytes_ -= entries_.front()->record.size();
    entries_.pop_front();
  }
}

History::Entries::const_iterator History::after(Zxid zxid) const {
  return std::ranges::upper_bound(entries_, zxid, {},
                                  [](const auto& entry) { return entry->zxid; });
}

bool History::contains(Zxid zxid) const {
  const auto behind = after(zxid);
  return (behind == entries_.begin() ? base_ : (*std::prev(behind))->zxid) == zxid;
}

std::optional<Zxid> History::predecessor_in_epoch(Zxid zxid) const {
  if (zxid <= base_) {
    return std::nullopt;
  }
  const auto not_before = after(Zxid{zxid.value - 1});
  const Zxid found = not_before == entries_.begin() ? base_ : (*std::prev(not_before))->zxid;
  return found.epoch() == zxid.epoch() ? std::optional(found) : std::nullopt;
}

}  // namespace zabfs::replication::zab
