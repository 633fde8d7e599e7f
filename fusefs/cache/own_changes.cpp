#include "fusefs/cache/own_changes.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace zabfs::fusefs::cache {

using client::WatchNotice;
using replication::Zxid;
using replication::protocol::Request;

std::vector<std::string> paths_changed_by(const Request& request) {
  std::vector<std::string> paths;
  if (const auto* multi = std::get_if<replication::protocol::MultiRequest>(&request)) {
    for (const auto& operation : multi->operations) {
      std::visit([&](const auto& one) { paths.push_back(one.path); }, operation);
    }
  } else {
    std::visit(
        [&](const auto& one) {
          if constexpr (requires { one.path; }) {
            paths.push_back(one.path);
          }
        },
        request);
  }
  return paths;
}

void OwnChanges::listen(Listener listener) {
  listener_ = std::move(listener);
  if (!listener_) {
    paths_.clear();
  }
}

void OwnChanges::begin(const std::vector<std::string>& paths) {
  for (const auto& path : paths) {
    ++paths_[path].underway;
  }
}

void OwnChanges::end(const std::vector<std::string>& paths, std::optional<Zxid> succeeded) {
  for (const auto& path : paths) {
    const auto found = paths_.find(path);
    if (found == paths_.end()) {
      continue;  // Nobody listened meanwhile.
    }
    if (succeeded) {
      found->second.succeeded.push_back(*succeeded);
    }
    if (--found->second.underway == 0) {
      Path ended = std::move(found->second);
      paths_.erase(found);
      let_out(std::move(ended));
    }
  }
}

void OwnChanges::heard(const WatchNotice& notice) {
  if (!listener_) {
    return;
  }
  const auto found = paths_.find(notice.path);
  if (found == paths_.end()) {
    listener_(notice);
  } else {
    found->second.kept_back.push_back(notice);
  }
}

void OwnChanges::let_out(Path path) {
  std::size_t without_zxid = path.succeeded.size();
  const auto is_own = [&](const WatchNotice& notice) {
    if (notice.zxid) {
      return std::ranges::find(path.succeeded, *notice.zxid) != path.succeeded.end();
    }
    return without_zxid > 0 && without_zxid-- > 0;
  };
  std::vector<WatchNotice> foreign;
  for (auto notice = path.kept_back.rbegin(); notice != path.kept_back.rend(); ++notice) {
    if (!is_own(*notice)) {
      foreign.push_back(std::move(*notice));
    }
  }
  for (auto notice = foreign.rbegin(); notice != foreign.rend() && listener_; ++notice) {
    listener_(*notice);
  }
}

}  // namespace zabfs::fusefs::cache
