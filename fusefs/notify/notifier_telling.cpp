// What the kernel is told of a change, by making it once more.
#include <cerrno>
#include <utility>

#include "fusefs/notify/notifier.hpp"
#include "replication/model/path.hpp"

namespace zabfs::fusefs::notify {

using inodes::DataKind;
using inodes::Inode;
using inodes::Kind;
using inodes::Node;
using replication::ErrorCode;
using replication::protocol::EventType;

std::vector<Notifier::Notice> Notifier::take_transaction() {
  std::vector<Notice> taken;
  while (!jobs_.empty()) {
    auto* next = std::get_if<Notice>(&jobs_.front());
    if (next == nullptr || (!taken.empty() && (!next->notice.zxid ||
                                               next->notice.zxid != taken.front().notice.zxid))) {
      break;
    }
    taken.push_back(std::move(*next));
    jobs_.pop_front();
    --notices_;
  }
  return taken;
}

Task<Outcome<Done>> Notifier::tell_transaction(Operation& operation) {
  std::vector<Notice> notices = take_transaction();
  const Notice* made = nullptr;
  const Notice* removed = nullptr;
  const Notice* replaced = nullptr;
  bool is_move = true;
  for (const auto& each : notices) {
    if (each.notice.type == EventType::created && made == nullptr) {
      made = &each;
    } else if (each.notice.type == EventType::deleted && made == nullptr && replaced == nullptr) {
      replaced = &each;
    } else if (each.notice.type == EventType::deleted && removed == nullptr) {
      removed = &each;
    } else {
      is_move = false;
    }
  }
  is_move = is_move && made != nullptr && removed != nullptr &&
            removed->notice.path != made->notice.path &&
            (replaced == nullptr || replaced->notice.path == made->notice.path) &&
            interest_.hears_of(made->notice.path) && interest_.hears_of(removed->notice.path);
  if (is_move) {
    co_return co_await tell_move(operation, *removed, *made, replaced ? replaced->inode : 0);
  }
  for (auto& each : notices) {
    const auto told = co_await tell(operation, std::move(each));
    if (!told) {
      co_return told.error();
    }
  }
  co_return Done{};
}

Task<Outcome<Done>> Notifier::tell(Operation& operation, Notice told) {
  std::string path = std::move(told.notice.path);
  const std::int64_t zxid = told.notice.zxid ? told.notice.zxid->wire() : 0;
  switch (told.notice.type) {
    case EventType::created:
      co_return co_await tell_created(operation, std::move(path), zxid);
    case EventType::deleted:
      co_return co_await tell_removed(operation, std::move(path), told.inode);
    case EventType::data_changed:
      co_return co_await tell_changed(operation, std::move(path), told.inode);
    default:
      co_return Done{};
  }
}

Task<Outcome<Done>> Notifier::tell_created(Operation& operation, std::string path,
                                           std::int64_t zxid) {
  std::string parent(replication::parent_of(path));
  const auto turned = co_await tell_new_directory(operation, std::move(parent));
  if (!turned || !interest_.hears_of(path)) {
    co_return turned;
  }
  std::string looked_at = path;
  auto node = co_await insides_.look(operation, std::move(looked_at));
  if (!node && node.error().code != ErrorCode::no_node) {
    co_return node.error();
  }
  // The child that comes and goes in one transaction to make a directory (transactions.hpp).
  if (!node && replication::name_of_path(path) == "@dir") {
    co_return Done{};
  }
  Node made = node ? *node : Node{.data = DataKind::present};
  if (!node) {
    made.stat.czxid = zxid;
  }
  const Kind kind = inodes::kind_of(made);
  interest_.note(path, told_as(kind));
  const Deed deed = kind == Kind::directory ? Deed::make_directory : Deed::make_file;
  Replay made_again{.deed = deed, .path = std::move(path), .node = made};
  co_return co_await replay(operation, std::move(made_again));
}

bool Notifier::is_file(const std::string& path, InodeNumber number) {
  if (const Inode* inode = insides_.inodes.find(number)) {
    return inode->kind == Kind::file;
  }
  return interest_.told(path) != Told::directory;
}

Task<Outcome<Done>> Notifier::tell_removed(Operation& operation, std::string path,
                                           InodeNumber inode) {
  if (!interest_.may_be_told(path)) {
    co_return Done{};
  }
  const Deed deed = is_file(path, inode) ? Deed::remove_file : Deed::remove_directory;
  interest_.forget(path);
  Replay removed{.deed = deed, .path = std::move(path), .inode = inode};
  co_return co_await replay(operation, std::move(removed));
}

Task<Outcome<Done>> Notifier::tell_changed(Operation& operation, std::string path,
                                           InodeNumber inode) {
  if (is_file(path, inode)) {
    Replay written{.deed = Deed::write, .path = std::move(path), .inode = inode};
    co_return co_await replay(operation, std::move(written));
  }
  std::string looked_at = path;
  const auto node = co_await insides_.look(operation, std::move(looked_at));
  if (node && path != "/" && inodes::kind_of(*node) == Kind::file) {
    Node turned = *node;
    co_return co_await tell_turned(operation, std::move(path), inode, std::move(turned));
  }
  Replay touched{.deed = Deed::touch, .path = std::move(path), .inode = inode};
  co_return co_await replay(operation, std::move(touched));
}

Task<Outcome<Done>> Notifier::tell_move(Operation& operation, Notice from, Notice to,
                                        InodeNumber replaced) {
  std::string looked_at = to.notice.path;
  const auto node = co_await insides_.look(operation, std::move(looked_at));
  if (!node && node.error().code != ErrorCode::no_node) {
    co_return node.error();
  }
  const Kind kind = is_file(from.notice.path, from.inode) ? Kind::file : Kind::directory;
  Node moved = node ? *node : Node{};
  if (!node || inodes::kind_of(moved) != kind) {
    moved.data = kind == Kind::directory ? DataKind::null : DataKind::present;
    moved.stat.cversion = 0;
  }
  interest_.forget(from.notice.path);
  interest_.note(to.notice.path, told_as(kind));
  Replay move{.deed = Deed::move,
              .path = std::move(from.notice.path),
              .to = std::move(to.notice.path),
              .inode = from.inode,
              .replaced = replaced,
              .node = moved};
  co_return co_await replay(operation, std::move(move));
}

Task<Outcome<Done>> Notifier::tell_new_directory(Operation& operation, std::string path) {
  const InodeNumber inode = inode_at(path);
  const bool was_file = interest_.told(path) == Told::file ||
                        (insides_.inodes.find(inode) != nullptr && is_file(path, inode));
  if (path == "/" || !was_file || !interest_.hears_of(path)) {
    co_return Done{};
  }
  std::string looked_at = path;
  const auto node = co_await insides_.look(operation, std::move(looked_at));
  if (!node || inodes::kind_of(*node) == Kind::file) {
    co_return node ? Outcome<Done>(Done{}) : node.error();
  }
  Node turned = *node;
  co_return co_await tell_turned(operation, std::move(path), inode, std::move(turned));
}

Task<Outcome<Done>> Notifier::tell_turned(Operation& operation, std::string path, InodeNumber inode,
                                          Node node) {
  const bool is_directory = inodes::kind_of(node) == Kind::directory;
  interest_.note(path, is_directory ? Told::directory : Told::file);
  Replay removed{.deed = is_directory ? Deed::remove_file : Deed::remove_directory,
                 .path = path,
                 .inode = inode};
  const auto told = co_await replay(operation, std::move(removed));
  if (!told) {
    co_return told.error();
  }
  Replay made{.deed = is_directory ? Deed::make_directory : Deed::make_file,
              .path = std::move(path),
              .node = node};
  co_return co_await replay(operation, std::move(made));
}

Task<Outcome<Done>> Notifier::replay(Operation& operation, Replay replay) {
  Wake wake(operation);
  waiting_ = &wake;
  ports_.perform(replay);
  const auto done = co_await wake;
  waiting_ = nullptr;
  co_return done;
}

void Notifier::replayed() {
  if (waiting_ != nullptr) {
    waiting_->ring();
  }
}

}  // namespace zabfs::fusefs::notify
