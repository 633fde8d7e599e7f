// What the kernel may keep: what a watch guards at the moment of the answer, by its plain name.
//
//   kept                 never kept
//   ------------------   --------------------------------------------------------------------------
//   names and absences   of views and of what creates; the short form of a long name; what inotify
//                        is about to tell, because the replayer's calls must reach the mount; the
//                        first time it is looked up, what the mount itself has written
//   attributes           while a descriptor is open to write: the kernel makes up sizes from what
//                        is written, and nobody may be shown what is not committed
//   listings             of `N@dir` and of @mount
#include <utility>
#include <variant>

#include "fusefs/filesystem.hpp"

namespace zabfs::fusefs {

using cache::Presence;
using inodes::Inode;
using inodes::Kind;
using inodes::Node;
using naming::View;

void Filesystem::let_keep(KernelMemory* memory) {
  if (memory == nullptr) {
    return ensemble_.kernel().use({});
  }
  cache::KernelCopies::Port port{
      .forget_attributes = [memory](InodeNumber inode) { memory->forget_attributes(inode); },
      .forget_listing = [this, memory](InodeNumber inode) { change_listing(inode, *memory); }};
  if (memory->forgets_names()) {
    port.forget_names = [memory] { memory->forget_names(); };
  }
  ensemble_.kernel().use(std::move(port));
}

void Filesystem::change_listing(InodeNumber number, KernelMemory& memory) {
  if (Inode* inode = inodes_.find(number)) {
    ++inode->listings;
  }
  memory.forget_attributes(number);
}

std::optional<Node> Filesystem::guarded(const std::string& path) {
  const auto known = recall({path, View::plain});
  return known && *known ? std::optional(**known) : std::nullopt;
}

bool Filesystem::give_name(const Place& place, const Target& target, bool is_there) {
  auto& kernel = ensemble_.kernel();
  const Inode* directory = inodes_.find(place.directory);
  if (target.view != View::plain || directory == nullptr || directory->view != View::plain ||
      directory->is_detached || !kernel.may_give_name(target.path)) {
    return false;
  }
  const auto parsed = naming::parse(place.name, directory->path == "/");
  const auto* name = std::get_if<naming::Name>(&parsed);
  if (name == nullptr || name->is_short) {
    return false;
  }
  if (is_there) {
    const Inode* inode = inodes_.find(target.path, View::plain, 0);
    const auto node = guarded(target.path);
    // Whoever writes a file again and again looks it up once each time. Were its name given out,
    // each write would take all names back.
    if (ensemble_.is_first_look(target.path) || !node || inode == nullptr ||
        inode->node.stat.czxid != node->stat.czxid || inode->kind != inodes::kind_of(*node)) {
      return false;
    }
  } else {
    const cache::Known* known = ensemble_.find(target.path);
    if (known == nullptr || known->presence != Presence::absent) {
      return false;
    }
  }
  kernel.gave_name(target.path);
  return true;
}

bool Filesystem::give_attributes(const Inode& inode) {
  auto& kernel = ensemble_.kernel();
  if (!kernel.may_give_attributes() || inode.view != View::plain || inode.is_detached ||
      inode.is_removed || inode.writers > 0) {
    return false;
  }
  const auto node = guarded(inode.path);
  const bool is_root = inode.number == inodes::root_number;
  if (!node || (!is_root && (node->stat.czxid != inode.node.stat.czxid ||
                             inode.kind != inodes::kind_of(*node)))) {
    return false;
  }
  kernel.gave_attributes(inode.path, inode.number);
  return true;
}

}  // namespace zabfs::fusefs
