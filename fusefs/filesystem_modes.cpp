// Permissions: those that follow from ACLs, and what chmod, chown and the opening of a file make of
// them.
//
// The ACL of what is looked up is asked for together with its Stat, and remembered as long as that
// tells the same version of the ACL; where it forbids the mount something, the Stat is always asked
// for. The server has the last word: what an ACL seems to forbid is tried before it is refused,
// with a change that cannot happen, because the server compares permissions before versions.
#include <cerrno>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "fusefs/filesystem.hpp"
#include "fusefs/limits.hpp"
#include "fusefs/transactions.hpp"
#include "replication/model/limits.hpp"

namespace zabfs::fusefs {

namespace permission = replication::permission;

using inodes::Inode;
using inodes::Kind;
using inodes::KnownRights;
using inodes::Rights;
using naming::View;
using replication::Bytes;
using replication::ErrorCode;
using replication::limits::change_attempts_max;
using replication::protocol::GetAclRequest;
using replication::protocol::GetAclResponse;
using replication::protocol::SetAclRequest;
using replication::protocol::SetDataRequest;
using replication::protocol::StatResponse;

namespace {

// True for the views whose permissions follow from the ACL of their znode.
bool has_acl(View view) {
  using enum View;
  return view == plain || view == data || view == dir || view == version || view == cas ||
         view == acl || view == sync;
}

// A change that cannot happen was answered: what does that say of one that can?
Outcome<Done> verdict(const Outcome<StatResponse>& answer) {
  if (answer || answer.error().code == ErrorCode::bad_version) {
    return Done{};
  }
  return answer.error();
}

// `rsync`, `install` and others make a file that is theirs alone, and let others in at the end.
bool is_open_for_writing(handles::HandleTable& table, InodeNumber number) {
  bool is_open = false;
  table.for_each([&](handles::Handle& handle) {
    const auto* data = handles::data_of(handle);
    is_open = is_open || (handle.inode == number && data != nullptr && data->mode().writes);
  });
  return is_open;
}

}  // namespace

void Filesystem::use(replication::Identities identities) {
  if (identities != identities_) {
    identities_ = std::move(identities);
    ++identities_generation_;
    rights_seen_.clear();
    ensemble_.kernel().everything_changed();  // Permissions are others now.
  }
}

const KnownRights* Filesystem::known_rights(const std::string& path) const {
  for (const View view : {View::plain, View::data, View::dir, View::acl}) {
    const Inode* inode = inodes_.find(path, view);
    if (inode != nullptr && inode->rights.generation == identities_generation_) {
      return &inode->rights;
    }
  }
  const auto seen = rights_seen_.find(path);
  return seen == rights_seen_.end() ? nullptr : &seen->second;
}

bool Filesystem::is_forbidden_something(const std::string& path) const {
  const KnownRights* known = known_rights(path);
  return known != nullptr && known->rights.own != permission::all;
}

Task<Outcome<KnownRights>> Filesystem::ask_rights(Operation& operation, std::string path) {
  Ask<GetAclResponse> question(ensemble_, operation, GetAclRequest{.path = std::move(path)});
  const auto found = co_await question;
  co_return rights_answered(found);
}

Outcome<KnownRights> Filesystem::rights_answered(const Outcome<GetAclResponse>& found) const {
  if (found) {
    return KnownRights{.rights = inodes::rights_in(found->acl, identities_),
                       .czxid = found->stat.czxid,
                       .aversion = found->stat.aversion,
                       .generation = identities_generation_};
  }
  if (found.error().code == ErrorCode::no_auth) {
    // Which version of the ACL this is, nobody tells; so it is asked for again next time.
    return KnownRights{.rights = inodes::unreadable(), .generation = identities_generation_};
  }
  return found.error();
}

Task<Outcome<Filesystem::Looked>> Filesystem::look_with_rights(Operation& operation,
                                                               Target target) {
  std::optional<Ask<GetAclResponse>> acl;
  const KnownRights* known = known_rights(target.path);
  std::optional<KnownRights> rights = known == nullptr ? std::nullopt : std::optional(*known);
  const auto recalled = recall(target);
  const bool is_absent = recalled && !*recalled;
  if (has_acl(target.view) && !rights && !is_absent) {
    acl.emplace(ensemble_, operation, GetAclRequest{.path = target.path});
  }
  const auto node = co_await look_at(operation, target);
  if (!node) {
    co_return node.error();
  }
  if (!has_acl(target.view)) {
    co_return Looked{.node = *node};
  }
  if (acl) {
    auto& question = *acl;
    const auto found = co_await question;
    const auto answered = rights_answered(found);
    if (!answered) {
      co_return answered.error();
    }
    rights = *answered;
  }
  if (!rights->is_of(node->stat) && !acl) {
    const auto asked = co_await ask_rights(operation, target.path);
    if (!asked) {
      co_return asked.error();
    }
    rights = *asked;
  }
  remember_rights(target.path, *rights);
  co_return Looked{.node = *node, .rights = *rights};
}

void Filesystem::remember_rights(const std::string& path, const KnownRights& rights) {
  if (!ensemble_.is_worth_a_watch(path)) {
    return;
  }
  if (rights_seen_.size() >= limits::rights_remembered_max) {
    rights_seen_.clear();
  }
  rights_seen_.insert_or_assign(path, rights);
}

Task<Outcome<Done>> Filesystem::check_writing(Operation& operation, InodeNumber number) {
  const Inode* inode = inodes_.find(number);
  const KnownRights* known = known_rights(inode->path);
  const bool is_doubtful =
      known != nullptr && ((known->rights.own & permission::write) == 0 || known->rights.is_guess);
  if (!is_doubtful || inode->is_removed) {
    co_return Done{};
  }
  Ask<StatResponse> question(
      ensemble_, operation,
      SetDataRequest{.path = inode->path, .data = Bytes{}, .version = impossible_version});
  const auto answer = co_await question;
  co_return verdict(answer);
}

Task<Outcome<Done>> Filesystem::try_acl(Operation& operation, std::string path,
                                        replication::Acl acl) {
  Ask<StatResponse> question(
      ensemble_, operation,
      SetAclRequest{.path = std::move(path), .acl = std::move(acl), .version = impossible_version});
  const auto answer = co_await question;
  co_return verdict(answer);
}

Task<Outcome<Done>> Filesystem::commit_all_of(Operation& operation, InodeNumber number) {
  std::vector<Bytes> values;
  handles_.for_each([&](handles::Handle& handle) {
    auto* data = handles::data_of(handle);
    if (handle.inode == number && data != nullptr && data->close_commits() && !handle.condition &&
        !std::holds_alternative<handles::AclHandle>(handle.body)) {
      values.push_back(data->content());
      data->mark_committed();
    }
  });
  for (Bytes& value : values) {
    const auto done = co_await set_data(operation, number, std::move(value), any_version);
    if (!done) {
      co_return done.error();
    }
  }
  co_return Done{};
}

Task<Outcome<Done>> Filesystem::change_mode(Operation& operation, InodeNumber number, mode_t mode) {
  constexpr mode_t permissions = 07777;
  constexpr mode_t readable = S_IRUSR | S_IRGRP | S_IROTH;
  constexpr mode_t follow_from_acl = S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH;
  const Inode* inode = inodes_.find(number);
  const mode_t mask =
      inode->kind == Kind::directory ? appearance_.directory_mode : appearance_.file_mode;
  const mode_t shown = attributes_of(*inode).values.st_mode & permissions;
  const bool has_own_acl =
      inode->view == View::plain || inode->view == View::data || inode->view == View::dir;
  // Whoever may read a directory may pass through it.
  const mode_t passing = inode->kind == Kind::directory ? (mode & readable) >> 2U & mask : 0;
  const bool asks_for_more =
      (mode & permissions & ~follow_from_acl) != passing || (mode & ~mask & follow_from_acl) != 0;
  if (!has_own_acl || asks_for_more || inode->is_removed) {
    co_return Failure::of(EPERM);
  }
  const bool is_being_made =
      (mode & S_IRWXU) == (shown & S_IRWXU) && is_open_for_writing(handles_, number);
  // What is written already may be forbidden from then on.
  const auto committed = co_await commit_all_of(operation, number);
  if (!committed) {
    co_return committed.error();
  }
  for (int attempt = 0; attempt < change_attempts_max; ++attempt) {
    Ask<GetAclResponse> question(ensemble_, operation,
                                 GetAclRequest{.path = inodes_.find(number)->path});
    const auto found = co_await question;
    if (!found) {
      co_return found.error();
    }
    auto changed = inodes::changed_acl(found->acl, identities_, mode, mask);
    if (!changed || changed->empty()) {
      // An empty ACL would allow everything.
      co_return is_being_made ? Outcome<Done>(Done{}) : Failure::of(EPERM);
    }
    Ask<StatResponse> change(ensemble_, operation,
                             SetAclRequest{.path = inodes_.find(number)->path,
                                           .acl = std::move(*changed),
                                           .version = found->stat.aversion});
    const auto done = co_await change;
    if (done) {
      inodes_.find(number)->rights = {};
      co_return Done{};
    }
    if (done.error().code != ErrorCode::bad_version) {
      co_return done.error();
    }
  }
  co_return Failure::of(EAGAIN);
}

}  // namespace zabfs::fusefs
