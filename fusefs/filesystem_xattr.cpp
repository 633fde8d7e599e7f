// Extended attributes `user.zk.*`: the Stat, the ACL and the real name of a znode.
//
//   user.zk.czxid ... user.zk.pzxid   the fields of the Stat, as `NAME@stat` writes them
//   user.zk.acl                       `scheme:id:permissions` per line, permissions out of cdrwa
//   user.zk.fence                     of the newest lock that is held on it through this mount
//   user.zk.name, user.zk.path        of the znode, which the file name may only stand for
//
// The ACL can be set (filesystem_acl.cpp). Setting another answers ENOTSUP: `mv` and `cp -a` copy
// the attributes of what they copy, and report every other error.
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "fusefs/filesystem.hpp"
#include "fusefs/inodes/acl_text.hpp"
#include "fusefs/inodes/stat_text.hpp"
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

void Filesystem::list_extended_attributes(Reply<AttributeText> reply, InodeNumber number) {
  if (inodes_.find(number) == nullptr) {
    return std::move(reply).error(ESTALE);
  }
  std::string names = all_names();
  if (locker_.newest_of(number) != nullptr) {
    names.append(prefix).append("fence") += '\0';
  }
  std::move(reply).with(AttributeText{names});
}

}  // namespace zabfs::fusefs
