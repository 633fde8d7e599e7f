#include "fusefs/continuity/state.hpp"

#include <algorithm>
#include <utility>

#include "fusefs/continuity/limits.hpp"
#include "replication/jute/tagged.hpp"

namespace zabfs::fusefs::continuity {
namespace {

using replication::Bytes;
using replication::ByteView;

// How each kind of entry changes the state.
struct Applied {
  State& state;

  void operator()(Beginning& entry) const { state.beginning = std::move(entry); }
  void operator()(Worker& entry) const { state.worker = entry; }
  void operator()(SessionHeld& entry) const {
    const auto is_over = [&entry](const auto& held) { return held.second.session != entry.id; };
    std::erase_if(state.held, is_over);
    std::erase_if(state.creations, is_over);
    std::erase_if(state.places,
                  [this](const auto& place) { return !state.held.contains(place.first); });
    state.session = std::move(entry);
  }
  void operator()(ZxidSeen& entry) const { state.zxid = entry.zxid; }

  void operator()(InodeKnown& entry) const {
    const auto number = entry.number;
    state.inodes.insert_or_assign(number, std::move(entry));
  }
  void operator()(InodeLookups& entry) const {
    if (const auto found = state.inodes.find(entry.number); found != state.inodes.end()) {
      found->second.lookups = entry.lookups;
    }
  }
  void operator()(InodeGone& entry) const { state.inodes.erase(entry.number); }

  void operator()(HandleOpen& entry) const {
    state.last_handle = std::max(state.last_handle, entry.id);
    const auto id = entry.id;
    state.handles[id].handle = std::move(entry);
  }
  void operator()(ContentWhole& entry) const {
    if (const auto found = state.handles.find(entry.handle); found != state.handles.end()) {
      found->second.content = std::move(entry.content);
    }
  }
  void operator()(ContentWritten& entry) const {
    constexpr std::uint64_t size_max = limits::content_bytes_max;
    const auto found = state.handles.find(entry.handle);
    if (found == state.handles.end() || entry.offset > size_max ||
        entry.bytes.size() > size_max - entry.offset) {
      return;
    }
    Bytes& content = found->second.content;
    content.resize(std::max<std::size_t>(content.size(), entry.offset + entry.bytes.size()));
    std::ranges::copy(entry.bytes, content.begin() + static_cast<std::ptrdiff_t>(entry.offset));
  }
  void operator()(ContentTaken& entry) const {
    if (const auto found = state.handles.find(entry.handle); found != state.handles.end()) {
      Bytes& content = found->second.content;
      const auto taken = std::min<std::uint64_t>(entry.bytes, content.size());
      content.erase(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(taken));
    }
  }
  void operator()(HandleGone& entry) const { state.handles.erase(entry.id); }
  void operator()(Polled& entry) const {
    if (const auto found = state.handles.find(entry.handle); found != state.handles.end()) {
      found->second.polled_by = entry.by;
    }
  }

  void operator()(ChangeBegun& entry) const {
    state.changes[entry.request] = entry.handle;
    if (const auto found = state.handles.find(entry.handle); found != state.handles.end()) {
      found->second.has_begun_change = true;
    }
  }
  void operator()(Received& entry) const { state.received.insert(entry.request); }
  void operator()(Answered& entry) const {
    state.received.erase(entry.request);
    if (const auto change = state.changes.find(entry.request); change != state.changes.end()) {
      if (const auto found = state.handles.find(change->second); found != state.handles.end()) {
        found->second.has_begun_change = false;
      }
      state.changes.erase(change);
    }
    state.last_answer = std::move(entry);
  }

  void operator()(ZnodeHeld& entry) const {
    const auto path = entry.path;
    state.held.insert_or_assign(path, std::move(entry));
  }
  void operator()(ZnodeLetGo& entry) const {
    state.held.erase(entry.path);
    state.places.erase(entry.path);
  }
  void operator()(CreationBegun& entry) const {
    const auto number = entry.number;
    state.creations.insert_or_assign(number, std::move(entry));
  }
  void operator()(CreationEnded& entry) const {
    state.creations.erase(entry.number);
    if (state.creations.empty()) {
      state.created_meanwhile.clear();
    }
  }
  void operator()(CreatedMeanwhile& entry) const {
    if (!state.creations.empty()) {
      state.created_meanwhile.insert(std::move(entry.path));
    }
  }

  void operator()(PlaceTaken& entry) const {
    state.places.insert_or_assign(std::move(entry.contender), entry.owner);
  }
  void operator()(LockHeld& entry) const {
    const auto owner = entry.owner;
    state.locks.insert_or_assign(owner, std::move(entry));
  }
  void operator()(LockGone& entry) const { state.locks.erase(entry.owner); }
};

template <class Body>
void add(Bytes& group, const Body& body) {
  replication::jute::append_alternative<Entry>(group, body);
}

void add_handles(Bytes& group, const State& state) {
  for (const auto& [id, opened] : state.handles) {
    add(group, opened.handle);
    if (!opened.content.empty()) {
      add(group, ContentWhole{.handle = id, .content = opened.content});
    }
    if (opened.polled_by != 0) {
      add(group, Polled{.handle = id, .by = opened.polled_by});
    }
  }
}

void add_held(Bytes& group, const State& state) {
  for (const auto& [path, held] : state.held) {
    add(group, held);
  }
  for (const auto& [number, creation] : state.creations) {
    add(group, creation);
  }
  for (const auto& path : state.created_meanwhile) {
    add(group, CreatedMeanwhile{path});
  }
  for (const auto& [contender, owner] : state.places) {
    add(group, PlaceTaken{.owner = owner, .contender = contender});
  }
  for (const auto& [owner, lock] : state.locks) {
    add(group, lock);
  }
}

}  // namespace

void State::apply(Entry entry) { std::visit(Applied{*this}, entry); }

bool State::apply_group(ByteView group) {
  try {
    replication::jute::JuteReader from{group};
    while (!from.rest().empty()) {
      const auto place = from.integer<std::uint8_t>();
      apply(replication::jute::read_alternative<Entry>(from, place));
    }
    return true;
  } catch (const cereal::Exception&) {
    return false;
  }
}

Bytes State::as_group() const {
  Bytes group;
  add(group, beginning);
  add(group, worker);
  add(group, session);
  add(group, ZxidSeen{zxid});
  // The highest number, also if that file is closed.
  add(group, HandleOpen{.id = last_handle});
  add(group, HandleGone{.id = last_handle});
  for (const auto& [number, inode] : inodes) {
    add(group, inode);
  }
  add_handles(group, *this);
  add(group, last_answer);
  for (const auto request : received) {
    add(group, Received{request});
  }
  for (const auto& [request, handle] : changes) {
    add(group, ChangeBegun{.request = request, .handle = handle});
  }
  add_held(group, *this);
  return group;
}

}  // namespace zabfs::fusefs::continuity
