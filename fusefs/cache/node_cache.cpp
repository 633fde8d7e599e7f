#include "fusefs/cache/node_cache.hpp"

#include <iterator>
#include <utility>

namespace zabfs::fusefs::cache {
namespace {

using replication::Data;
using replication::Stat;

// What an entry takes in the list and the index, beside what it points to.
constexpr std::size_t entry_overhead_bytes = 128;

std::size_t bytes_of(const std::string& path, const Known& known) {
  std::size_t bytes = entry_overhead_bytes + sizeof(Known) + path.size();
  if (known.value && *known.value) {
    bytes += (*known.value)->size();
  }
  if (known.children) {
    for (const auto& name : *known.children) {
      bytes += sizeof(std::string) + name.size();
    }
  }
  return bytes;
}

}  // namespace

NodeCache::Entry* NodeCache::at(std::string_view path) {
  const auto found = by_path_.find(path);
  return found == by_path_.end() ? nullptr : &*found->second;
}

const Known* NodeCache::peek(std::string_view path) const {
  const auto found = by_path_.find(path);
  return found == by_path_.end() ? nullptr : &found->second->known;
}

const Known* NodeCache::find(std::string_view path) {
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) {
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, found->second);
  return &found->second->known;
}

void NodeCache::mark_new_write(std::string_view path) {
  if (Entry* entry = at(path)) {
    entry->known.is_new_write = true;
  }
}

bool NodeCache::take_new_write(std::string_view path) {
  Entry* entry = at(path);
  return entry != nullptr && std::exchange(entry->known.is_new_write, false);
}

Known& NodeCache::entry_for(const std::string& path) {
  if (find(path) == nullptr) {
    entries_.push_front({.path = path});
    by_path_.emplace(entries_.front().path, entries_.begin());
  }
  return entries_.front().known;
}

void NodeCache::learn_absent(const std::string& path) {
  entry_for(path) = {.presence = Presence::absent};
  settle_front();
}

void NodeCache::learn_stat(const std::string& path, const Stat& stat) {
  Known& known = entry_for(path);
  if (known.presence != Presence::present || known.stat.czxid != stat.czxid ||
      known.stat.mzxid != stat.mzxid) {
    known.value.reset();
  }
  known.presence = Presence::present;
  known.stat = stat;
  settle_front();
}

void NodeCache::learn_value(const std::string& path, Data value, const Stat& stat) {
  Known& known = entry_for(path);
  known.presence = Presence::present;
  known.stat = stat;
  known.value = std::move(value);
  settle_front();
}

void NodeCache::learn_children(const std::string& path, std::vector<std::string> names,
                               const Stat& stat) {
  Known& known = entry_for(path);
  known.children = std::make_shared<const std::vector<std::string>>(std::move(names));
  if (known.presence == Presence::present && known.stat.mzxid == stat.mzxid) {
    known.stat = stat;
  }
  settle_front();
}

void NodeCache::forget_node(std::string_view path) {
  if (Entry* entry = at(path)) {
    entry->known.presence = Presence::unknown;
    entry->known.is_new_write = false;
    entry->known.value.reset();
    erase_if_empty(*entry);
  }
}

void NodeCache::forget_children(std::string_view path) {
  if (Entry* entry = at(path)) {
    entry->known.children.reset();
    erase_if_empty(*entry);
  }
}

void NodeCache::forget_all() {
  by_path_.clear();
  entries_.clear();
  bytes_ = 0;
}

void NodeCache::erase_if_empty(Entry& entry) {
  if (entry.known.presence == Presence::unknown && !entry.known.children) {
    erase(by_path_.at(entry.path));
  } else {
    count_anew(entry);
  }
}

void NodeCache::erase(Entries::iterator entry) {
  bytes_ -= entry->bytes;
  by_path_.erase(entry->path);
  entries_.erase(entry);
}

void NodeCache::count_anew(Entry& entry) {
  bytes_ -= std::exchange(entry.bytes, bytes_of(entry.path, entry.known));
  bytes_ += entry.bytes;
}

void NodeCache::settle_front() {
  count_anew(entries_.front());
  while (!entries_.empty() && (entries_.size() > bounds_.entries || bytes_ > bounds_.bytes)) {
    dropped_.push_back(entries_.back().path);
    erase(std::prev(entries_.end()));
  }
}

}  // namespace zabfs::fusefs::cache
