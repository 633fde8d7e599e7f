#include "fusefs/notify/stage.hpp"

#include <cerrno>
#include <utility>

#include "fusefs/naming/name.hpp"

namespace zabfs::fusefs::notify {

using inodes::DataKind;
using inodes::Inode;
using inodes::Kind;
using inodes::Node;
using naming::View;

namespace {

bool makes(Deed deed) { return deed == Deed::make_file || deed == Deed::make_directory; }

// What a znode that nobody has seen looks like.
Node node_for(Kind kind) {
  Node node{.data = kind == Kind::directory ? DataKind::null : DataKind::present};
  return node;
}

}  // namespace

std::string Stage::path_at(const Place& place) {
  const Inode* directory = inodes_.find(place.directory);
  if (directory == nullptr || !replay_) {
    return "";
  }
  const std::string above = directory->path == "/" ? "/" : directory->path + "/";
  for (const std::string& path : {replay_->path, replay_->to}) {
    if (!path.starts_with(above)) {
      continue;
    }
    const std::size_t end = std::min(path.find('/', above.size()), path.size());
    const std::string_view name = std::string_view(path).substr(above.size(), end - above.size());
    if (naming::shown(name, directory->path == "/") == place.name) {
      return path.substr(0, end);
    }
  }
  return "";
}

Entry Stage::entry_of(const Inode& inode) const {
  return {.number = inode.number,
          .generation = inode.generation,
          .values = inodes::attributes_of(inode, appearance_)};
}

Entry Stage::known_or_ghost(InodeNumber number, const std::string& path, Kind kind) {
  Inode* inode = inodes_.find(number);
  if (inode == nullptr || inode->kind != kind) {
    return entry_of(inodes_.make_ghost(path, kind, node_for(kind)));
  }
  ++inode->lookups;
  return entry_of(*inode);
}

Entry Stage::directory_above(const std::string& path) {
  Inode* inode = inodes_.find(path, View::plain);
  if (inode == nullptr || inode->kind != Kind::directory) {
    return entry_of(inodes_.make_ghost(path, Kind::directory, node_for(Kind::directory)));
  }
  ++inode->lookups;
  return entry_of(*inode);
}

void Stage::lookup(Reply<Entry> reply, const Place& place) {
  const std::string path = path_at(place);
  if (path.empty()) {
    return std::move(reply).error(replay_ ? ENOENT : EPERM);
  }
  const bool is_target = path == replay_->to;
  if (path != replay_->path && !is_target) {
    return std::move(reply).with(directory_above(path));
  }
  if (makes(replay_->deed) || (is_target && inodes_.find(replay_->replaced) == nullptr)) {
    return std::move(reply).error(ENOENT);
  }
  if (is_target) {
    return std::move(reply).with(known_or_ghost(replay_->replaced, path, Kind::file));
  }
  const bool is_of_directory =
      replay_->deed == Deed::remove_directory || replay_->deed == Deed::touch ||
      (replay_->deed == Deed::move && inodes::kind_of(replay_->node) == Kind::directory);
  std::move(reply).with(
      known_or_ghost(replay_->inode, path, is_of_directory ? Kind::directory : Kind::file));
}

void Stage::get_attributes(Reply<Attributes> reply, InodeNumber number, std::optional<HandleId>) {
  const Inode* inode = inodes_.find(number);
  if (inode == nullptr) {
    return std::move(reply).error(ESTALE);
  }
  std::move(reply).with(Attributes{.values = inodes::attributes_of(*inode, appearance_)});
}

void Stage::set_attributes(Reply<Attributes> reply, InodeNumber number, const AttributeChange&,
                           std::optional<HandleId>) {
  const bool is_expected =
      replay_ && (replay_->deed == Deed::write || replay_->deed == Deed::touch);
  if (!is_expected) {
    return std::move(reply).error(EPERM);
  }
  get_attributes(std::move(reply), number, std::nullopt);
}

void Stage::check_access(Reply<Done> reply, InodeNumber, int) { std::move(reply).with(Done{}); }

void Stage::open(Reply<Opened> reply, InodeNumber, int) {
  if (!replay_ || replay_->deed != Deed::write) {
    return std::move(reply).error(EPERM);
  }
  std::move(reply).with(Opened{.handle = handle, .flush_is_needless = true});
}

void Stage::make_file(Reply<Entry> reply, const Place& place) {
  answer_made(std::move(reply), place, Kind::file);
}

void Stage::make_directory(Reply<Entry> reply, const Place& place) {
  answer_made(std::move(reply), place, Kind::directory);
}

void Stage::answer_made(Reply<Entry> reply, const Place& place, Kind kind) {
  const std::string path = path_at(place);
  if (path.empty() || path != replay_->path || !makes(replay_->deed)) {
    return std::move(reply).error(EPERM);
  }
  // What a process has looked up meanwhile is at least as new as what is replayed.
  Inode* known = inodes_.find(path, View::plain);
  if (known != nullptr && known->node.stat.czxid >= replay_->node.stat.czxid) {
    return std::move(reply).with(known_or_ghost(
        known->node.stat.czxid == replay_->node.stat.czxid ? known->number : 0, path, kind));
  }
  if (replay_->node.stat.czxid == 0 || inodes::kind_of(replay_->node) != kind) {
    return std::move(reply).with(known_or_ghost(0, path, kind));
  }
  std::move(reply).with(entry_of(inodes_.look_up(path, View::plain, replay_->node)));
}

void Stage::answer_done(Reply<Done> reply, bool is_expected) {
  if (is_expected) {
    std::move(reply).with(Done{});
  } else {
    std::move(reply).error(EPERM);
  }
}

void Stage::remove_file(Reply<Done> reply, const Place& place) {
  const std::string path = path_at(place);
  answer_done(std::move(reply),
              !path.empty() && path == replay_->path && replay_->deed == Deed::remove_file);
}

void Stage::remove_directory(Reply<Done> reply, const Place& place) {
  const std::string path = path_at(place);
  answer_done(std::move(reply),
              !path.empty() && path == replay_->path && replay_->deed == Deed::remove_directory);
}

void Stage::rename(Reply<Done> reply, const Place& from, const Place& to, unsigned) {
  const std::string source = path_at(from);
  const std::string target = path_at(to);
  answer_done(std::move(reply), !source.empty() && !target.empty() && source == replay_->path &&
                                    target == replay_->to && replay_->deed == Deed::move);
}

}  // namespace zabfs::fusefs::notify
