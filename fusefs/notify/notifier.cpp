// What there is to do, in order: notices, standing watches, names, comparisons.
#include "fusefs/notify/notifier.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "fusefs/limits.hpp"
#include "replication/model/path.hpp"

namespace zabfs::fusefs::notify {

using client::WatchNotice;
using inodes::Inode;
using inodes::Kind;
using naming::View;
using replication::ErrorCode;
using replication::protocol::EventType;
using replication::protocol::ExistsRequest;
using replication::protocol::GetChildren2Request;
using replication::protocol::GetChildren2Response;
using replication::protocol::StatResponse;

Notifier::Notifier(Insides insides, Ports ports) : insides_(insides), ports_(std::move(ports)) {}

Notifier::~Notifier() { insides_.ensemble.own_changes().listen({}); }

void Notifier::watched(const std::set<InodeNumber>& numbers) {
  std::map<std::string, bool> paths;
  for (const InodeNumber number : numbers) {
    const Inode* inode = insides_.inodes.find(number);
    if (inode != nullptr && !inode->is_detached && inode->view == View::plain &&
        paths.size() < limits::inotify_paths_max) {
      paths.emplace(inode->path, inode->kind == Kind::directory);
    }
  }
  const auto added = interest_.replace(paths);
  if (interest_.empty()) {
    insides_.ensemble.own_changes().listen({});
  } else if (!insides_.ensemble.own_changes().is_heard()) {
    insides_.ensemble.own_changes().listen([this](const WatchNotice& notice) { heard(notice); });
  }
  watch_roots();
  for (const auto& path : added) {
    if (interest_.is_directory(path)) {
      add(List{path});
    }
  }
}

InodeNumber Notifier::inode_at(const std::string& path) {
  const Inode* inode = insides_.inodes.find(path, View::plain);
  return inode == nullptr ? 0 : inode->number;
}

void Notifier::heard(const WatchNotice& notice) {
  const bool may_make_directory = notice.type == EventType::created && notice.path != "/" &&
                                  interest_.hears_of(replication::parent_of(notice.path));
  if (notice.type == EventType::children_changed ||
      !(interest_.hears_of(notice.path) || may_make_directory)) {
    return;
  }
  if (notices_ >= limits::inotify_notices_max) {
    const std::int64_t since = forget_notices();
    add_comparison(since);
  }
  ++notices_;
  // Where a notice has no zxid, it came before any reply that is as new as its change.
  const std::int64_t after =
      notice.zxid ? notice.zxid->wire() - 1 : insides_.ensemble.client().last_zxid().wire();
  add(Notice{.notice = notice,
             .inode = inode_at(notice.path),
             .after = after,
             .held = insides_.ensemble.kernel().hold_names(notice.path)});
}

// What will be told is not known yet.
void Notifier::add_comparison(std::int64_t since) {
  add(Compare{.since = since, .held = insides_.ensemble.kernel().hold_names("")});
}

void Notifier::watch_roots() {
  const std::set<std::string> roots = interest_.roots();
  std::erase_if(standing_, [&](const auto& entry) { return !roots.contains(entry.first); });
  for (const auto& path : roots) {
    auto& watch = standing_[path];
    if (watch == nullptr) {
      watch = std::make_unique<cache::StandingWatch>(
          insides_.ensemble, path, cache::Scope::subtree,
          [this](const cache::StandingNews& news) { on_news(news); });
    }
  }
}

void Notifier::on_news(const cache::StandingNews& news) {
  using News = cache::StandingNews::Kind;
  switch (news.kind) {
    case News::event:
      return insides_.ensemble.own_changes().heard(*news.notice);
    case News::refused:
      if (news.error == ErrorCode::unimplemented) {
        refusal_ = Failure::of(news.error);
      }
      return;
    case News::disconnected:
    case News::expired:
      if (!is_cut_off_) {
        compared_with_ = forget_notices();
      }
      is_cut_off_ = true;
      return;
    case News::connected:
    case News::set:
      if (is_cut_off_ && std::ranges::all_of(
                             standing_, [](const auto& entry) { return entry.second->is_set(); })) {
        is_cut_off_ = false;
        add_comparison(compared_with_);
      }
      return;
  }
}

std::optional<std::int64_t> Notifier::since_of(const Job& job) {
  if (const auto* notice = std::get_if<Notice>(&job)) {
    return notice->after;
  }
  const auto* comparison = std::get_if<Compare>(&job);
  return comparison == nullptr ? std::nullopt : std::optional(comparison->since);
}

std::int64_t Notifier::forget_notices() {
  std::int64_t after = insides_.ensemble.client().last_zxid().wire();
  after = std::min(after, working_since_.value_or(after));
  for (const Job& job : jobs_) {
    after = std::min(after, since_of(job).value_or(after));
  }
  std::erase_if(jobs_, [](const Job& job) { return !std::holds_alternative<List>(job); });
  notices_ = 0;
  return after;
}

void Notifier::add(Job job) {
  jobs_.push_back(std::move(job));
  if (!is_working_) {
    is_working_ = true;
    ports_.later([this] { work(); });
  }
}

Detached Notifier::work() {
  Operation operation(insides_.operations, {.request = this});
  while (!jobs_.empty() && !operation.is_interrupted()) {
    // A failure is one of the connection, and what was missed is found by comparing.
    working_since_ = since_of(jobs_.front());
    if (std::holds_alternative<Notice>(jobs_.front())) {
      static_cast<void>(co_await tell_transaction(operation));
      continue;
    }
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    static_cast<void>(co_await carry_out(operation, std::move(job)));
  }
  working_since_.reset();
  is_working_ = false;
}

Task<Outcome<Done>> Notifier::carry_out(Operation& operation, Job job) {
  if (auto* directory = std::get_if<List>(&job)) {
    co_return co_await list(operation, std::move(directory->directory));
  }
  const std::int64_t since = std::get<Compare>(job).since;
  co_return co_await compare_all(operation, since);
}

Task<Outcome<Done>> Notifier::list(Operation& operation, std::string directory) {
  Ask<GetChildren2Response> question(insides_.ensemble, operation,
                                     GetChildren2Request{.path = directory});
  const auto found = co_await question;
  if (!found) {
    co_return found.error();
  }
  interest_.learn_names(directory, found->children);
  co_return Done{};
}

Task<Outcome<Done>> Notifier::compare_all(Operation& operation, std::int64_t since) {
  const std::vector<std::string> paths = interest_.paths();
  for (const auto& path : paths) {
    std::string compared = path;
    const auto done = interest_.names(path) == nullptr
                          ? co_await compare(operation, std::move(compared), since)
                          : co_await compare_names(operation, std::move(compared), since);
    if (!done) {
      co_return done.error();
    }
  }
  co_return Done{};
}

Task<Outcome<Done>> Notifier::compare(Operation& operation, std::string path, std::int64_t since) {
  const InodeNumber inode = inode_at(path);
  Ask<StatResponse> question(insides_.ensemble, operation, ExistsRequest{.path = path});
  const auto found = co_await question;
  if (!found && found.error().code != ErrorCode::no_node) {
    co_return found.error();
  }
  if (!found || found->stat.czxid > since) {
    const auto removed = co_await tell_removed(operation, path, inode);
    if (!removed || !found) {
      co_return removed;
    }
    co_return co_await tell_created(operation, std::move(path), found->stat.czxid);
  }
  if (found->stat.mzxid > since) {
    co_return co_await tell_changed(operation, std::move(path), inode);
  }
  co_return Done{};
}

Task<Outcome<Done>> Notifier::compare_names(Operation& operation, std::string directory,
                                            std::int64_t since) {
  Ask<GetChildren2Response> question(insides_.ensemble, operation,
                                     GetChildren2Request{.path = directory});
  const auto found = co_await question;
  const auto* names = interest_.names(directory);
  if (!found || names == nullptr) {
    co_return found ? Outcome<Done>(Done{}) : found.error();
  }
  std::set<std::string> all(found->children.begin(), found->children.end());
  const std::set<std::string> now = all;
  for (const auto& [name, told] : *names) {
    all.insert(name);
  }
  for (const auto& name : all) {
    std::string path = child_path(directory, name);
    const bool was_told = interest_.may_be_told(path);
    Outcome<Done> done = Done{};
    if (was_told) {
      done = co_await compare(operation, std::move(path), since);
    } else if (now.contains(name)) {
      done = co_await tell_created(operation, std::move(path), 0);
    }
    if (!done) {
      co_return done.error();
    }
  }
  co_return Done{};
}

}  // namespace zabfs::fusefs::notify
