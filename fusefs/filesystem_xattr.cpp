// Extended attributes `user.zk.*`: the Stat, the ACL and the real name of a znode.
//
//   user.zk.czxid ... user.zk.pzxid   the fields of the Stat, as `NAME@stat` writes them
//   user.zk.acl                       `scheme:id:permissions` per line, permissions out of cdrwa
//   user.zk.fence                     of the newest lock that is held on it through this mount
//   user.zk.name, user.zk.path        of the znode, which the file name may only stand for
//
// The ACL can be set (filesystem_acl.cpp); the others cannot be, nor can any be removed: EPERM. To
// `mv` and `cp -a`, who copy the attributes of what they copy and report every other error, the
// answer is ENOTSUP: that is, for directories, and for files while somebody has them open. So it is
// for all attributes that are not ours.
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "fusefs/filesystem.hpp"
#include "fusefs/inodes/acl_text.hpp"
#include "fusefs/inodes/stat_text.hpp"
#include "fusefs/transactions.hpp"
#include "replication/model/path.hpp"

namespace zabfs::fusefs {

using inodes::Inode;
using replication::protocol::ExistsRequest;
using replication::protocol::GetAclRequest;
using replication::protocol::GetAclResponse;
using replication::protocol::StatResponse;

namespace {

constexpr std::string_view user_namespace = "user.";
constexpr std::string_view prefix = "user.zk.";

// Every attribute, each name ended by a zero byte as listxattr(2) wants them.
const std::string& all_names() {
  static const std::string names = [] {
    std::string text;
    const auto add = [&text](std::string_view name) { text.append(prefix).append(name) += '\0'; };
    for (const auto& field : inodes::stat_fields()) {
      add(field.name);
    }
    add("acl");
    add("name");
    add("path");
    return text;
  }();
  return names;
}

bool is_ours(std::string_view name) {
  const auto end = all_names().find(std::string(name) + '\0');
  return name == "user.zk.fence" ||
         (end != std::string::npos && (end == 0 || all_names()[end - 1] == '\0'));
}

}  // namespace

Detached Filesystem::get_extended_attribute(Reply<AttributeText> reply, InodeNumber number,
                                            std::string name) {
  const Inode* inode = inodes_.find(number);
  if (inode == nullptr || !name.starts_with(user_namespace)) {
    co_return std::move(reply).error(inode == nullptr ? ESTALE : ENOTSUP);
  }
  if (inode->view == naming::View::mount) {
    co_return std::move(reply).error(ENODATA);
  }
  const std::string path = inode->path;
  const std::string key = name.starts_with(prefix) ? name.substr(prefix.size()) : std::string();
  if (key == "path" || key == "name") {
    co_return std::move(reply).with(
        AttributeText{key == "path" ? path : replication::name_of_path(path)});
  }
  if (key == "fence") {
    const Lock* lock = locker_.newest_of(number);
    if (lock == nullptr) {
      co_return std::move(reply).error(ENODATA);
    }
    const std::string text = std::to_string(lock->czxid);
    co_return std::move(reply).with(AttributeText{text});
  }
  Operation operation(operations_, reply.ticket());
  if (key == "acl") {
    Ask<GetAclResponse> question(ensemble_, operation, GetAclRequest{.path = path});
    const auto found = co_await question;
    if (!found) {
      co_return std::move(reply).refuse(found.error());
    }
    const std::string text = inodes::acl_text(found->acl);
    co_return std::move(reply).with(AttributeText{text});
  }
  for (const auto& field : inodes::stat_fields()) {
    if (field.name == key) {
      Ask<StatResponse> question(ensemble_, operation, ExistsRequest{.path = path});
      const auto found = co_await question;
      if (!found) {
        co_return std::move(reply).refuse(found.error());
      }
      const std::string text = field.value(found->stat);
      co_return std::move(reply).with(AttributeText{text});
    }
  }
  std::move(reply).error(ENODATA);
}

Detached Filesystem::set_extended_attribute(Reply<Done> reply, InodeNumber number, std::string name,
                                            std::string value) {
  const Inode* inode = inodes_.find(number);
  if (inode == nullptr) {
    co_return std::move(reply).error(ESTALE);
  }
  // Whoever copies a file with its attributes sets them before its data are committed, and an ACL
  // may forbid that.
  const bool may_be_a_copy = inode->handles > 0;
  if (inode->view == naming::View::mount) {
    co_return std::move(reply).error(ENOTSUP);
  }
  if (name != "user.zk.acl" || may_be_a_copy) {
    const bool is_refused =
        is_ours(name) && !may_be_a_copy && inode->kind != inodes::Kind::directory;
    co_return std::move(reply).error(is_refused ? EPERM : ENOTSUP);
  }
  Operation operation(operations_, reply.ticket());
  std::string path = inode->path;
  const auto done = co_await set_acl(operation, std::move(path), std::move(value), any_version);
  std::move(reply).with_outcome(done ? Outcome<Done>(Done{}) : done.error());
}

void Filesystem::remove_extended_attribute(Reply<Done> reply, InodeNumber number,
                                           const std::string& name) {
  const Inode* inode = inodes_.find(number);
  if (inode == nullptr) {
    return std::move(reply).error(ESTALE);
  }
  const bool is_there = inode->view != naming::View::mount && is_ours(name);
  const int absence = name.starts_with(user_namespace) ? ENODATA : ENOTSUP;
  std::move(reply).error(is_there ? EPERM : absence);
}

void Filesystem::list_extended_attributes(Reply<AttributeText> reply, InodeNumber number) {
  const Inode* inode = inodes_.find(number);
  if (inode == nullptr) {
    return std::move(reply).error(ESTALE);
  }
  std::string names = inode->view == naming::View::mount ? std::string() : all_names();
  if (locker_.newest_of(number) != nullptr) {
    names.append(prefix).append("fence") += '\0';
  }
  std::move(reply).with(AttributeText{names});
}

}  // namespace zabfs::fusefs
