#include "fusefs/inodes/inode_table.hpp"

#include <algorithm>
#include <array>
#include <functional>

#include "replication/model/check.hpp"

namespace zabfs::fusefs::inodes {
namespace {

using naming::View;

// The views that have an inode of a znode's own data or listing, and so move and vanish with it.
// The others are of a path, whatever is there.
constexpr std::array views{View::plain, View::data, View::dir, View::stat};

constexpr unsigned number_bits = 53;

Kind kind_in(View view, std::int64_t parameter, const std::string& path, const Node& node) {
  switch (view) {
    case View::plain:
      return path == "/" ? Kind::directory : kind_of(node);
    case View::dir:
      return Kind::directory;
    case View::mount:
      return parameter == 0 ? Kind::directory : Kind::file;
    default:
      return Kind::file;
  }
}

// Spreads every bit of `value` over the result (the finalizer of MurmurHash3).
std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ (value >> 33)) * 0xFF51AFD7ED558CCDU;
  value = (value ^ (value >> 33)) * 0xC4CEB9FE1A85EC53U;
  return value ^ (value >> 33);
}

}  // namespace

std::size_t InodeTable::NameHash::operator()(const Name& name) const noexcept {
  return std::hash<std::string_view>{}(name.path) ^ static_cast<std::size_t>(name.view) ^
         mixed(static_cast<std::uint64_t>(name.parameter));
}

InodeTable::InodeTable() {
  Inode& inode = inodes_[root_number];
  inode = {.number = root_number,
           .path = "/",
           .view = View::plain,
           .kind = Kind::directory,
           .lookups = 1};
  names_.emplace(Name{inode.path, inode.view}, &inode);
}

Inode* InodeTable::find(InodeNumber number) {
  const auto found = inodes_.find(number);
  return found == inodes_.end() ? nullptr : &found->second;
}

Inode* InodeTable::find(std::string_view path, View view, std::int64_t parameter) {
  const auto found = names_.find(Name{path, view, parameter});
  return found == names_.end() ? nullptr : found->second;
}

const Inode* InodeTable::find(std::string_view path, View view) const {
  const auto found = names_.find(Name{path, view});
  return found == names_.end() ? nullptr : found->second;
}

Inode& InodeTable::look_up(const std::string& path, View view, const Node& node,
                           std::int64_t parameter) {
  const Kind kind = kind_in(view, parameter, path, node);
  if (Inode* known = find(path, view, parameter)) {
    const bool is_same = known->node.stat.czxid == node.stat.czxid && known->kind == kind;
    if (is_same || known->number == root_number) {
      note(*known, known->node == node ? Inode::Change::lookups : Inode::Change::everything);
      known->node = node;
      ++known->lookups;
      return *known;
    }
    detach(*known);
    erase_if_unused(*known);
  }
  const InodeNumber number = free_number(Name{path, view, parameter}, kind, node.stat.czxid);
  Inode& inode = inodes_[number];
  inode = {.number = number,
           .generation = node.stat.czxid,
           .path = path,
           .view = view,
           .parameter = parameter,
           .kind = kind,
           .node = node,
           .lookups = 1};
  names_.emplace(Name{inode.path, view, parameter}, &inode);
  note(inode, Inode::Change::everything);
  return inode;
}

Inode& InodeTable::make_ghost(const std::string& path, Kind kind, const Node& node) {
  const InodeNumber number = free_number(Name{path, View::plain, 0}, kind, node.stat.czxid);
  Inode& inode = inodes_[number];
  inode = {.number = number,
           .generation = node.stat.czxid,
           .path = path,
           .view = View::plain,
           .kind = kind,
           .node = node,
           .lookups = 1,
           .is_detached = true};
  note(inode, Inode::Change::everything);
  return inode;
}

void InodeTable::forget(InodeNumber number, std::uint64_t lookups) {
  Inode* inode = find(number);
  if (inode == nullptr || number == root_number) {
    return;
  }
  // A process that began anew has counted fewer than the kernel, which forgets all of them at once.
  inode->lookups -= std::min(inode->lookups, lookups);
  note(*inode, Inode::Change::lookups);
  erase_if_unused(*inode);
}

void InodeTable::close(InodeNumber number) {
  Inode* inode = find(number);
  CHECK(inode != nullptr && inode->handles > 0, "inode ", number, " has no handle to close");
  --inode->handles;
  erase_if_unused(*inode);
}

void InodeTable::remove(std::string_view path) {
  for (const View view : views) {
    if (Inode* inode = find(path, view); inode != nullptr && inode->number != root_number) {
      inode->is_removed = true;
      detach(*inode);
      erase_if_unused(*inode);
    }
  }
}

void InodeTable::move(std::string_view from, const std::string& to, const Node& node) {
  remove(to);
  for (const View view : views) {
    if (Inode* inode = find(from, view)) {
      detach(*inode);
      inode->path = to;
      inode->node = node;
      inode->is_detached = false;
      names_.emplace(Name{inode->path, view}, inode);
    }
  }
}

InodeNumber InodeTable::free_number(const Name& name, Kind kind, std::int64_t czxid) const {
  const auto kind_and_view = static_cast<std::uint64_t>(name.view) << 1 |
                             static_cast<std::uint64_t>(kind == Kind::directory);
  const std::uint64_t hash = std::hash<std::string_view>{}(name.path) ^
                             mixed(static_cast<std::uint64_t>(czxid)) ^ mixed(~kind_and_view) ^
                             mixed(static_cast<std::uint64_t>(name.parameter) << 8);
  InodeNumber number = mixed(hash) >> (64 - number_bits);
  while (number <= root_number || inodes_.contains(number)) {
    number = (number + 1) % (InodeNumber{1} << number_bits);
  }
  return number;
}

void InodeTable::detach(Inode& inode) {
  names_.erase(Name{inode.path, inode.view, inode.parameter});
  inode.is_detached = true;
  note(inode, Inode::Change::everything);
}

void InodeTable::note(Inode& inode, Inode::Change change) {
  if (!keeps_changes_) {
    return;
  }
  if (inode.change == Inode::Change::none) {
    changed_.push_back(inode.number);
  }
  inode.change = std::max(inode.change, change);
}

void InodeTable::restore(Inode restored) {
  const InodeNumber number = restored.number;
  const auto [found, is_new] = inodes_.try_emplace(number, std::move(restored));
  Inode& inode = found->second;
  if (is_new && !inode.is_detached &&
      !names_.emplace(Name{inode.path, inode.view, inode.parameter}, &inode).second) {
    inode.is_detached = true;
  }
}

void InodeTable::erase_if_unused(Inode& inode) {
  if (inode.lookups == 0 && inode.handles == 0) {
    if (!inode.is_detached) {
      names_.erase(Name{inode.path, inode.view, inode.parameter});
    }
    note(inode, Inode::Change::everything);
    inodes_.erase(inode.number);
  }
}

}  // namespace zabfs::fusefs::inodes
