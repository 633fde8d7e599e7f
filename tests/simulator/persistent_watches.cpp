#include "tests/simulator/persistent_watches.hpp"

#include <algorithm>
#include <utility>

namespace zabfs::test {

using namespace replication;

void PersistentWatches::on_set(const std::string& path, Zxid at) {
  wanted_.insert(path);
  set_.emplace(path, at);
}

void PersistentWatches::on_removed(const std::string& path) {
  wanted_.erase(path);
  set_.erase(path);
  std::erase_if(told_, [this](const auto& told) { return !is_watched(told.first); });
}

void PersistentWatches::on_connection_lost() {
  set_.clear();
  told_.clear();
}

PersistentWatches::Told& PersistentWatches::told_of(const std::string& path) {
  const auto [told, is_new] = told_.try_emplace(path);
  if (is_new) {
    const auto own = set_.find(path);
    const auto of_all = set_.find(everything);
    const Zxid since = own == set_.end()      ? of_all->second
                       : of_all == set_.end() ? own->second
                                              : std::min(own->second, of_all->second);
    told->second = {.since = since, .last = since, .since_read = {}, .read = {}};
  }
  return told->second;
}

void PersistentWatches::on_event(const std::string& path, Zxid zxid, bool has_other_watch) {
  if (!is_watched(path)) {
    if (!has_other_watch) {
      findings_.add("WatchOrder", "client ", client_, " is told of ", path, " at ", zxid,
                    " and does not watch it");
    }
    return;
  }
  Told& told = told_of(path);
  if (zxid <= told.last) {
    findings_.add("WatchOrder", "client ", client_, " is told of ", path, " at ", zxid,
                  " and knew of ", told.last);
  }
  told.last = zxid;
  told.since_read.push_back(zxid);
}

void PersistentWatches::on_read(const std::string& path, const Stat& stat) {
  if (!is_watched(path)) {
    return;
  }
  Told& told = told_of(path);
  const Zxid changed = Zxid::from_wire(stat.mzxid);
  if (std::max(changed, told.since) != told.last) {
    findings_.add("WatchOrder", "client ", client_, " is shown ", path, " of ", changed,
                  " and was told last of ", told.last);
  }
  const auto grown = told.read ? stat.version - told.read->version : 0;
  if (told.read && std::cmp_not_equal(grown, told.since_read.size())) {
    findings_.add("WatchCompleteness", "client ", client_, " was told of ", told.since_read.size(),
                  " changes of ", path, " up to ", changed, " where there were ", grown);
  }
  told.since_read.clear();
  told.read = stat;
}

}  // namespace zabfs::test
