#include "fusefs/mount/notification.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "fusefs/limits.hpp"
#include "fusefs/mount/replayer.hpp"

namespace zabfs::fusefs::mount {

using std::chrono::microseconds;
using std::chrono::milliseconds;

Assistants Assistants::fork() {
  return {.replayer = Assistant::fork("zabfs-inotify", mount::replayer()),
          .scanner = Assistant::fork("zabfs-scan", mount::scanner())};
}

Notification::Notification(boost::asio::io_context& io, Filesystem& filesystem,
                           Assistants assistants)
    : io_(io),
      filesystem_(filesystem),
      assistants_(std::move(assistants)),
      stage_(filesystem.insides().inodes, filesystem.insides().appearance),
      notifier_(
          filesystem.insides(),
          {.perform = [this](const notify::Replay& replay) { perform(replay); },
           .later = [&io](std::function<void()> call) { boost::asio::post(io, std::move(call)); }}),
      timer_(io) {}

void Notification::begin(kernel::Session& session, const std::string& mount_point) {
  if (!assistants_.replayer || !assistants_.scanner) {
    return give_up("there is no process for it");
  }
  assistants_.replayer->listen(io_, [this](std::string_view text) { replayer_answered(text); });
  assistants_.scanner->listen(io_, [this](std::string_view text) { scanner_answered(text); });
  session.let_watch(assistants_.replayer->pid(), stage_, [this](pid_t pid) { looked(pid); });
  assistants_.replayer->order(order_to_begin(mount_point));
}

void Notification::give_up(const char* what) {
  if (!is_over_) {
    spdlog::warn("inotify does not tell what other machines change: {}", what);
  }
  is_over_ = true;
  timer_.cancel();
  notifier_.watched({});
}

void Notification::perform(const notify::Replay& replay) {
  stage_.begin(replay);
  if (is_over_ || !assistants_.replayer->order(order_to_replay(replay))) {
    boost::asio::post(io_, [this] { notifier_.replayed(); });
  }
}

void Notification::replayer_answered(std::string_view answer) {
  if (answer.empty()) {
    give_up("its process has ended");
    notifier_.replayed();
  } else if (device_) {
    notifier_.replayed();
  } else if (device_ = device_answered(answer); device_) {
    await_next_scan();
  } else {
    give_up("the mount point cannot be opened");
  }
}

void Notification::looked(pid_t process) {
  const auto now = Clock::now();
  if (next_full_scan_ > now + pause_between_full_scans()) {
    next_full_scan_ = now + pause_between_full_scans();
    if (device_ && !is_scanning_) {
      await_next_scan();
    }
  }
  const auto [suspect, is_new] = suspects_.try_emplace(process);
  if (is_new && suspects_.size() > limits::inotify_suspects_max) {
    suspects_.erase(suspect);  // The next look into all processes finds it.
    return;
  }
  if (is_new) {
    suspect->second.due = now + milliseconds(limits::inotify_looks_ms.front());
    if (device_ && !is_scanning_ && suspects_.size() == 1) {
      await_next_scan();
    }
  } else {
    suspect->second.looks = 0;
  }
}

milliseconds Notification::pause_between_full_scans() const {
  if (filesystem_.ensemble().kernel().size() > 0) {
    return milliseconds(limits::inotify_kept_scan_ms);
  }
  return milliseconds(watching_.empty() ? limits::inotify_idle_scan_ms
                                        : limits::inotify_busy_scan_ms);
}

void Notification::await_next_scan() {
  auto due = next_full_scan_;
  for (const auto& [process, suspect] : suspects_) {
    due = std::min(due, suspect.due);
  }
  timer_.expires_at(std::max(due, next_scan_));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      scan();
    }
  });
}

void Notification::scan() {
  const auto now = Clock::now();
  scanned_.clear();
  if (now < next_full_scan_) {
    for (auto& [process, suspect] : suspects_) {
      if (suspect.due <= now) {
        scanned_.push_back(process);
      }
    }
    if (scanned_.empty()) {
      return await_next_scan();
    }
  }
  for (auto suspect = suspects_.begin(); suspect != suspects_.end();) {
    auto& [due, looks] = suspect->second;
    if (due > now) {
      ++suspect;
    } else if (++looks < limits::inotify_looks_ms.size()) {
      due = now + milliseconds(limits::inotify_looks_ms[looks]);
      ++suspect;
    } else {
      suspect = suspects_.erase(suspect);
    }
  }
  found_.clear();
  is_scanning_ = true;
  if (!assistants_.scanner->order(order_to_scan(*device_, scanned_))) {
    give_up("its process has ended");
  }
}

void Notification::scanner_answered(std::string_view answer) {
  if (answer.empty()) {
    return give_up("its process has ended");
  }
  const Found found = found_in(answer);
  found_.insert(found_.end(), found.watching.begin(), found.watching.end());
  if (!found.is_last) {
    return;
  }
  is_scanning_ = false;
  take_over();
  const auto now = Clock::now();
  const auto pause = limits::inotify_scan_pauses * microseconds(found.took_us);
  next_scan_ = now + pause;
  if (scanned_.empty()) {
    next_full_scan_ = now + std::max<Clock::duration>(pause, pause_between_full_scans());
  }
  if (!is_over_) {
    await_next_scan();
  }
}

void Notification::take_over() {
  if (scanned_.empty()) {
    watching_.clear();
  }
  for (const pid_t process : scanned_) {
    watching_.erase(process);
  }
  for (const notify::Watching& one : found_) {
    watching_[one.process].insert(one.inode);
  }
  std::set<InodeNumber> all;
  for (const auto& [process, inodes] : watching_) {
    all.insert(inodes.begin(), inodes.end());
  }
  const bool was_refused = notifier_.refusal().has_value();
  notifier_.watched(all);
  if (notifier_.refusal() && !was_refused) {
    give_up("the ensemble knows no lasting watches (ZooKeeper has them since 3.6)");
  }
}

}  // namespace zabfs::fusefs::mount
